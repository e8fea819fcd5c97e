"""Whose a notebook is: every platform's layout names the student, no file's name does."""

from __future__ import annotations

from pathlib import Path

import pytest

from detgrader.assignment import names_week
from detgrader.classroom.handed_in import merged
from detgrader.classroom.layouts import HandIn, Layout, Weeks, read_layout
from detgrader.course import CourseError

WEEK = "week1_sliding"
WEEKS = Weeks(WEEK, ("week2_boxes", "week10_more"))


def folder_of(root: Path, *names: str, name: str = "class") -> Path:
    """Make empty files; a name that ends with a slash is a folder."""
    for each in names:
        path = root / name / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if each.endswith("/") else path.touch()
    return root / name


def graded(layout: Layout) -> dict[str, str]:
    """Return, by student, the name of the notebook that is the likeliest; "" if there is none."""
    return {
        one.student: next((path.name for path in one.notebooks(WEEKS)), "")
        for one in layout.hand_ins
    }


@pytest.mark.parametrize(
    ("name", "is_week"),
    [
        (WEEK, True),
        (f"{WEEK} (1)", True),
        (f"{WEEK}-Copy1", True),
        (f"{WEEK} - Copy (2)", True),
        ("Week1-Sliding_v2", True),
        (f"{WEEK}-2", True),
        ("week1", False),
        (f"{WEEK}_ada", False),
        ("week11_sliding", False),
    ],
)
def test_a_copys_mark_is_no_name(name: str, is_week: bool) -> None:
    assert names_week(name, WEEK) is is_week


def test_nbgraders_folders(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        f"ada/{WEEK}/{WEEK}.ipynb",
        f"ada/{WEEK}/timestamp.txt",
        "ada/week2_boxes/week2_boxes.ipynb",
        f"bob/{WEEK}/{WEEK} (1).ipynb",
        f"bob/{WEEK}/.ipynb_checkpoints/{WEEK}-checkpoint.ipynb",
    )
    assert graded(read_layout(folder, WEEKS)) == {
        "ada": f"{WEEK}.ipynb",
        "bob": f"{WEEK} (1).ipynb",
    }
    assert graded(read_layout(folder / "ada", WEEKS)) == {"ada": f"{WEEK}.ipynb"}
    assert graded(read_layout(folder / "ada" / WEEK, WEEKS)) == {"ada": f"{WEEK}.ipynb"}


def test_a_class_of_one_is_named_as_it_will_be_in_a_class_of_many(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "ada/answer.ipynb")
    assert graded(read_layout(folder, WEEKS)) == {"ada": "answer.ipynb"}
    folder_of(tmp_path, "bob/answer.ipynb")
    assert set(graded(read_layout(folder, WEEKS))) == {"ada", "bob"}
    flat = folder_of(tmp_path, "ada.ipynb", name="flat")
    assert set(graded(read_layout(flat, WEEKS))) == {"ada"}


def test_a_folder_for_each_whatever_they_call_their_files(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        "ada/final final.ipynb",
        f"bob/{WEEK}-Copy1.ipynb",
        "bob/numpy.py",
        "carl/deep/down/answer.ipynb",
        "dora/answer.pdf",
        "week2_boxes/week2_boxes.ipynb",
    )
    assert graded(read_layout(folder, WEEKS)) == {
        "ada": "final final.ipynb",
        "bob": f"{WEEK}-Copy1.ipynb",
        "carl": "answer.ipynb",
        "dora": "",
    }


@pytest.mark.parametrize("flat", [True, False])
def test_moodles_download(tmp_path: Path, flat: bool) -> None:
    glue = "_" if flat else "/"
    folder = folder_of(
        tmp_path,
        f"Ada Lovelace_4711_assignsubmission_file{glue}mine.ipynb",
        f"Ana_Bell Ünlü_4712_assignsubmission_file{glue}{WEEK}.ipynb",
        "Bob Ng_4713_assignsubmission_onlinetext.html",
    )
    layout = read_layout(folder, WEEKS)
    assert layout.name == "Moodle's download"
    assert [(one.student, one.known_as) for one in layout.hand_ins] == [
        ("Ada Lovelace", ("4711", "Participant 4711")),
        ("Ana_Bell Ünlü", ("4712", "Participant 4712")),
        ("Bob Ng", ("4713", "Participant 4713")),
    ]
    assert [len(one.notebooks(WEEKS)) for one in layout.hand_ins] == [1, 1, 0]


def test_canvas_download(tmp_path: Path) -> None:
    weights = "lovelaceada_LATE_4711_99888_week1_sliding-1.safetensors"
    folder = folder_of(
        tmp_path,
        "lovelaceada_LATE_4711_99887_week1-2.ipynb",
        weights,
        "ngbob_4712_99901_my_own_name.ipynb",
        "leekim_4713_99902_a.ipynb",
        "leekim_4714_99903_a.ipynb",
        "zoe_4715_99904_answers.pdf",
    )
    layout = read_layout(folder, WEEKS)
    assert layout.name == "Canvas's download"
    assert list(graded(layout)) == ["leekim (4713)", "leekim (4714)", "lovelaceada", "ngbob", "zoe"]
    ada = layout.hand_ins[2]
    assert ada.known_as[0] == "4711"
    assert ada.weights_for(ada.notebooks(WEEKS)[0], WEEKS) == folder / weights


def test_small_numbers_in_names_are_the_students_own(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "ada_1_2_mine.ipynb", "ada_1_3_mine.ipynb", "bob_1_2_mine.ipynb")
    assert list(graded(read_layout(folder, WEEKS))) == [
        "ada_1_2_mine",
        "ada_1_3_mine",
        "bob_1_2_mine",
    ]


METADATA = """\
---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '4711'
    :email: ada@school.org
  :created_at: 2026-03-01 10:00:00.5 Z
submission_102:
  :submitters:
  - :name: Bob
    :email: bob@school.org
  - :name: Cy
    :email: cy@school.org
"""


def test_gradescopes_export(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "submission_101/a.ipynb", "submission_102/sub/b.ipynb")
    layout = read_layout(tmp_path, WEEKS)  # the zip has a folder around it
    assert list(graded(layout)) == ["submission_101", "submission_102"]
    (folder / "submission_metadata.yml").write_text(METADATA, "utf-8")
    layout = read_layout(folder, WEEKS)
    assert graded(layout) == {
        "ada@school.org": "a.ipynb",
        "bob@school.org": "b.ipynb",
        "cy@school.org": "b.ipynb",
    }
    assert layout.hand_ins[0].known_as == ("4711", "Ada Lovelace")


@pytest.mark.parametrize("text", ["a: [", "!!python/object:os.system {}", "\0", "- 1\n- 2"])
def test_a_damaged_list_of_submitters_is_told_or_left_alone(tmp_path: Path, text: str) -> None:
    folder = folder_of(tmp_path, "submission_101/a.ipynb")
    (folder / "submission_metadata.yml").write_text(text, "utf-8")
    if text.startswith("-"):
        assert list(graded(read_layout(folder, WEEKS))) == ["submission_101"]
    else:
        with pytest.raises(CourseError, match=r"submission_metadata.* cannot be read"):
            read_layout(folder, WEEKS)


def test_clones_are_named_without_the_assignment(tmp_path: Path) -> None:
    by_week = folder_of(tmp_path, f"week1-sliding-ada-l/{WEEK}.ipynb", "week1-sliding-bob/x.ipynb")
    assert set(graded(read_layout(by_week, WEEKS))) == {"ada-l", "bob"}
    name = "hw-one-submissions"
    by_folder = folder_of(tmp_path, "hw-one-ada/a.ipynb", "hw-one-bob/b.ipynb", name=name)
    assert set(graded(read_layout(by_folder, WEEKS))) == {"ada", "bob"}
    common = folder_of(tmp_path, "hw1-ada/a.ipynb", "hw1-bob/x.ipynb", name="others")
    assert set(graded(read_layout(common, WEEKS))) == {"hw1-ada", "hw1-bob"}  # folders of any kind
    folder_of(tmp_path, "hw1-ada/.git/HEAD", "hw1-bob/.git/HEAD", name="others")
    assert set(graded(read_layout(common, WEEKS))) == {"ada", "bob"}
    folder_of(tmp_path, "week1-sliding-bob/.git/HEAD")
    assert set(graded(read_layout(by_week / "week1-sliding-bob", WEEKS))) == {"bob"}


@pytest.mark.parametrize("around", ["", "downloads/"])
@pytest.mark.parametrize("beside", [(), ("week2-submissions/week2-ada/x.ipynb",)])
def test_the_folder_around_clones_is_no_clone(
    tmp_path: Path, around: str, beside: tuple[str, ...]
) -> None:
    """`gh classroom` puts the clones of ASSIGNMENT into ASSIGNMENT-submissions."""
    names = [f"{WEEK}-submissions/{WEEK}-{student}/{WEEK}.ipynb" for student in ("ada", "bob")]
    folder_of(tmp_path, *(f"{around}{name}" for name in (*names, *beside)), name="class")
    assert set(graded(read_layout(tmp_path / "class", WEEKS))) == {"ada", "bob"}


def test_of_several_notebooks_the_released_name_comes_first(tmp_path: Path) -> None:
    names = [f"old/{WEEK}.ipynb", f"{WEEK} (1).ipynb", f"{WEEK}.ipynb", "scratch.ipynb"]
    ada = HandIn("ada", [tmp_path / name for name in names])
    assert [str(path.relative_to(tmp_path)) for path in ada.notebooks(WEEKS)] == [
        names[2],
        names[0],
        names[1],
        names[3],
    ]


def test_what_is_named_later_comes_first(tmp_path: Path) -> None:
    early, late = tmp_path / "a" / f"{WEEK}.ipynb", tmp_path / "b" / "again.ipynb"
    weights = early.with_suffix(".safetensors")
    (ada,) = merged([HandIn("ada", [early, weights]), HandIn("ada", [late])])
    assert ada.notebooks(WEEKS) == [late, early]
    assert ada.weights_for(early, WEEKS) == weights
    assert ada.weights_for(late, WEEKS) is None


def test_a_folder_that_may_be_a_class_or_a_student_is_an_error(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, f"{WEEK}.ipynb", "ada.ipynb", "bob.ipynb")
    with pytest.raises(CourseError, match=r"week1_sliding.ipynb beside ada.ipynb: whose is it\?"):
        read_layout(folder, WEEKS)


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "bob/answer.ipynb", "eve/own.ipynb")
    (folder / "ada").symlink_to(folder / "bob")
    (folder / "eve" / "more").symlink_to(folder / "bob")
    layout = read_layout(folder, WEEKS)
    assert {one.student: one.files for one in layout.hand_ins} == {
        "ada": [folder / "ada"],
        "bob": [folder / "bob" / "answer.ipynb"],
        "eve": [folder / "eve" / "own.ipynb"],
    }
