"""Read files of checks without running them: which checks there are, and what they ask for.

A release runs nothing of a course; and what pytest would find out only while it collects, or
never, is told here by file and line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from detgrader.authoring.mark_syntax import Mark, Reader
from detgrader.authoring.source import Problem
from detgrader.course import Course
from detgrader.grading import marks

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Check:
    """A hidden check with its marks, its own before those of its file; or a visible check."""

    function: Function
    marks: list[Mark]

    def marks_named(self, name: str) -> list[Mark]:
        """Return its marks of one name, sound or not."""
        return [mark for mark in self.marks if mark.name == name]


@dataclass
class CheckFile:
    """A file of checks or of their helpers; `problems` is what is wrong with it by itself."""

    file: str
    tree: ast.Module
    checks: list[Check] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def note(self, line: int, text: str) -> None:
        """Note a problem at a line of this file."""
        self.problems.append(Problem(self.file, line, text))


def read_file(course: Course, path: Path) -> CheckFile:
    """Parse a file; one that is no Python has a problem and holds nothing."""
    found = CheckFile(course.display(path), ast.Module([], []))
    try:
        found.tree = ast.parse(path.read_bytes())
    except SyntaxError as fault:
        found.note(fault.lineno or 1, f"does not parse: {fault.msg}; mend it")
    except ValueError:  # Python before 3.12
        found.note(1, "does not parse: it holds a null byte; mend it")
    return found


def read_hidden(course: Course, path: Path) -> CheckFile:
    """Read a file of hidden checks, `test_*.py`."""
    found = read_file(course, path)
    if found.problems:
        return found
    reader = Reader(found.tree)
    for line, text in reader.faults():
        found.note(line, text)
    first: dict[str, int] = {}
    for node in found.tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found.note(node.lineno, f"{node.name} is a class; write checks as plain functions")
        elif isinstance(node, Function) and node.name.startswith("test"):  # as pytest collects
            check = Check(node, [*reader.of_function(node), *reader.of_file()])
            found.checks.append(check)
            _note_faults(found, check, first)
        elif isinstance(node, Function) and reader.of_function(node):
            text = f"{node.name} has marks but is no check; begin its name with test_"
            found.note(node.lineno, text)
    if not found.checks:
        found.note(1, "no check in this file; write one as a function test_…, or rename the file")
    return found


def _note_faults(found: CheckFile, check: Check, first: dict[str, int]) -> None:
    """Note what is wrong with a check; `first` has the lines of the checks before it."""
    name, line = check.function.name, check.function.lineno
    if name in first:
        text = f"a second {name}, which takes the place of that in line {first[name]}; rename one"
        found.note(line, text)
    first.setdefault(name, line)
    labels = [mark.arguments[0] if mark.arguments else "" for mark in check.marks_named("task")]
    documented = bool(ast.get_docstring(check.function))
    for text in marks.faults_of_check(name, documented, _strangers(check), labels):
        found.note(line, text)


def read_helper(course: Course, path: Path) -> CheckFile:
    """Read a module beside hidden checks; a check in it would never run."""
    found = read_file(course, path)
    for node in found.tree.body:
        if not isinstance(node, Function) or not node.name.startswith("test_"):
            continue
        if any(argument.arg == "student" for argument in node.args.args):
            text = f"{node.name} is never run here: files of checks are named test_*.py; rename one"
            found.note(node.lineno, text)
    return found


def read_visible(course: Course, path: Path) -> CheckFile:
    """Read a week's visible checks: functions decorated with `@visible("1.5")`."""
    found = read_file(course, path)
    functions = [node for node in found.tree.body if isinstance(node, Function)]
    for node in functions:
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(
                    func=ast.Name(id="visible"), args=[ast.Constant(value=str(label))], keywords=[]
                ):
                    mark = Mark("visible", decorator.lineno, (label,))
                    found.checks.append(Check(node, [mark]))
                    documented = bool(ast.get_docstring(node))
                    for text in marks.faults_of_check(node.name, documented, (), (label,)):
                        found.note(node.lineno, text)
                case ast.Call(func=ast.Name(id="visible")) | ast.Name(id="visible"):
                    found.note(decorator.lineno, 'write the plain label: @visible("1.5")')
    return found


def task_marks(check: Check) -> Iterator[Mark]:
    """Yield the sound task marks of a check."""
    yield from (mark for mark in check.marks_named("task") if not mark.fault)


def asked(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each name that a file asks the student for, and the line.

    These are `student.NAME`, `student.fetch("NAME")` and `getattr(student, "NAME")`.
    """
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(value=ast.Name(id="student"), attr=name)
                | ast.Call(
                    func=ast.Attribute(value=ast.Name(id="student"), attr="fetch"),
                    args=[ast.Constant(value=str(name))],
                )
                | ast.Call(
                    func=ast.Name(id="getattr"),
                    args=[ast.Name(id="student"), ast.Constant(value=str(name)), *_],
                )
            ):
                yield name, node.lineno


def asked_tools(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each NAME of a `student.tool("NAME", …)`, and the line."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="student"), attr="tool"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name, node.lineno


def _strangers(check: Check) -> list[str]:
    """Return what pytest cannot fill in: arguments that are no fixture and are not parametrized."""
    arguments = check.function.args
    plain = arguments.posonlyargs + arguments.args
    plain = plain[: len(plain) - len(arguments.defaults)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    needed = [*plain, *(argument for argument, default in named if default is None)]
    known = list(marks.FIXTURES)
    for mark in check.marks_named("parametrize"):
        names = mark.options.get("argnames", next(iter(mark.arguments), ""))
        if not isinstance(names, str | list | tuple):  # pytest will know
            return []
        known += names.replace(",", " ").split() if isinstance(names, str) else names
    return [argument.arg for argument in needed if argument.arg not in known]
