"""Junk in the place of answers: it must earn nothing, and never break a check.

Each submission is the reference with one kind of junk laid over it, in the place of all names that
a task's answer defines, or of one. What is left right lets a check go on to its later questions.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detgrader.assignment import Assignment, Task
from detgrader.audit.kinds import HELPERS, PLAIN, TWISTED, Kind
from detgrader.grading.orders import Order
from detgrader.grading.results import Status, SubmissionResult
from detgrader.grading.tasks import TaskChecks
from detgrader.intake import Submission

ALL = "all names"
EARLIER = "all names of earlier tasks"
# Of the plain kinds a single name gets these, and so many others: which ones, its hash decides.
TELLING = ("None", "a tensor of no dimension", "what agrees with everything")
OTHERS = 4
TWISTED_EACH = 5
# A function that is right at first lets a check get used to it.
TURNING = (2, 5)
# Tasks that train or measure hand over whole data sets before they ask for anything.
KINDS_OF_TRAININGS = 6


@dataclass(frozen=True)
class Name:
    """Something that an answer defines at top level, or a method of such a class.

    Attributes:
        path: for example "Net" or "Net.forward".
        callable: whether it is a function, class or method, not a variable.
    """

    path: str
    callable: bool


@dataclass(frozen=True)
class Junk:
    """A submission with junk in it.

    Attributes:
        task: label of the task that is graded.
        name: what is replaced.
        kind: by what, and since when.
        order: to be graded.
        all_of_task: whether nothing of the task's own is left, so that it must earn nothing.
    """

    task: str
    name: str
    kind: str
    order: Order
    all_of_task: bool


def orders(
    reference: Submission, assignment: Assignment, tasks: Mapping[str, TaskChecks]
) -> list[Junk]:
    """Build the submissions with junk for a week's tasks.

    Args:
        tasks: the collected checks, by label.
    """
    made: list[Junk] = []
    earlier: list[Name] = []
    previous = None
    for task in assignment.tasks:
        if not (task.points and task.code_cells and task.label in tasks):
            continue
        builder = Builder(reference, task, tasks[task.label].runs_once)
        names = names_of(builder.source)
        made += [*builder.of_all(names), *builder.of_each(names)]
        if previous and not builder.costly:
            made += builder.of_earlier(previous, earlier)
        earlier += [name for name in names if "." not in name.path]
        previous = task
    return made


def names_of(source: str) -> list[Name]:
    """List what a cell defines at top level, and the methods of its classes."""
    found: dict[str, Name] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = Name(node.name, True)
        elif isinstance(node, ast.ClassDef):
            methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            paths = [node.name, *(f"{node.name}.{method}" for method in methods)]
            found |= {path: Name(path, True) for path in paths}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = [x.id for target in targets for x in ast.walk(target) if type(x) is ast.Name]
            found |= {name: Name(name, False) for name in named}
    return list(found.values())


class Builder:
    """Builds the submissions with junk for one task.

    Args:
        costly: whether the task trains or measures.
    """

    def __init__(self, reference: Submission, task: Task, costly: bool):
        self.reference = reference
        self.task = task
        self.costly = costly
        cells = [cell.source for cell in reference.cells if cell.name in task.code_cells]
        self.source = "\n\n".join(cells)

    def of_all(self, names: Sequence[Name]) -> Iterable[Junk]:
        """Replace all names of the task by one kind, each in turn."""
        kinds = some(PLAIN, KINDS_OF_TRAININGS, self.task.label) if self.costly else PLAIN
        own = [name for name in names if "." not in name.path]
        for kind in kinds:
            yield self.junk(ALL, kind.name, [plain(name, kind) for name in own], whole=True)

    def of_each(self, names: Sequence[Name]) -> Iterable[Junk]:
        """Replace one name, while the others stay right.

        Of a task that trains nothing is twisted, nor right at first: such a training would run for
        minutes before the junk shows.
        """
        telling = [kind for kind in PLAIN if kind.name in TELLING]
        others = [kind for kind in PLAIN if kind.name not in TELLING]
        for name in names:
            chosen = [*telling, *some(others, OTHERS, name.path)]
            alone = len(names) == 1  # then all names are this one
            for kind in [] if alone else chosen:
                yield self.junk(name.path, kind.name, [plain(name, kind)])
            if self.costly:
                continue
            for kind in some(TWISTED, TWISTED_EACH, name.path):
                yield self.junk(name.path, f"the right answer {kind.name}", [twisted(name, kind)])
            if name.callable:
                for call, kind in zip(TURNING, some(PLAIN, len(TURNING), name.path), strict=True):
                    words = f"{kind.name} from call {call} on"
                    yield self.junk(name.path, words, [turning(name, kind, call)])

    def of_earlier(self, previous: Task, names: Sequence[Name]) -> Iterable[Junk]:
        """Replace all that earlier tasks define, while the task's own answer stays right."""
        for kind in some(PLAIN, 2, self.task.label):
            code = [plain(name, kind) for name in names]
            yield self.junk(EARLIER, kind.name, code, cell=previous.code_cells[-1])

    def junk(
        self, name: str, kind: str, code: Sequence[str], whole: bool = False, cell: str = ""
    ) -> Junk:
        """Lay code over the reference.

        Args:
            cell: whose end it goes to; by default the task's last.
        """
        cell = cell or self.task.code_cells[-1]
        submission = copy.copy(self.reference)
        submission.student = f"{self.task.label} {name}: {kind}"
        submission.cells = [
            replace(one, source="\n\n".join([one.source, HELPERS, *code]))
            if one.name == cell
            else one
            for one in self.reference.cells
        ]
        order = Order(submission, frozenset({self.task.label}))
        return Junk(self.task.label, name, kind, order, whole)


def some(kinds: Sequence[Kind], count: int, salt: str) -> list[Kind]:
    """Choose kinds by hash: always the same ones for a name, others for other names."""
    digests = {kind: hashlib.sha256(f"{salt} {kind.name}".encode()).digest() for kind in kinds}
    return sorted(kinds, key=digests.__getitem__)[:count]


def plain(name: Name, kind: Kind) -> str:
    """Write code that puts junk in the place of a name, or of what it returns."""
    if not name.callable:  # what cannot be made is missing
        return f"""\
given = []
try:
    {name.path} = {kind.text}
except Exception:
    del {name.path}"""
    return wrapper(name, f"return {kind.text}")


def twisted(name: Name, kind: Kind) -> str:
    """Write code that changes what a name is, or returns."""
    if not name.callable:
        return f"{name.path} = _twisted({name.path}, {kind.text})"
    return wrapper(name, f"return _twisted(right(*own, *arguments, **named), {kind.text})")


def turning(name: Name, kind: Kind, call: int) -> str:
    """Write code by which a function is right until some call, then returns junk."""
    body = f"""\
calls.append(None)
    if len(calls) < {call}:
        return right(*own, *arguments, **named)
    return {kind.text}"""
    return wrapper(name, body, "calls = []")


def wrapper(name: Name, body: str, before: str = "pass") -> str:
    """Write code that replaces a function, class or method by a function with some body.

    Its parameters seem to be those of the right one, so that it is called by their names.
    """
    own = "own, arguments = arguments[:1], arguments[1:]" if "." in name.path else "own = ()"
    return f"""\
def _replaced(right):
    {before}
    @_functools.wraps(right, updated=())
    def junk(*arguments, **named):
        {own}
        given = [*arguments, *named.values()]
        {body.replace(chr(10) + "    ", chr(10) + "        ")}
    return junk


{name.path} = _replaced({name.path})"""


def judge(junk: Junk, result: SubmissionResult) -> str | None:
    """Say what is wrong with how junk fared, or nothing.

    A fault of the grader is told with its traceback, from the staff's log.
    """
    where = f"{junk.task}, {junk.kind} in the place of {junk.name}"
    task = next(one for one in result.tasks if one.task == junk.task)
    if task.status is Status.GRADER_ERROR:
        return f"{where}: a check broke\n" + "\n".join(result.log)
    if junk.all_of_task and task.score > 0:
        return f"{where}: earns {task.score:g} of {task.max_score:g} points"
    odd = sorted({c for c in task.message if not c.isprintable() and c != "\n"})
    if odd:
        return f"{where}: the message holds {', '.join(map(ascii, odd))}"
    return None
