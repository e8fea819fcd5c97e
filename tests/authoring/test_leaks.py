"""A line of a solution must not stand in the release, wherever and however disguised."""

from __future__ import annotations

import nbformat
import pytest

from detgrader.authoring import release
from detgrader.authoring.leaks import says_something

WEEK = "week1_toy"
SOURCE = f"solutions/{WEEK}/notebook.py"
CHECKS = "autograder/checks/week1"


BOX = "box = [0, 0, 2, 4]"
AREA = "    return width * (box_xyxy[3] - box_xyxy[1])"
WIDTH = "    width = box_xyxy[2] - box_xyxy[0]"


@pytest.mark.parametrize(
    ("old", "new", "cell"),
    [
        (BOX, f"{BOX}\n{WIDTH.strip()}", "cell_1_3_1"),
        (BOX, f"{BOX}\n# {WIDTH.strip()}", "cell_1_3_1"),
        (BOX, f"{BOX}\nwidth=box_xyxy[2]-box_xyxy[0]  # the same", "cell_1_3_1"),
        ("# # A toy week", f"# # A toy week\n#\n#     {WIDTH.strip()}", "text_intro_1"),
        ("# # A toy week", f"# # A toy week\n# So `{WIDTH.strip()}` it is.", "text_intro_1"),
        ("def area(box_xyxy):", f"def area(box_xyxy):\n{WIDTH}  # given", "task_1_3_area"),
    ],
    ids=["code", "comment", "other spacing", "story", "inline code", "outside its region"],
)
def test_a_line_of_a_solution_in_the_release_is_refused(old, new, cell, edit, refusal):
    text = edit(SOURCE, old, new)
    line = 1 + text[: text.index(WIDTH + "\n    return")].count("\n")
    assert refusal() == [
        f"{SOURCE}:{line}: this line of the solution stands in cell {cell} of the release: "
        f"{WIDTH.strip()!r}; reword one of the two"
    ]


WIDE = "    return sum([box_xyxy[2] * box_xyxy[3], box_xyxy[0] * box_xyxy[1]], start=0)"
WRAPPED = """\
    return sum(
        [
            box_xyxy[2] * box_xyxy[3],  # far
            box_xyxy[0] * box_xyxy[1],
        ],
        start=0,
    )"""


SPLIT = WIDE.replace("return ", "return \\\n        ")


def disguised(code: str, mark: str) -> str:
    return "\n".join(f"{mark} {line}" for line in code.splitlines())


@pytest.mark.parametrize(
    ("solved", "shown"),
    [
        (WIDE, (BOX, f"def try_it(box_xyxy):\n{WRAPPED}\n\n\n{BOX}")),
        (WIDE, (BOX, f"def try_it(box_xyxy):\n{SPLIT}\n\n\n{BOX}")),
        (WIDE, (BOX, f"{disguised(WRAPPED, '#')}\n{BOX}")),
        (WIDE, ("# # A toy week", f"# # A toy week\n#\n{disguised(WRAPPED, '#')}")),
        (WIDE, ("# # A toy week", f"# # A toy week\n#\n{disguised(WRAPPED, '# >')}")),
        (WRAPPED, (BOX, f"# {WIDE.strip()}\n{BOX}")),
        (WRAPPED, ("# # A toy week", f"# # A toy week\n# So `{WIDE.strip()}` it is.")),
    ],
    ids=[
        "code",
        "backslash",
        "comment",
        "story",
        "quotation",
        "wrapped solution",
        "wrapped, inline code",
    ],
)
def test_a_statement_is_the_same_however_it_is_wrapped(solved, shown, edit, refusal):
    edit(SOURCE, AREA, solved)
    text = edit(SOURCE, *shown)
    line = 1 + text[: text.rindex(solved)].count("\n")
    problems = refusal()
    place = f"{SOURCE}:{line}: this {'line' if solved == WIDE else 'statement'} of the solution"
    assert any(p.startswith(f"{place} stands in cell ") for p in problems), problems


def test_code_within_a_sentence_may_go_on_in_its_next_line(edit, refusal):
    old, new = "width = box_xyxy[2] -", "box_xyxy[0]"
    edit(SOURCE, "# # A toy week", f"# # A toy week\n#\n# So `{old}\n# {new}` it is.")
    [problem] = refusal()
    assert (
        "stands in cell text_intro_1 of the release: 'width = box_xyxy[2] - box_xyxy[0]'" in problem
    )


RENAMED = {
    "other variables": "high = wide * (corners[3] - corners[1])",
    "in a comment": "# area = w * (b[3] - b[1])",
    "wrapped as well": "area = (\n    w\n    * (b[3] - b[1])\n)",
    "as an argument of a loop": "for b in ():\n    w * (b[3] - b[1])",
}


@pytest.mark.parametrize("shown", RENAMED.values(), ids=RENAMED)
def test_a_statement_is_the_same_with_other_variables(shown, edit, refusal):
    text = edit(SOURCE, BOX, f"{BOX}\n{shown}")
    [problem] = refusal()
    line = 1 + text[: text.index(AREA)].count("\n")
    assert problem.startswith(
        f"{SOURCE}:{line}: this statement of the solution stands, but for its names, in cell "
    )


@pytest.mark.parametrize(
    "shown",
    [
        "side = corners[2] - corners[0] - corners[1]",  # another computation
        "high = wide * (corners[1] - corners[3])",  # other constants
        "high = wide * (corners[3] + corners[1])",  # another operation
        "high = wide * (wide[3] - wide[1])",  # two variables are one
        "high = abs(corners[3] - corners[1])",
        "side = corners[3]",
    ],
)
def test_another_statement_of_the_kind_is_no_leak(toy_course, shown, edit):
    edit(SOURCE, BOX, f"{BOX}\n\n\ndef play(corners, wide):\n    {shown}")
    release.build(toy_course, WEEK)


def test_what_is_short_may_be_met_with_other_names(toy_course, edit):
    edit(SOURCE, WIDTH, "    width = box_xyxy[2] - 1")  # four steps
    edit(SOURCE, BOX, f"{BOX}\nlast = box[2] - 1")
    release.build(toy_course, WEEK)


def test_functions_and_modules_are_no_variables(toy_course, edit, refusal):
    edit(SOURCE, "def check(label):", "import math\n\n\ndef check(label):")
    edit(SOURCE, WIDTH, "    width = math.hypot(box_xyxy[2] - 1, box_xyxy[0] - 1)")
    edit(SOURCE, BOX, f"{BOX}\n\n\ndef f(other):\n    other.hypot(box[2] - 1, box[0] - 1)")
    release.build(toy_course, WEEK)
    edit(SOURCE, "other.hypot(", "math.hypot(")
    assert "but for its names" in refusal()[0]


def test_an_everyday_line_of_a_solution_may_stand_in_the_release(toy_course, edit):
    edit(SOURCE, BOX, f"{BOX}\n\n\ndef double(total):\n    total = 2 * total\n    return total")
    release.build(toy_course, WEEK)


def test_a_line_of_a_written_answer_in_the_release_is_refused(edit, refusal):
    prose = "Addition commutes, so the order does not matter."
    text = edit(SOURCE, "# # A toy week", f"# # A toy week\n#\n# > {prose}")
    [problem] = refusal()
    line = 1 + text[: text.rindex(prose)].count("\n")
    assert problem.startswith(f"{SOURCE}:{line}: this line of the solution stands in cell text_in")


@pytest.mark.parametrize("place", ["output", "cell metadata", "notebook metadata"])
def test_leaks_are_looked_for_beside_the_text_too(place, monkeypatch, refusal):
    class Spoil:
        """A step gone wrong: it writes the answer where nobody reads."""

        def preprocess(self, notebook, resources):
            cell = notebook.cells[1]
            if place == "output":
                cell.outputs = [nbformat.v4.new_output("stream", text=WIDTH)]
            else:
                (cell if place == "cell metadata" else notebook).metadata.note = {"x": [WIDTH]}
            return notebook, resources

    monkeypatch.setattr(release, "STEPS", (*release.STEPS, Spoil))
    [problem] = refusal()
    assert ("the notebook's metadata" if place == "notebook metadata" else "cell setup") in problem


@pytest.mark.parametrize(
    "line",
    [
        "import torch.nn.functional as F",
        "from torch import nn, Tensor",
        "return None",
        "return predictions",
        "loss.backward()",
        "optimizer.zero_grad()",
        "with torch.no_grad():",
        "for images, targets in loader:",
        "def forward(self, images):",
        "class Net(nn.Module):",
        "kernel_size=3,",
        "else:  # otherwise",
        "a = b*c + 1",
        "keep_the_box = None",
        "keep_the_box = True",
        "# a hint",
        ")])  # ......",
    ],
)
def test_what_everybody_writes_is_no_leak(line):
    assert not says_something(line)


@pytest.mark.parametrize(
    "line",
    [
        "return boxes[:, 2:]",
        "return width * height",
        "for row in range(height):",
        "elif overlap > 0.5:",
        "stride_px = 16",
        "a = b*c + 12",
        "padding_px = 0",
        "nn.Conv2d(1, 32, 5, stride=2),",
        "# because both share their weights",
        "x = net.head(features)",
    ],
)
def test_what_gives_an_answer_is_a_leak(line):
    assert says_something(line)
