"""What is released, how a release is compared with its source, and what nbgrader says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from detgrader.authoring import release
from detgrader.authoring.source import read
from detgrader.course import CourseError
from detgrader.reference import reference_notebook

WEEK = "week1_toy"
SOURCE = f"solutions/{WEEK}/notebook.py"
CHECKS = "autograder/checks/week1"


def cells(content: bytes) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.reads(content, as_version=4).cells}


def test_release_is_a_valid_notebook_with_complete_metadata(toy_course):
    notebook = nbformat.reads(release.build(toy_course, WEEK), as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.detlab == {"assignment": WEEK, "weeks": "toylab.weeks"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"detlab", "kernelspec", "language_info"}
    flags = {
        cell.id: tuple(cell.metadata.nbgrader[key] for key in ("grade", "solution", "locked"))
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }
    assert flags == {
        "setup": (False, False, True),
        "task_1_1": (False, True, False),
        "check_1_1": (True, False, True),
        "task_1_2": (True, True, False),
        "cell_1_3_1": (False, False, True),
        "task_1_3_area": (False, True, False),
        "check_1_3": (True, False, True),
    }
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            keys = {"grade", "grade_id", "locked", "schema_version", "solution", "task"}
            keys |= {"cell_type", "checksum"} | ({"points"} if flags[cell.id][0] else set())
            assert set(cell.metadata.nbgrader) == keys
            assert cell.metadata.nbgrader.grade_id == cell.id
            assert cell.metadata.deletable is False
            assert ("editable" in cell.metadata) == flags[cell.id][2]


def test_stub_names_its_task_and_stands_where_the_solution_stood(toy_course):
    released = cells(release.build(toy_course, WEEK))
    assert released["task_1_3_area"].source == (
        'def area(box_xyxy):\n    """Return the area."""\n    # Your code for task 1.3\n'
        '    raise NotImplementedError("task 1.3: replace this line with your answer")'
    )
    assert released["task_1_2"].source == "*Your answer to task 1.2: replace this line.*"


@pytest.mark.parametrize("form", ["### {}", "<!-- ### {} -->"])
def test_text_outside_a_hand_marked_region_stays(toy_course, edit, form):
    prose = "Addition commutes, so the order does not matter."
    begin, end = form.format("BEGIN SOLUTION"), form.format("END SOLUTION")
    edit(SOURCE, f"# {prose}", f"# **Because** …\n#\n# {begin}\n# {prose}\n# {end}")
    released = cells(release.build(toy_course, WEEK))["task_1_2"].source
    assert released == "**Because** …\n\n*Your answer to task 1.2: replace this line.*"
    solved = {name: cell.source for name, cell in solved_cells(toy_course).items()}
    assert solved["task_1_2"] == f"**Because** …\n\n{prose}"


def solved(course):
    release.write(course, WEEK)
    return nbformat.from_dict(reference_notebook(course, WEEK))


def solved_cells(course):
    return {cell.id: cell for cell in solved(course).cells}


def test_steps_are_nbgraders_own_in_nbgraders_order():
    from nbgrader.converters import GenerateAssignment

    theirs = [step.__name__ for step in GenerateAssignment.preprocessors.default_args[0]]
    ours = [step.__name__.replace("Labelled", "") for step in release.STEPS]
    # The first two would add text, the third needs a gradebook. nbgrader judges and sums the
    # cells twice, before and after saving them there; once will do.
    for step in ("IncludeHeaderFooter", "InstantiateTests", "SaveCells"):
        theirs.remove(step)
    for step in ("CheckCellMetadata", "ComputeChecksums"):
        theirs.remove(step)
    assert ours == theirs


def test_two_builds_are_byte_identical(toy_course):
    first = release.build(toy_course, WEEK)
    script = (
        "import sys, pathlib\n"
        "from detgrader.authoring import release; from detgrader.course import Course\n"
        f"sys.stdout.buffer.write(release.build(Course(pathlib.Path(sys.argv[1])), {WEEK!r}))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, str(toy_course.root)],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(toy_course.root / "shared")},
        check=True,
        capture_output=True,
    )
    assert release.build(toy_course, WEEK) == first == other.stdout
    assert first.endswith(b"}\n")
    assert not first.endswith(b"\n\n")
    assert json.dumps(json.loads(first), sort_keys=True) == json.dumps(json.loads(first))


def test_ids_survive_an_insertion_in_another_task_and_of_another_kind(toy_course, edit):
    before = cells(release.build(toy_course, WEEK))
    edit(
        SOURCE,
        '\ncheck("1.1")\n',
        '\ncheck("1.1")\n\n# %%\nspare = 1\n\n# %% [markdown]\n# A word.\n',
    )
    edit(SOURCE, "# %%\nbox =", "# %% [markdown]\n# A word.\n\n# %%\nbox =")
    after = cells(release.build(toy_course, WEEK))
    assert set(after) - set(before) == {"cell_1_1_1", "text_1_1_2", "text_1_3_2"}
    assert {name: after[name] for name in before} == before


def test_magics_are_allowed_in_given_cells_only(toy_course, edit, refusal):
    edit(SOURCE, "# %%\nbox =", "# %%\n# %matplotlib inline\nbox =")
    assert "%matplotlib inline" in cells(release.build(toy_course, WEEK))["cell_1_3_1"].source
    edit(SOURCE, "    total =", "# %time\n    total =")
    [problem] = refusal()
    assert problem.startswith(f"{SOURCE}:28: does not parse")


def test_source_notebook_keeps_markers_and_cell_lines(toy_course):
    source = read(toy_course, WEEK)
    text = toy_course.source(WEEK).read_text(encoding="utf-8").splitlines()
    for cell in source.cells:
        assert text[cell.line - 1].startswith("# %%")
        for number, line in cell.lines():
            assert text[number - 1].removeprefix("#").strip() == line.strip()
    assert "### BEGIN SOLUTION" in source.notebook().cells[3].source
    assert [(h.label, h.title, h.points) for h in source.headings] == [
        ("1.1", "Add two numbers", 60),
        ("1.2", "Say why", 10),
        ("1.3", "Area of a box", 30),
    ]


def test_check_accepts_what_write_wrote(toy_course):
    path = release.write(toy_course, WEEK)
    assert path == toy_course.root / "assignments" / WEEK / f"{WEEK}.ipynb"
    assert path.read_bytes() == release.build(toy_course, WEEK)
    release.check(toy_course, WEEK)


def test_check_names_each_cell_that_differs(toy_course, edit):
    release.write(toy_course, WEEK)
    edit(SOURCE, "box = [0, 0, 2, 4]", "box = [0, 0, 2, 5]")
    edit(SOURCE, "# # A toy week\n", "# # A toy week\n\n# %% [markdown]\n# More.\n")
    edit(SOURCE, '"task_1_3_area"', '"task_1_3_size"')
    before = toy_course.release(WEEK).read_bytes()
    with pytest.raises(CourseError) as error:
        release.check(toy_course, WEEK)
    where = f"assignments/{WEEK}/{WEEK}.ipynb: "
    assert str(error.value).splitlines() == [
        where + "cell task_1_3_area is no longer in the source",
        where + "cell text_intro_2 is missing",
        where + "cell cell_1_3_1 differs in metadata, source",
        where + "cell task_1_3_size is missing",
        f"run `detgrader release {WEEK}` and commit the result",
    ]
    assert toy_course.release(WEEK).read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: None, "has not been built"),
        (lambda text: "{", "is not a notebook of ours"),
        (lambda text: "[]", "is not a notebook of ours"),
        (lambda text: text + "\n", "the same notebook in other bytes"),
        (lambda text: text.replace("week1_toy", "week2"), "the notebook's metadata differs"),
        (lambda text: _swap_cells(text), "the cells stand in another order"),
    ],
)
def test_check_says_what_is_wrong_with_the_file(toy_course, spoil, words):
    path = release.write(toy_course, WEEK)
    text = spoil(path.read_text(encoding="utf-8"))
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=f"{WEEK}.ipynb: {words}\nrun `detgrader release {WEEK}`"):
        release.check(toy_course, WEEK)


def _swap_cells(text: str) -> str:
    notebook = json.loads(text)
    notebook["cells"].reverse()
    return json.dumps(notebook)


def test_a_refused_build_leaves_the_old_release_alone(toy_course, edit):
    path = release.write(toy_course, WEEK)
    before = path.read_bytes()
    edit(SOURCE, "def add(first, second):", "def add(first, second:")
    with pytest.raises(CourseError):
        release.write(toy_course, WEEK)
    assert path.read_bytes() == before


@pytest.fixture
def nbgrader(tmp_path):
    """Run nbgrader in a course of its own, with nothing of the user's configuration."""
    folder = tmp_path / "nbgrader"
    folder.mkdir()
    homes = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    env = {**os.environ, **{name: str(tmp_path / name.lower()) for name in homes}}
    (tmp_path / "home").mkdir()
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"  # it calls alembic

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=folder,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    run.folder = folder
    return run


def put(notebook: nbformat.NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def test_slow_nbgrader_validates_the_solved_notebook_and_fails_the_release(toy_course, nbgrader):
    put(solved(toy_course), nbgrader.folder / "solved" / "a.ipynb")
    put(
        nbformat.reads(release.build(toy_course, WEEK), as_version=4),
        nbgrader.folder / "released" / "a.ipynb",
    )
    assert "Success! Your notebook passes all the tests." in nbgrader("validate", "solved/a.ipynb")
    failing = nbgrader("validate", "released/a.ipynb")
    assert "VALIDATION FAILED ON 3 CELL(S)!" in failing
    assert "You did not provide a response." in failing
    assert "task 1.1: replace this line with your answer" in failing


def test_slow_nbgrader_takes_the_source_and_grades_both_notebooks(toy_course, nbgrader):
    folder, built = nbgrader.folder, nbformat.reads(release.build(toy_course, WEEK), as_version=4)
    put(read(toy_course, WEEK).notebook(), folder / "source" / WEEK / f"{WEEK}.ipynb")
    put(solved(toy_course), folder / "submitted" / "ada" / WEEK / f"{WEEK}.ipynb")
    put(built, folder / "submitted" / "bob" / WEEK / f"{WEEK}.ipynb")
    nbgrader("generate_assignment", WEEK)
    nbgrader("autograde", WEEK)

    theirs = nbformat.read(folder / "release" / WEEK / f"{WEEK}.ipynb", as_version=4)
    for cell, ours in zip(theirs.cells, built.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):  # the stub, and so its checksum
            assert cell.metadata.nbgrader.pop("checksum") != ours.metadata.nbgrader.pop("checksum")
            cell.source = ours.source
        assert cell == ours

    nbgrader("export")
    rows = (folder / "grades.csv").read_text(encoding="utf-8").splitlines()
    header = rows[0].split(",")
    grades = {}
    for row in rows[1:]:
        values = dict(zip(header, row.split(","), strict=True))
        grades[values["student_id"]] = float(values["raw_score"]), float(values["max_score"])
    assert grades == {"ada": (90.0, 100.0), "bob": (0.0, 100.0)}
