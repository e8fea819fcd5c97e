"""A result holds as long as all that it depends on is as it was: one test for each input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks.toys import WEEK
from audit.toys import CHECKS, MUTANTS, NOTEBOOK, VARIANTS, build, edit, mutant, overlay, write
from audit.toys import builder_of as builder

from detgrader.audit import inputs
from detgrader.audit.audit import SECRET
from detgrader.audit.cases import Case, Selection
from detgrader.audit.ledger import Ledger
from detgrader.audit.reuse import Store
from detgrader.authoring import release
from detgrader.course import Course
from detgrader.grading.results import CheckResult, Status, SubmissionResult, TaskResult

MEASURED = """
locate = "sets:locate"
"""
SETS = """\
def locate(name, folder):
    return folder / name
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return build(
        tmp_path / "course",
        {
            f"{MUTANTS}/wrong.py": mutant("1.1", "def add(first, second):\n    return 0"),
            f"{MUTANTS}/doubles.py": mutant("1.1", "def doubled(number):\n    return 3 * number"),
            f"{VARIANTS}/backwards.py": overlay(
                "1.1", "def add(first, second):\n    return second + first"
            ),
        },
    )


class Known:
    """The results of an audit that found everything as it must be."""

    def __init__(self, course: Course):
        self.course = course
        self.path = course.root / "results.json"
        ledger, cases = self.ledger(), self.cases()
        for errand in ledger.errands(cases.values()):
            ledger.take(errand, as_it_must_be(ledger, errand.case, errand.labels))
        ledger.store.write()
        assert not list(ledger.errands(cases.values()))

    def cases(self) -> dict[str, Case]:
        """Return the submissions as they are now."""
        return {case.name: case for case in builder(self.course).build(Selection())}

    def ledger(self, secret: str = SECRET, fresh: bool = False) -> Ledger:
        """Return what is known now."""
        return Ledger(Store(self.path), builder(self.course).inputs, secret, fresh)

    def to_grade(self, **options: object) -> dict[str, set[str]]:
        """Return what must be graded now: by submission, the labels of tasks."""
        found: dict[str, set[str]] = {}
        for errand in self.ledger(**options).errands(self.cases().values()):  # type: ignore[arg-type]
            found.setdefault(errand.case.name, set()).update(errand.labels)
        return found


def as_it_must_be(ledger: Ledger, case: Case, labels: tuple[str, ...]) -> SubmissionResult:
    """Return results of which an audit has nothing to say: mutants and stubs fail all checks."""
    tasks, checks = [], {}
    for label in labels:
        lost = case.kind == "stub" or (case.kind == "mutant" and label == case.task)
        status = Status.FAILED if lost else Status.PASSED
        points = ledger.points[label]
        tasks.append(TaskResult(label, "", points * (not lost), points, status))
        keys = ledger.inputs.of_checks[label]
        checks[label] = [CheckResult(key, "", status) for key in keys]
    return SubmissionResult(case.name, "", None, tasks, checks=checks)


ALL = {"1.1", "1.2", "1.3", "1.4"}
EVERYTHING = {
    "reference": ALL,
    "stub": ALL,
    "subtracts": {"1.1"},
    "wrong": {"1.1"},
    "doubles": {"1.1", "1.2"},
    "backwards": {"1.1"},
}


@pytest.fixture
def known(course: Course) -> Known:
    return Known(course)


def test_everything_holds_while_nothing_changes(known: Known) -> None:
    assert known.to_grade() == {}


def test_nothing_holds_where_nothing_is_to_be_reused(known: Known) -> None:
    assert known.to_grade(fresh=True) == EVERYTHING


def test_another_secret_is_another_audit(known: Known) -> None:
    assert known.to_grade(secret="other") == EVERYTHING


def test_a_variant_that_changed_is_graded_again_and_the_mutants_of_its_task(
    known: Known, course: Course
) -> None:
    """For a mistake is asked under every variant before its hint is shown."""
    edit(course, f"{VARIANTS}/backwards.py", "second + first", "first + second")
    names = ("backwards", "wrong", "subtracts", "doubles")
    assert known.to_grade() == {name: {"1.1"} for name in names}


def test_a_mutant_that_changed_may_change_the_hints_of_its_task(
    known: Known, course: Course
) -> None:
    edit(course, f"{MUTANTS}/wrong.py", "return 0", "return 1")
    mutants = ("wrong", "subtracts", "doubles")
    assert known.to_grade() == {name: {"1.1"} for name in mutants}
    edit(course, f"{MUTANTS}/wrong.py", "return 1", "return 0")
    edit(course, f"{MUTANTS}/wrong.py", "Is that so?", "Is that really so?")
    assert set(known.to_grade()) == set(mutants)


def test_a_cell_of_the_reference_is_part_of_its_task_and_of_later_ones(
    known: Known, course: Course
) -> None:
    edit(course, NOTEBOOK, "return first + second", "return second + first")
    all_but_the_stub = {name: EVERYTHING[name] for name in EVERYTHING if name != "stub"}
    assert known.to_grade() == all_but_the_stub
    edit(course, NOTEBOOK, "return second + first", "return first + second")
    edit(course, NOTEBOOK, "order = sorted", "order  = sorted")
    assert known.to_grade() == {"reference": {"1.4"}}


def test_the_setup_cell_is_part_of_everything(known: Known, course: Course) -> None:
    edit(
        course,
        NOTEBOOK,
        "from torch import Tensor, nn\n",
        "from torch import Tensor, nn\n\nNEW = 1\n",
    )
    release.write(course, WEEK)
    assert known.to_grade() == EVERYTHING


def test_a_check_is_part_of_its_task(known: Known, course: Course) -> None:
    edit(course, f"{CHECKS}/test_1_4.py", "torch.rand(6", "torch.rand(7")
    assert known.to_grade() == {"reference": {"1.4"}, "stub": {"1.4"}}


def test_limits_are_part_of_a_task(known: Known, course: Course) -> None:
    edit(course, f"{CHECKS}/test_1_2.py", "cpu_s=1", "cpu_s=2")
    assert known.to_grade() == {"reference": {"1.2"}, "stub": {"1.2"}, "doubles": {"1.2"}}


def test_a_check_that_is_new_or_gone_is_a_change(known: Known, course: Course) -> None:
    path = course.root / CHECKS / "test_1_3.py"
    text = path.read_text("utf-8")
    write(path, f'{text}\n\ndef test_more(student):\n    "More."\n')
    assert known.to_grade() == {"reference": {"1.3"}, "stub": {"1.3"}}
    write(path, text)
    assert known.to_grade() == {}


def test_stand_ins_are_part_of_all_tasks_but_the_first(known: Known, course: Course) -> None:
    edit(course, f"{CHECKS}/stand_ins.py", "first + second", "second + first")
    assert known.to_grade() == {
        "reference": ALL - {"1.1"},
        "stub": ALL - {"1.1"},
        "doubles": {"1.2"},
    }


def test_the_settings_of_the_sandbox_are_part_of_everything(known: Known, course: Course) -> None:
    edit(course, "course.toml", '"detlab.sets"]', '"detlab.sets", "detlab.digits"]')
    assert known.to_grade() == EVERYTHING


def test_installed_versions_are_part_of_everything(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "environment", lambda: ["another torch"])
    assert known.to_grade() == EVERYTHING


def test_python_and_what_is_installed_are_named() -> None:
    found = inputs.environment()
    assert sys.version in found
    assert any(one.startswith("torch-") for one in found)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Write files of packages that can be imported."""
    for name in ("sets", "helpers", "given"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "packages").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "packages")

    def put(files: dict[str, str]) -> None:
        for name, text in files.items():
            write(tmp_path / "packages" / name, text)

    return put


def test_the_engine_is_part_of_everything(
    course: Course, packages: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages({"helpers/__init__.py": "", "helpers/engine.py": "from helpers import part\n"})
    packages({"helpers/part.py": "LENGTH = 1\n"})
    monkeypatch.setattr(inputs, "ENGINE", (*inputs.ENGINE, "helpers.engine"))
    known = Known(course)
    packages({"helpers/part.py": "LENGTH = 2\n"})
    assert known.to_grade() == EVERYTHING


def test_what_the_cells_import_of_the_course_is_part_of_everything(
    course: Course, packages: Callable
) -> None:
    packages({"given/__init__.py": "", "given/tools.py": "def plot(): pass\n"})
    edit(
        course,
        NOTEBOOK,
        "from torch import Tensor, nn\n",
        "from torch import Tensor, nn\nfrom given import tools\n",
    )
    release.write(course, WEEK)
    known = Known(course)
    packages({"given/tools.py": "def plot(): print()\n"})
    assert known.to_grade() == EVERYTHING


def test_files_beside_the_modules_are_part_of_everything(
    course: Course, packages: Callable
) -> None:
    packages({"helpers/__init__.py": "def right(): pass\n", "helpers/data/digits.txt": "1\n"})
    edit(
        course,
        f"{CHECKS}/test_1_2.py",
        "import torch\n",
        "import torch\nfrom helpers import right\n",
    )
    edit(course, f"{CHECKS}/test_1_2.py", "    factor = 2", "    right()\n    factor = 2")
    known = Known(course)
    packages({"helpers/data/digits.txt": "2\n"})
    assert known.to_grade() == EVERYTHING


def test_what_a_check_imports_of_the_course_is_part_of_its_task(
    course: Course, packages: Callable
) -> None:
    packages(
        {"helpers/__init__.py": "", "helpers/truth.py": "def right(): pass\ndef other(): pass\n"}
    )
    line = "import torch\nfrom helpers.truth import right\n"
    edit(course, f"{CHECKS}/test_1_2.py", "import torch\n", line)
    edit(course, f"{CHECKS}/test_1_2.py", "    factor = 2", "    right()\n    factor = 2")
    known = Known(course)
    packages({"helpers/truth.py": "def right(): pass\ndef other(): print()\n"})
    assert known.to_grade() == {}
    packages({"helpers/truth.py": "def right(): print()\ndef other(): pass\n"})
    assert known.to_grade() == {"reference": {"1.2"}, "stub": {"1.2"}, "doubles": {"1.2"}}


def test_weights_and_data_are_part_of_what_measures_them(
    course: Course, packages: Callable
) -> None:
    packages({"sets.py": SETS})
    edit(course, "course.toml", 'name = "A toy"\n', f'name = "A toy"\n{MEASURED}')
    task = 'pytest.mark.task("1.4", points=10.0),\n'
    edit(
        course,
        f"{CHECKS}/test_1_4.py",
        task,
        f'{task}    pytest.mark.weights("apples", max_mb=1),\n',
    )
    weights = course.source(WEEK).with_name(f"{WEEK}.safetensors")
    write(weights, "first")
    write(course.data / "apples" / "1.txt", "one")
    known = Known(course)
    write(weights, "second")
    assert known.to_grade() == {"reference": {"1.4"}}
    write(weights, "first")
    write(course.data / "apples" / "2.txt", "two")
    assert known.to_grade() == {"reference": {"1.4"}, "stub": {"1.4"}}


def test_the_file_tells_nobody_the_secret_and_is_the_staffs(known: Known) -> None:
    assert known.path.stat().st_mode & 0o777 == 0o600
    ledger = known.ledger(secret="a secret of ours")
    (errand, *_) = ledger.errands(known.cases().values())
    ledger.take(errand, as_it_must_be(ledger, errand.case, errand.labels))
    ledger.store.write()
    assert "a secret of ours" not in known.path.read_text("utf-8")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 0}', '{"schema": 1, "records": {"a": 1}}']
)
def test_a_file_that_cannot_be_read_is_none(known: Known, text: str) -> None:
    known.path.write_text(text, "utf-8")
    assert known.to_grade() == EVERYTHING
