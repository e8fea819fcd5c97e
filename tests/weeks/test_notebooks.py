"""The reference notebook runs from top to bottom, and its visible checks mean something."""

import ast
from collections.abc import Iterator

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

from detgrader.assignment import load_assignment
from detgrader.authoring import source
from detgrader.course import Course
from detgrader.grading.visible import visible_reports, why_untold
from detgrader.overlays import Overlay, lay_over, load_overlays
from detgrader.reference import load_reference, reference_submission
from detlab.checking.visible import CheckFailed
from detlab.weeks import check

COURSE = Course.find()
WEEKS = COURSE.weeks()
TRAININGS = {"2.9", "3.10", "3.11", "4.10", "4.12", "5.7"}
# A training in full belongs to the audit; here a short one, just as real.
SHORTER = {
    "week2_mnist_localization": {
        '"epochs": 4': '"epochs": 1',
        "copies=8, seed=3": "copies=1, seed=3",
    },
    "week3_mnist_ssd": {'"loader": loader, "epochs": 4': '"loader": [*loader][:40], "epochs": 1'},
    "week4_ssd300": {"[batch] * 40": "[batch] * 2", "stems[:12]": "stems[:4]"},
    "week5_focal_loss": {"[:3200]": "[:64]"},
}


@pytest.mark.parametrize("week", WEEKS)
# The kernel's own packages warn about a plain local connection.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_reference_runs_from_top_to_bottom(week: str) -> None:
    notebook = source.read(COURSE, week).notebook()
    if week in SHORTER:
        for long, short in SHORTER[week].items():
            shorten(notebook, long, short)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [
        o for o in outputs if o.get("name") == "stderr" and o.text.strip() and "\r" not in o.text
    ]
    checks = [c for c in notebook.cells if c.cell_type == "code" and c.source.startswith("check(")]
    assert checks
    assert all("passes." in cell.outputs[0].data["text/plain"] for cell in checks)
    # A figure that a check asked for must not appear under the check.
    assert all(len(cell.outputs) == 1 for cell in checks)


def shorten(notebook: nbformat.NotebookNode, long: str, short: str) -> None:
    """Replace the one call that trains for minutes by one that trains for seconds."""
    (cell,) = (cell for cell in notebook.cells if long in cell.source)
    cell.source = cell.source.replace(long, short)


def reference_names(week: str = "week1_sliding_window") -> dict:
    """Return the names that week's setup and answers define."""
    return vars(load_reference(COURSE, week))


def names_with(week: str, overlay: Overlay) -> dict:
    """Return the names of a week's reference with an overlay laid over."""
    assignment = load_assignment(COURSE, week)
    submission = lay_over(reference_submission(COURSE, assignment), overlay, assignment)
    names: dict = {"__name__": "__main__"}
    for name, text in [
        ("setup", assignment.setup),
        *((c.name, c.source) for c in submission.cells),
    ]:
        exec(compile(text, name, "exec", dont_inherit=True), names)
    return names


@pytest.fixture
def namespace() -> Iterator[dict]:
    """The names of week 1's reference."""
    yield reference_names()
    plt.close("all")


@pytest.mark.filterwarnings("ignore")  # what libraries say of overlays' code
@pytest.mark.parametrize("week", WEEKS)
def test_a_notebook_tells_most_known_mistakes_by_name(week: str) -> None:
    """Of every sixth mistake; an audit asks all of them, and demands nine of ten."""
    assignment = load_assignment(COURSE, week)
    mutants = load_overlays(COURSE.mutants(week), assignment, with_hints=True)
    mutants = [mutant for mutant in mutants if mutant.task not in TRAININGS][::6]
    untold = []
    for mutant, report in visible_reports(COURSE, assignment, mutants):
        assert report._repr_mimebundle_()["text/html"].startswith("<section"), mutant.name
        if why := why_untold(mutant, report):
            untold.append(f"{mutant.name}: {why}")
    assert len(untold) <= 0.15 * len(mutants), untold


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("week", WEEKS)
def test_visible_checks_accept_unusual_right_answers(week: str) -> None:
    """Not those that train: an audit asks them, too."""
    assignment = load_assignment(COURSE, week)
    variants = load_overlays(COURSE.variants(week), assignment, with_hints=False)
    for variant in (one for one in variants if one.task not in TRAININGS):
        report = check.report(variant.task, names_with(week, variant))
        assert report.passed, f"{variant.name}: {report.text}"
    plt.close("all")


@pytest.mark.parametrize("week", WEEKS)
def test_every_visible_check_is_asked(week: str) -> None:
    """One in a file of its own is, if `visible.py` imports it."""
    module = COURSE.module_of_week(week, "visible")
    assert module
    written = {
        node.name
        for path in module.parent.glob("visible*.py")
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.FunctionDef)
        if any(ast.unparse(mark).startswith("visible(") for mark in node.decorator_list)
    }
    tasks = check.tasks_of_week(COURSE.number(week))
    assert written == {one.__name__ for checks in tasks.values() for one in checks}


def test_check_prints_when_right_and_raises_when_wrong(namespace: dict, capsys) -> None:
    exec('check("1.5")', namespace)
    assert "Task 1.5 passes." in capsys.readouterr().out
    namespace["extract_windows"] = lambda images, size, stride: images
    with pytest.raises(CheckFailed, match="must have shape"):
        exec('check("1.5")', namespace)


def test_an_error_in_a_students_function_is_told_with_its_line(namespace: dict) -> None:
    exec("def unseen(height, width):\n    return height / 0\n", namespace)
    text = check.report("1.6", namespace).text
    assert "ZeroDivisionError: division by zero" in text
    assert "line 2, in unseen" in text


def test_checks_leave_no_figure_open(namespace: dict) -> None:
    before = plt.get_fignums()
    check.report("1.7", namespace)
    assert plt.get_fignums() == before


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no task '9\.9'"):
        check("9.9")


@pytest.mark.parametrize("week", WEEKS)
def test_the_release_is_an_untouched_notebook(week: str) -> None:
    released = nbformat.read(COURSE.release(week), as_version=4)
    nbformat.validate(released)
    assert not any(cell.get("outputs") for cell in released.cells)
    text = "\n".join(cell.source for cell in released.cells)
    assert "SOLUTION" not in text
    assert "Marking:" not in text
