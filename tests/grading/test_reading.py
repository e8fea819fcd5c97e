"""What is read in the source: tricks and data handed in with an answer, and nothing honest."""

from __future__ import annotations

import ast
import itertools
import select
import time
from pathlib import Path

import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import POINTS, WEEK
from harness import running_sandbox

from detgrader.assignment import load_assignment
from detgrader.classroom.batch import grade_batch, take_in_all
from detgrader.course import Course, TripwireSettings
from detgrader.grading.reading import Reader, too_heavy
from detgrader.grading.results import Status, SubmissionResult
from detgrader.grading.tripwire import Find, find, finds
from detgrader.intake import Submission
from detgrader.overlays import lay_over, load_overlays
from detgrader.reference import reference_submission
from detgrader.sandbox.inside.uses import Uses, aliases_of
from detlab.checking.notebook import CodeCell

COURSE = Course.find()
assert COURSE.settings.tripwire
SETTINGS: TripwireSettings = COURSE.settings.tripwire


def found_in(source: str, setup: str = "import torch\nfrom torch import nn\n") -> Find | None:
    """Look at a cell that comes after a setup cell."""
    tree = ast.parse(source)
    return find(Uses(tree, aliases_of(ast.parse(setup)) | aliases_of(tree)).as_json(), SETTINGS)


TRICKS = [
    'import sys\nsys.modules["x"]',
    "import sys as s\ns.modules",
    "from sys import modules",
    "from sys import modules as innocent\ninnocent.clear()",
    'import sys\ngetattr(sys, "mod" + "ules")',
    "import sys\ngetattr(sys, name)",
    "def f(): pass\nf.__code__ = g.__code__",
    'getattr(f, "__co" "de__")',
    "getattr(f, f\"__{'code'}__\")",
    'getattr(f, "__edoc__"[::-1].replace("x", ""))',
    'getattr(f, "".join(["__", "co", "de__"]))',
    "getattr(f, chr(95) + chr(95) + 'code__')",
    'getattr(f, "__CODE__".lower())',
    'name = "__code__"',
    'vars(f)["__globals__"]',
    "import ctypes",
    "from ctypes import pythonapi",
    "import gc\ngc.get_objects()",
    "from gc import get_referrers as refer",
    "import importlib\nimportlib.import_module('x')",
    "__import__('os')",
    "exec('x = 1')",
    "eval('1')",
    "compile('1', 'a', 'eval')",
    "import detlab.checking.tools",
    "from detlab import checking",
    "from detlab.checking import expect",
    'name = "det" + "lab.checking.tools"',
    "import detlab\ndetlab.checking.tools",
    "from detlab.weeks import week1",
    "import inspect\ninspect.currentframe()",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    error.__traceback__.tb_frame",
    "def f():\n    yield\nf().gi_frame.f_back",
    "torch.equal = lambda a, b: True",
    "nn.Module.__call__ = None",
    "setattr(torch, 'allclose', print)",
    "setattr(torch, name, print)",
    "del torch.equal",
    "torch.add, other = 1, 2",
    "from unittest import mock",
    "().__class__.__bases__[0].__subclasses__()",
]
HONEST = [
    "for module in net.modules():\n    module.eval()",
    "net.eval()\nmodel = torch.compile(net)",
    "for i in range(3):\n    x = getattr(self, f'conv{i}')(x)",
    "setattr(self, f'conv{i}', nn.Conv2d(1, 1, 1))",
    "self.__class__.__name__\nself.__dict__",
    "import gc\ngc.collect()",
    "torch.backends.cudnn.benchmark = True",
    "torch.backends.mkldnn.enabled = False",
    "import matplotlib.pyplot as plt\nplt.rcParams['font.size'] = 9",
    "import re\npattern = re.compile('a')",
    "import os\nos.cpu_count()",
    "import sys\nsys.float_info.epsilon\nsys.stdout.flush()",
    "from detlab.grid import WindowGrid",
    "import detlab.metrics",
    "net.weight.data = x",
    "x.grad = None",
    "'exec'\n'sys.modules is a dict'\n'eval'",
    "@torch.no_grad()\ndef f(**options):\n    return super().forward(**options)",
    "import inspect\ninspect.signature(f)",
    "from detlab.weeks import check",
    "import sys\nsys.path.append('/content/drive')",
    "from PIL import ImageFile\nImageFile.LOAD_TRUNCATED_IMAGES = True",
    "from torch import optim\ndef train(net, optim):\n    optim.rate = 1",
    "from detlab import scenes\nfor scenes in loader:\n    scenes.seen = getattr(scenes, name)",
    "if 'net' in globals():\n    del net",
    "import copy, pickle, types\ncopy.deepcopy(net)",
]


@pytest.mark.parametrize("source", TRICKS)
def test_tricks_are_seen(source: str) -> None:
    assert found_in(source)


@pytest.mark.parametrize("source", HONEST)
def test_honest_code_is_not(source: str) -> None:
    assert found_in(source) is None


def test_the_line_is_told() -> None:
    found = found_in("x = 1\n\nimport sys\nprint(sys.modules)\n")
    assert found == Find(4, "sys.modules")


def test_a_text_in_thousands_of_parts_takes_no_longer_than_its_reading() -> None:
    """Each part is looked at once: else this would take minutes."""
    source = "x = " + " + ".join(["'a'"] * 800) + "\n" + "y = '" + "a" * 10**6 + "'[::-1]\n"
    assert found_in(source * 20) is None


def submissions_of(week: str) -> list[Submission]:
    """Return a week's reference, and with each of its mutants and variants."""
    assignment = load_assignment(COURSE, week)
    reference = reference_submission(COURSE, assignment)
    mutants = load_overlays(COURSE.mutants(week), assignment, with_hints=True)
    variants = load_overlays(COURSE.variants(week), assignment, with_hints=False)
    laid = (lay_over(reference, overlay, assignment) for overlay in (*mutants, *variants))
    return [reference, *laid]


@pytest.mark.parametrize("week", COURSE.weeks())
def test_no_reference_variant_or_mutant_is_taken_for_a_trick(week: str) -> None:
    cells = {cell.source for one in submissions_of(week) for cell in one.cells}
    trees = [ast.parse(source) for source in cells]
    imports = aliases_of(ast.parse(load_assignment(COURSE, week).setup))
    for tree in trees:
        uses = Uses(tree, imports | aliases_of(tree)).as_json()
        assert list(finds(uses, SETTINGS)) == [], ast.unparse(tree)


@pytest.mark.parametrize("week", COURSE.weeks())
def test_no_honest_answer_is_heavy(week: str) -> None:
    """Those that are known have less than a half of what they may."""
    known: dict[str, dict[str, int]] = {}
    for laid in submissions_of(week):
        for cell in laid.cells:
            if cell.source not in known:
                known[cell.source] = Uses(ast.parse(cell.source), {}).data
        data = {cell.name: known[cell.source] for cell in laid.cells}
        doubled = {
            cell: {name: (1 if name == "line" else 2) * one for name, one in weights.items()}
            for cell, weights in data.items()
        }
        assert too_heavy(doubled) == {}


def weighed(**cells: str) -> dict[str, str]:
    """Say of which cells the constants weigh too much."""
    return too_heavy({name: Uses(ast.parse(source), {}).data for name, source in cells.items()})


@pytest.mark.parametrize(
    "source",
    [
        f"w = '{'ж' * 1_001}'",
        f"w = b'{'x' * 2_001}'",
        f"w = {1 << 16_001:#x}",
        f"w = {[0.5] * 501}",
        f"w = {[70_000] * 1_401}",
        f"w = {{{', '.join(f'{n}: 1' for n in range(3_000))}}}",
        "\n".join(f"w{n} = 'abcdefgh'" for n in range(501)),
        f"def f(x='{'x' * 2_001}'): pass",
        f"f'{'x' * 2_001}{{y}}'",
    ],
    ids=("text", "bytes", "int", "floats", "ints", "dict", "names", "default", "f-string"),
)
def test_data_in_constants_is_too_heavy(source: str) -> None:
    assert weighed(cell=source)["cell"].endswith("compute it, or write less.")


def test_together_cells_may_hold_less_than_each_by_itself() -> None:
    half = f"w = {['a' * 100] * 39}"
    assert weighed(one=half, two=half) == {}
    assert list(weighed(one=half, two=half, three=half + "\nx = 'abc'")) == ["three"]
    doc = f'def f():\n    """{"x" * 9_000}"""'
    assert weighed(one=doc, two=doc) == {}
    assert len(weighed(one=doc, two=doc, three=doc)) == 1


TRIPWIRE = '\n[tripwire]\nnames = ["__code__"]\npaths = ["sys.modules"]\n'
LOCAL = "    boxes = factor = first\n"
PATCH = "def helper(f):\n    return f.__code__\n"


def test_a_function_binds_its_own_names_for_no_other_cell() -> None:
    source = """
import numpy as np, os.path
total = 0
for step in range(3):
    with open("x") as file, file:
        pass
def train(net, rate=0.1):
    global best
    loss = best = rate
    return [batch for batch in net]
class Net:
    size = 3
"""
    bound = Uses(ast.parse(source), {}).binds
    assert set(bound) == {"np", "os", "total", "step", "file", "train", "best", "Net"}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubmissionResult]:
    """Submissions with a trick in an answer, in a helper cell, and in one that nobody uses."""
    folder = tmp_path_factory.mktemp("tripwire")
    course = build_course(folder / "course")
    with (course.root / "course.toml").open("a") as file:
        file.write(TRIPWIRE)
    course = Course(course.root)
    solved = solved_notebook(course)
    answer = "import sys\ndef add(first, second):\n    sys.modules\n    return first + second\n"
    uses = "def scale(boxes, factor):\n    helper(print)\n    return boxes * factor\n"
    notebooks = {
        "answer": notebook_with(solved, {"task_1_1": answer}),
        "helper": notebook_with(solved, {"task_1_2": uses}, helper=PATCH),
        "unused": notebook_with(solved, {}, helper=PATCH),
        # `boxes` and `factor` are names of task 1.2, too.
        "local": notebook_with(solved, {"task_1_1": answer.replace("    sys", LOCAL + "    sys")}),
        "honest": notebook_with(solved, {}),
    }
    paths = [hand_in(one, folder / f"{name}.ipynb") for name, one in notebooks.items()]
    batch = grade_batch(course, WEEK, take_in_all(paths), 2, secret="one")
    return {one.student: one for one in batch.submissions}


@pytest.mark.parametrize(
    ("student", "task"),
    [("answer", "1.1"), ("local", "1.1"), ("helper", "1.2"), ("unused", ""), ("honest", "")],
)
def test_a_trick_costs_the_task_that_uses_it_and_no_other(graded, student: str, task: str) -> None:
    scores = {one.task: one.score for one in graded[student].tasks}
    assert scores == POINTS | ({task: 0} if task else {})
    statuses = {one.task: one.status for one in graded[student].tasks}
    assert [label for label, status in statuses.items() if status is Status.VIOLATION] == (
        [task] if task else []
    )


def test_cell_and_line_are_told_to_the_student_and_the_text_to_staff(graded) -> None:
    message = next(one.message for one in graded["answer"].tasks if one.task == "1.1")
    assert message.startswith("task_1_1, line 3: `sys.modules` is nothing that an answer needs")
    assert "task_1_1, line 3: sys.modules: sys.modules" in graded["answer"].log
    assert any(line.endswith("__code__: return f.__code__") for line in graded["unused"].log)


def slow_to_compile(depth: int) -> str:
    """Return a cell that takes Python twice as long for each level."""
    levels = [(" " * n + "try: x = 1", " " * n + "finally:") for n in range(depth)]
    lines = [*itertools.chain.from_iterable(levels), " " * depth + "x = 1"]
    return "\n".join(lines)


def test_what_is_still_read_is_not_done(tmp_path: Path) -> None:
    """Nobody else is to wait for it."""
    setup = CodeCell("setup", "import math")
    with running_sandbox(build_course(tmp_path / "course"), WEEK) as dispatcher:
        for source, is_quick in (("x = 1", True), (slow_to_compile(18), False)):
            reader = Reader(dispatcher, setup, [CodeCell("task_1_1", source)], None)
            told = select.select([reader.asked[0].channel.end], [], [], 30)  # it says that it lives
            assert told[0]
            deadline = time.monotonic() + (30 if is_quick else 0.2)
            while not reader.is_done() and time.monotonic() < deadline:
                time.sleep(0.01)
            assert reader.is_done() is is_quick
            if is_quick:
                assert reader.finish().names == {"task_1_1": {"x"}}
            reader.close()
