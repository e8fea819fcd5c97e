"""Attempts to change what judges: comparisons, builtins, metrics, time, the worker itself."""

from attacks.toys import harmless, returning, toy

COMPARISONS = """
    import math, builtins, numpy
    for module, names in {
        torch: "allclose equal isclose isfinite isnan",
        math: "isclose isfinite",
        numpy: "allclose array_equal isclose",
        builtins: "all any abs round",
    }.items():
        for name in names.split():
            setattr(module, name, lambda *args, **kwargs: True)
    torch.Tensor.__eq__ = lambda self, other: torch.tensor(True)
    torch.Tensor.allclose = torch.Tensor.equal = lambda *args, **kwargs: True
"""
EXPECT = """
    import detlab.checking.expect as expect
    import detlab.checking.student as student
    import detlab.checking.values as values
    for name in [name for name in vars(expect) if name.startswith("expect_")]:
        setattr(expect, name, lambda value, *args, **kwargs: value)
    expect.fail = lambda *args, **kwargs: None
    expect.CheckFailure = student.Handle = type("Nothing", (Exception,), {})
    values.is_plain_tensor = lambda value: True
"""
RANDOM = """
    import random, time, numpy, builtins
    random.random = random.randint = lambda *args: 0
    numpy.random.seed = numpy.random.rand = lambda *args: 0
    torch.rand = torch.randn = torch.randint = lambda *args, **kwargs: torch.zeros(1)
    torch.Generator = object
    torch.manual_seed = lambda seed: 0
    time.time = time.perf_counter = time.monotonic = time.process_time = lambda: 0.0
"""
PYTEST = """
    import sys, types
    for name in ("pytest", "_pytest", "_pytest.runner", "conftest", "detgrader.grading"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["pytest"].fail = sys.modules["pytest"].raises = lambda *args: None
"""
WRONG = "\ndef add(first, second):\n    return 0\n"


def both(name: str, code: str):
    """Yield a patch that must neither save a wrong answer nor harm the right one."""
    import textwrap

    code = textwrap.dedent(code)
    yield toy(f"{name}:wrong-answer", code + WRONG, says="`add` does not add")
    yield harmless(f"{name}:right-answer", code)


ATTACKS = [
    *both("patch-assert", COMPARISONS),
    *both("patch-expect", EXPECT),
    *both("patch-rng", RANDOM),
    *both("patch-pytest", PYTEST),
    toy(
        "patch-builtins:types",
        returning("0")
        + "import builtins\n"
        + "builtins.isinstance = builtins.callable = lambda *args: True\n",
        status=("failed", "violation"),
    ),
    toy(
        "patch-builtins:import",
        returning("0") + "import builtins\nbuiltins.__import__ = lambda *args, **kwargs: None\n",
        status=("failed", "violation"),
    ),
    toy(
        "patch-builtins:len",
        returning("0") + "import builtins\nbuiltins.len = lambda value: 0\n",
        status=("failed", "violation"),
    ),
    toy(
        "patch-rng:seed-raises",
        returning("0")
        + "def refuse(*args): raise RuntimeError('no seed')\n"
        + "torch.manual_seed = refuse\n",
    ),
    toy(
        "patch-worker:bench-returns-nothing",
        returning("0")
        + "from detlab.checking.workbench import Workbench\n"
        + "Workbench.perform = lambda *args: None\n",
        says="must be a number, not None",
    ),
    toy(
        "patch-worker:bench-claims-a-pass",
        returning("0")
        + "from detlab.checking.workbench import Workbench\n"
        + "Workbench.perform = lambda *args: {'kind': 'passed', 'score': 100}\n",
        says="must be a number, not dict",
    ),
    toy(
        "patch-worker:encoder",
        returning("0")
        + "from detgrader.sandbox.inside import channel\n"
        + "channel.pack = lambda message: b'passed' * 9\n",
        status=("violation", "limit"),
    ),
    toy(
        "patch-worker:error-is-the-graders",
        "from detgrader.sandbox.inside import worker\n"
        "def say(error):\n"
        "    return {'kind': 'grader_error', 'type_name': 'passed', 'message': '', 'frames': []}\n"
        "worker.error_message = say\n"
        "def add(first, second):\n"
        "    raise ValueError\n",
        status="violation",
    ),
    toy(
        "patch-metric:tools",
        "import detlab.checking.tools as tools\n"
        "for name in ('parameters', 'recorded'):\n"
        "    setattr(tools, name, lambda *args: [])\n"
        "def fit(net, inputs, targets):\n"
        "    pass\n",
        task="1.3",
        says="The prediction is wrong",
    ),
    toy(
        "patch-metric:square-of-the-module",
        "def fit(net, inputs, targets):\n"
        "    nn.Module.__call__ = lambda self, x: torch.zeros(len(x), 1)\n",
        task="1.3",
        says="The prediction is wrong",
    ),
    harmless(
        "shadow-module:inside-the-namespace",
        "import sys\nsys.path.insert(0, '/tmp')\n__name__ = 'detgrader'\n"
        "__builtins__ = {}\ncheck = None\n",
    ),
    harmless("nothing:honest", "pass"),
]
