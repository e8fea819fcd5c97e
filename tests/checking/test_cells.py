"""What counts of the cells that students add."""

from __future__ import annotations

import ast

import pytest

from detlab.checking.cells import keep_definitions, left_out, run_definitions, without_jupyter


def kept(source: str) -> str:
    return ast.unparse(keep_definitions(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 1",
        "from math import pi",
        "SIZE = 14",
        "HALF = SIZE // 2",
        "scale = lambda box: box * HALF",
        "first = partial(scale, box=1)",
        "Box = collections.namedtuple('Box', 'x y')",
        "device = torch.device('cuda' if torch.cuda.is_available else 'cpu')",
        "scales = [0.1 * n for n in range(6)]",
        "mean: Tensor = torch.tensor([0.5])",
        "a, b = (1, 2)",
        "try:\n    import seaborn\nexcept ImportError:\n    seaborn = None",
        "if SIZE > 3:\n    KERNEL = 5\nelse:\n    KERNEL = 3",
    ],
)
def test_definitions_are_kept(source: str) -> None:
    assert kept(source) == source
    assert not left_out(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "net = train(loader)",
        "print(1)",
        "for x in range(3):\n    y = x",
        "torch.backends.flags = HALF + 1",
        "table[0] = len(rows)",
        "n = 1\nn += 1",
        "if check():\n    z = 1",
        "weights = [draw() for _ in range(9)]",
    ],
)
def test_what_does_something_is_left_out(source: str) -> None:
    assert kept(source) in ("", "n = 1")


def test_what_is_made_of_what_is_left_out_is_left_out_too() -> None:
    source = "net = build()\nlayers = net.layers\ndef run():\n    return net\nsay = lambda: net\n"
    assert kept(source) == "def run():\n    return net\nsay = lambda: net"
    assert left_out(ast.parse(source)) == {"net": 1, "layers": 2}
    again = source + "net = None\nlast = net\n"
    assert kept(again).endswith("net = None\nlast = net")
    assert left_out(ast.parse(again)) == {"layers": 2}


def test_a_statement_that_fails_takes_nothing_else_with_it() -> None:
    source = (
        "from __future__ import annotations\nimport no_such\nHALF = SIZE // 2\n"
        "def f(x: Unknown) -> int:\n    return 1\n"
    )
    space: dict[str, object] = {}
    failed = run_definitions(ast.parse(source), "cell 3", space)
    assert isinstance(failed, ModuleNotFoundError)
    assert "f" in space
    # What a cell before would have set: who misses it says so.
    assert run_definitions(ast.parse("HALF = SIZE // 2"), "cell 4", {}) is None


def test_lines_for_jupyter_become_comments() -> None:
    source = "%%time\n!pip install x\ndef f(a, b):\n    return (a\n    % b)\n"
    assert without_jupyter(source).splitlines()[:2] == ["# %%time", "# !pip install x"]
    assert kept(without_jupyter(source)) == "def f(a, b):\n    return a % b"
