"""Build the toy course and hand in toy submissions."""

from __future__ import annotations

import json
from pathlib import Path

from attacks.toys import WEEK, Attack, course_files
from detgrader.authoring import release
from detgrader.course import Course
from detgrader.reference import reference_notebook
from detlab.checking.labels import answer_id

REPOSITORY = Path(__file__).resolve().parents[2]


def build_course(root: Path) -> Course:
    """Write the toy course and release its week."""
    for name, text in course_files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    course = Course(root)
    release.write(course, WEEK)
    return course


def solved_notebook(course: Course) -> dict:
    """Return the release with the right answers in it."""
    return reference_notebook(course, WEEK)


def notebook_with(solved: dict, answers: dict[str, str], helper: str = "") -> dict:
    """Return a copy of a notebook with other answers, and a cell that the student added on top."""
    notebook = json.loads(json.dumps(solved))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    if helper:
        added = {"cell_type": "code", "source": helper, "metadata": {}, "outputs": []}
        notebook["cells"].insert(0, added | {"execution_count": None})
    return notebook


def attacked_notebook(course: Course, solved: dict, attack: Attack, canary: Path) -> dict:
    """Return an attack's notebook: right answers to all tasks but the attacked one."""
    code = attack.code.replace("CANARY", str(canary)).replace("COURSE", str(course.root))
    code = code.replace("REPOSITORY", str(REPOSITORY))
    name = answer_id(attack.task)
    right = next(cell["source"] for cell in solved["cells"] if cell["id"] == name)
    answer = f"{right}\n\n{code}" if attack.honest else code
    notebook = notebook_with(solved, {name: answer}, attack.helper)
    if attack.edit:
        attack.edit(notebook)
    return notebook


def hand_in(notebook: dict, path: Path) -> Path:
    """Write a notebook to a file; text that is not Unicode is written as JSON's escapes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
