"""What students get: whole, the same each time, and nothing in it that is staff's."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from harness import ROOT, run

from detgrader.assignment import load_assignment
from detgrader.authoring import bundle
from detgrader.authoring.leaks import says_something, solution_lines
from detgrader.authoring.source import read
from detgrader.course import Course, CourseError
from detgrader.files import write_json
from detgrader.overlays import load_overlays
from detgrader.reference import reference_notebook

COURSE = Course.find()
SECOND = ROOT / "tests/second_course"
STAFFS = ("nbgrader", "jupytext", "bubblewrap", "pyseccomp", "pytest", "junitparser", "detgrader")


@pytest.fixture(scope="module")
def files() -> bundle.Files:
    """This course's bundle, all weeks of it."""
    return bundle.files_of(COURSE, COURSE.weeks())


@pytest.fixture(scope="module")
def texts(files: bundle.Files) -> dict[str, str]:
    """Its files that are text; of notebooks the cells' sources."""
    found = {}
    for path, content in files.items():
        if path.endswith(".ipynb"):
            cells = nbformat.reads(content, as_version=4).cells
            found[path] = "\n".join(cell.source for cell in cells)
        elif not path.endswith((".npz", ".jpg")):
            found[path] = content.decode("utf-8")
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files under a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def bundled(out: Path, *words: object, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Bundle the second course by the command, in a process whose sets are ordered by a seed."""
    program = Path(sys.executable).with_name("detgrader")
    command = [str(program), "bundle", str(out), *map(str, words)]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    return subprocess.run(
        command, cwd=SECOND, env=environment, capture_output=True, text=True, check=False
    )


def test_every_student_file_is_there(files: bundle.Files) -> None:
    assert {f"{week}.ipynb" for week in COURSE.weeks()} < set(files)
    for week in COURSE.weeks():
        assert files[f"{week}.ipynb"] == COURSE.release(week).read_bytes()
    expected = "README.md LICENSE pyproject.toml uv.lock shared/README.md shared/NOTICE.md"
    expected += " .devcontainer/devcontainer.json .github/workflows/classroom.yml"
    assert set(expected.split()) < set(files)
    assert "shared/detlab/weeks/week1/visible.py" in files
    assert not [path for path in files if "__pycache__" in path]


def test_no_line_of_a_solution_is_in_it(texts: dict[str, str]) -> None:
    public = {line.strip() for text in texts.values() for line in text.splitlines()}
    wrong, seen = [], 0
    for week in COURSE.weeks():
        for cell in read(COURSE, week).cells:
            for number, line in solution_lines(cell):
                if says_something(line):
                    seen += 1
                    wrong += [f"{week}:{number}: {line}"] * (line.strip() in public)
    assert not wrong, "\n".join(wrong)
    assert seen > 500  # solutions were looked for


def test_no_hidden_check_or_mutant_is_in_it(texts: dict[str, str]) -> None:
    public = "\n".join(map(plain, texts.values()))
    modules = [text for path, text in texts.items() if path.endswith(".py")]
    public += "\n".join(plain(ast.unparse(ast.parse(text))) for text in modules)
    pieces = list(hidden_pieces())
    assert len(pieces) > 500  # there was something to look for
    assert not [where for where, code in pieces if plain(code) in public]


def hidden_pieces() -> Iterator[tuple[str, str]]:
    """Yield the body of each function of the hidden checks, and each mutant's code."""
    for path in sorted((ROOT / "autograder/checks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef):
                body = [part for part in node.body if not is_docstring(part)]
                code = "\n".join(map(ast.unparse, body))
                if len(body) > 1:
                    yield f"{path.name}: {node.name}", code
    for week in COURSE.weeks():
        assignment = load_assignment(COURSE, week)
        for mutant in load_overlays(COURSE.mutants(week), assignment, with_hints=True):
            if mutant.code:  # its hint is what students read
                yield mutant.name, mutant.code
            changed = ["\n".join(change.after) for change in mutant.changes]
            yield from ((mutant.name, code) for code in changed if len(code) > 99)  # no mere name


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def plain(text: str) -> str:
    """Return a text without its layout and kinds of quotes."""
    return "".join(text.split()).replace('"', "'")


def test_nothing_of_staffs_is_named_in_it(files: bundle.Files) -> None:
    words = ["detgrader", "detcourse", "autograder", "course.toml", "mutants/", "solutions/"]
    words += [str(ROOT), "BEGIN SOLUTION", "Marking:"]
    wrong = [
        f"{path}: {word}" for path, text in files.items() for word in words if word.encode() in text
    ]
    assert not wrong, "\n".join(wrong)


def test_its_environment_is_the_graders_without_what_is_staffs(files: bundle.Files) -> None:
    """Students work with the very versions that grade them."""

    def versions(lock: bytes) -> dict[str, set[str]]:
        table: dict[str, set[str]] = {}
        for package in tomllib.loads(lock.decode())["package"]:
            table.setdefault(package["name"], set()).add(package.get("version", ""))
        return table

    theirs = versions(files["uv.lock"])
    ours = versions((ROOT / "uv.lock").read_bytes())
    assert {"torch", "torchvision", "jupyterlab", "detlab"} < set(theirs)
    assert not [name for name in theirs for word in STAFFS if name.startswith(word)]
    project = tomllib.loads(files["pyproject.toml"].decode())["project"]["name"]
    assert not {name for name, found in theirs.items() if name != project and found - ours[name]}


def test_its_lock_file_fits_it(files: bundle.Files, tmp_path: Path) -> None:
    uv = shutil.which("uv")
    assert uv, "uv is what the project is run with"
    bundle.write(files, tmp_path / "bundle")
    done = subprocess.run(
        [uv, "lock", "--check", "--offline", "--python", sys.executable],
        cwd=tmp_path / "bundle",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\nrenew it as CONTRIBUTING.md says"


def test_only_chosen_weeks_are_in_it() -> None:
    first = COURSE.weeks()[0]
    files = bundle.files_of(COURSE, [first])
    assert [path for path in files if path.endswith(".ipynb")] == [f"{first}.ipynb"]
    numbers = {path.split("/")[3] for path in files if "/weeks/week" in path}
    assert numbers == {"week1"}
    readme = files["README.md"].decode()
    assert f"- [Week 1 · Sliding windows, twice]({first}.ipynb)" in readme
    assert "week2" not in readme


@pytest.mark.parametrize(
    ("numbers", "weeks"), [("", [1, 2, 3]), ("2", [2]), ("1-2", [1, 2]), (" 3, 1 ", [1, 3])]
)
def test_weeks_are_chosen_by_their_numbers(tmp_path: Path, numbers: str, weeks: list[int]) -> None:
    course = course_of_three(tmp_path)
    assert bundle.chosen(course, numbers) == [f"week{number}_toy" for number in weeks]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [("2-5", "no week 4, 5 in"), ("one", "write them as in 1-5"), ("1-", "write them as")],
)
def test_weeks_that_are_none_are_refused(tmp_path: Path, numbers: str, words: str) -> None:
    with pytest.raises(CourseError, match=words):
        bundle.chosen(course_of_three(tmp_path), numbers)


def course_of_three(root: Path) -> Course:
    for number in (1, 2, 3):
        source = root / f"solutions/week{number}_toy/notebook.py"
        source.parent.mkdir(parents=True)
        source.touch()
    return Course(root)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The second course's bundle, by two runs whose sets are ordered differently."""
    folders = [tmp_path_factory.mktemp("second") / "bundle" for _ in range(2)]
    for seed, folder in enumerate(folders, 1):
        done = bundled(folder, seed=str(seed))
        assert (done.returncode, done.stderr) == (0, "")
    return folders


def test_two_runs_give_the_same_bytes(second: list[Path], tmp_path: Path) -> None:
    files = contents(second[0])
    assert files == contents(second[1])
    archives = [tmp_path / name / "bundle.zip" for name in "ab"]
    for archive in archives:
        bundle.write(dict(sorted(files.items())), archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert packed == {f"bundle/{path}": content for path, content in files.items()}
    assert sorted(path.name for path in archives[0].parent.iterdir()) == ["bundle.zip"]


def test_a_second_course_is_bundled_by_the_same_command(second: list[Path]) -> None:
    files = contents(second[0])
    assert "runlab/runlab/weeks/week1/visible.py" in files
    assert "detlab/detlab/checking/visible.py" in files
    assert b"](week1_runs.ipynb)" in files["README.md"]
    assert not [path for path in files if "runcourse" in path or "solutions" in path]
    assert run("check", second[0] / "week1_runs.ipynb", program="detlab").returncode == 1


def copy_of_second(root: Path) -> Course:
    """Copy the second course, to be damaged."""
    shutil.copytree(SECOND, root / "course", ignore=shutil.ignore_patterns("__pycache__"))
    settings = root / "course/course.toml"
    settings.write_text(settings.read_text("utf-8").replace('"../../shared" = "detlab"', ""))
    return Course(root / "course")


def test_a_line_of_a_solution_in_a_file_stops_it(tmp_path: Path) -> None:
    course = copy_of_second(tmp_path)
    lines = [line for cell in read(course, "week1_runs").cells for _, line in solution_lines(cell)]
    line = next(line.strip() for line in lines if says_something(line) and "(" in line)
    module = course.root / "shared/runlab/lights.py"
    module.write_text(module.read_text("utf-8") + f"\n# {line}\n", "utf-8")
    with pytest.raises(CourseError, match=r"stands in runlab/runlab/lights\.py of the bundle"):
        bundle.files_of(course, ["week1_runs"])


def test_a_link_stops_it(tmp_path: Path) -> None:
    course = copy_of_second(tmp_path)
    (course.root / "handout/answers.py").symlink_to(course.source("week1_runs"))
    with pytest.raises(CourseError, match="is a link"):
        bundle.files_of(course, ["week1_runs"])


def test_a_release_that_is_out_of_date_stops_it(tmp_path: Path) -> None:
    course = copy_of_second(tmp_path)
    release = course.release("week1_runs")
    release.write_text(release.read_text("utf-8").replace("runs", "walks"), "utf-8")
    with pytest.raises(CourseError, match="run `detgrader release week1_runs`"):
        bundle.files_of(course, ["week1_runs"])


def test_what_lies_in_a_folder_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    bundle.write({"a/b.txt": b"1"}, tmp_path)
    assert contents(tmp_path) == {"a/b.txt": b"1"}
    with pytest.raises(CourseError, match="is not an empty folder"):
        bundle.write({"a/b.txt": b"2"}, tmp_path)
    assert contents(tmp_path) == {"a/b.txt": b"1"}


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    done = bundled(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not an empty folder" in done.stderr
    assert bundled(tmp_path / "out", "--weeks", "7").returncode == 2


def git(folder: Path, *words: str) -> None:
    names = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(files: bundle.Files, tmp_path: Path) -> Path:
    """A student's repository, as it was handed out."""
    folder = tmp_path / "repository"
    bundle.write({path: files[path] for path in files if "detlab" not in path}, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "As handed out")
    return folder


def summary(repository: Path) -> tuple[int, str]:
    """Run the workflow's last step, as its file says, on what is committed."""
    workflow: dict[str, Any] = yaml.safe_load(
        (repository / ".github/workflows/classroom.yml").read_text("utf-8")
    )
    step = workflow["jobs"]["check"]["steps"][-1]["run"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    target = repository.parent / "summary.md"
    done = subprocess.run(
        ["bash", "-e", "-c", step],
        cwd=repository,
        env=os.environ | {"PATH": path, "GITHUB_STEP_SUMMARY": str(target)},
        check=False,
    )
    return done.returncode, target.read_text("utf-8")


def test_the_workflow_checks_what_a_student_has_changed(repository: Path) -> None:
    assert summary(repository) == (0, "No notebook differs from how it was handed out.\n")
    (repository.parent / "summary.md").unlink()
    week = COURSE.weeks()[0]
    write_json(repository / f"{week}.ipynb", reference_notebook(COURSE, week))
    git(repository, "commit", "--quiet", "--all", "--message", "Week 1")
    status, text = summary(repository)
    assert status == 0, text
    assert text.startswith(f"### ✅ {week}.ipynb\n\n    Task 1.2 passes.\n")
    assert "8 of 8 tasks pass their visible checks." in text
    (repository / f"{COURSE.weeks()[1]}.ipynb").write_text("# no notebook\n```\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Broken")
    status, text = summary(repository)
    assert status == 1
    assert f"### ❌ {COURSE.weeks()[1]}.ipynb\n\n    error: " in text
