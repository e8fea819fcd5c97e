"""What a class's results rest on besides what was handed in, as hashes.

An audit asks this for each check, to grade as little as it can. For a class it is asked for all of
a week: whoever changes a check wants all students graded by it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import detgrader
from detgrader.course import SETTINGS, Course, package_folder
from detgrader.fingerprints import digest, environment, is_own, set_of_data, tree_digest
from detgrader.intake import Submission

# The engine's parts that a result does not hang on.
OTHER_ROOMS = ("audit", "authoring", "classroom")
OTHER_MODULES = ("cli.py", "demo.py", "doctor.py", "stopping.py", "__main__.py")
# What people are told has changed.
WORDS = {
    "notebook": "its notebook",
    "weights": "its weights",
    "release": "the release",
    "checks": "the checks",
    "hints": "known mistakes",
    "course": "the course's packages",
    "engine": "the grader",
    "environment": "installed packages",
    "data": "the images to measure on",
    "secret": "the secret",
}


def basis_of(course: Course, week: str, secret: str) -> dict[str, str]:
    """Return a hash of each thing that all results of a week rest on, by `WORDS`' keys."""
    checks = course.checks(week)
    return {
        "release": tree_digest([course.release(week)]),
        "checks": tree_digest([checks]),
        "hints": tree_digest([course.mutants(week), course.source(week)]),
        "course": tree_digest([course.root / SETTINGS, *own_packages(course, checks)]),
        "engine": tree_digest(engine_files()),
        "environment": digest(environment()),
        "data": digest([set_of_data(course, name) for name in sorted(sets_named(checks))]),
        "secret": digest(secret),
    }


def handed_in(submission: Submission) -> dict[str, str]:
    """Return hashes of what a student handed in."""
    weights = tree_digest([submission.weights]) if submission.weights else ""
    return {"notebook": submission.sha256 or "", "weights": weights}


def own_packages(course: Course, checks: Path) -> list[Path]:
    """List the folders of the packages that checks and students' code may use, less libraries'."""
    settings = course.settings
    names = [*settings.sandbox.visible, *settings.sandbox.hidden_packages, *imports_of(checks)]
    names += [settings.weeks, settings.locate.partition(":")[0]]
    roots = sorted({name.partition(".")[0] for name in names} - {"", "detgrader"})
    folders = [folder for root in roots if (folder := package_folder(root))]
    return [folder for folder in folders if is_own(folder / "__init__.py")]


def imports_of(folder: Path) -> Iterator[str]:
    """Yield the names of the modules that the files of a folder import."""
    for node in nodes_of(folder):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sets_named(checks: Path) -> set[str]:
    """Return the sets of data that marks `weights(NAME)` name."""
    return {
        argument.value
        for node in nodes_of(checks)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == "weights"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def nodes_of(folder: Path) -> Iterator[ast.AST]:
    """Yield all syntax of a folder's files; what is no Python is told where it is imported."""
    for path in sorted(folder.glob("*.py")):
        try:
            yield from ast.walk(ast.parse(path.read_bytes()))
        except (SyntaxError, ValueError):
            continue


def engine_files() -> list[Path]:
    """List the engine's files and rooms that a result hangs on."""
    package = Path(detgrader.__file__).parent
    entries = [path for path in package.iterdir() if path.name not in OTHER_MODULES]
    rooms = [path for path in entries if path.name not in (*OTHER_ROOMS, "__pycache__")]
    return sorted([*rooms, package / "classroom" / "job.py"])
