"""A small class of week 1, made from the course itself and graded for real.

Four submissions: the reference, the untouched stub, one with mistakes that learners
make, and one that tries to cheat.
"""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from detgrader import source
from detgrader.assignment import load_assignment
from detgrader.course import Course
from detgrader.overlays import lay_over, load_overlays, reference_submission

WEEK = "week1_sliding_window"
MISTAKES = ("windows_column_by_column", "ratio_upside_down", "dilation_ignored")

# What a cheat might try, one trick in the place of each answer. None has any effect.
TRICKS = {
    "task_1_2": '''\
class Agreeable:
    """Equal to whatever it is compared with."""

    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return Agreeable()

    def __call__(self, *arguments):
        return Agreeable()


def build_network():
    return Agreeable()
''',
    "task_1_3": """\
import builtins
import torch

torch.allclose = torch.equal = lambda *arguments, **options: True
builtins.AssertionError = type("Quiet", (BaseException,), {})


def linear_to_conv(linear, in_shape):
    return linear
""",
    "task_1_4": """\
from pathlib import Path

solution = [path.read_text() for path in Path("/").glob("**/solutions/*/notebook.py")][0]
exec(solution)
""",
    "task_1_5": """\
import os

os.system("echo '{\\"score\\": 100}' > results.json")
""",
    "task_1_6": """\
import os


def difference_norm(net, twin, images, size, stride):
    os._exit(0)
""",
    "task_1_7": """\
import urllib.request


def time_both(net, twin, sides):
    return urllib.request.urlopen("http://127.0.0.1:9/answers").read()
""",
    "task_1_8": """\
coincide = {"conv": (float("nan"), True), "pool": (float("inf"), True)}
""",
    "task_1_9": """\
def window_grid(layers, input_size):
    while True:
        pass
""",
}


def build_class(course: Course, folder: Path) -> list[Path]:
    """Write the four submissions into a folder and return their paths."""
    released = nbformat.read(course.release(WEEK), as_version=4)
    solved = source.read(course, WEEK).notebook()
    assignment = load_assignment(course, WEEK)
    mutants = {o.name: o for o in load_overlays(course.mutants(WEEK), assignment, with_hints=True)}
    mistaken = reference_submission(course, assignment)
    for name in MISTAKES:
        mistaken = lay_over(mistaken, mutants[name], assignment)
    notebooks = {
        "reference": solved,
        "untouched": released,
        "mistaken": with_code(solved, {cell.name: cell.source for cell in mistaken.cells}),
        "hostile": with_code(released, TRICKS),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return [folder / f"{name}.ipynb" for name in notebooks]


def with_code(notebook: NotebookNode, code: dict[str, str]) -> NotebookNode:
    """Return a copy whose answer cells hold other code, by grade id."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in code:
            cell.source = code[grade_id]
    return notebook


def explanation(folder: Path) -> list[str]:
    """Say what the four are."""
    return [
        f"Four submissions of {WEEK}, written to {folder}:",
        "  reference   the course's own solution",
        "  untouched   the notebook as students get it",
        f"  mistaken    mistakes that learners make: {', '.join(MISTAKES)}",
        "  hostile     a trick in the place of each answer",
        "",
    ]
