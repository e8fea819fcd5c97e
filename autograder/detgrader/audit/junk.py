"""Junk in the place of answers: it must earn nothing, and never break a check.

Each submission is the reference with one kind of junk laid over it, in the place of all names that
a task's answer defines, or of one: what is left right lets a check go on to its later questions.
Workers run them, as they run a student's. `detgrader.audit.replays` goes deeper, without any.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from detgrader.assignment import Task
from detgrader.audit.cases import Case, CaseBuilder, Kind
from detgrader.audit.kinds import HELPERS, PLAIN, TWISTED, Junk, some, some_of
from detgrader.audit.statements import statements_of
from detgrader.audit.touched import spread
from detgrader.grading.tasks import TaskChecks
from detgrader.sandbox.limits import Limits

ALL = "all names"
EARLIER = "all names of earlier tasks"
# Of the plain kinds a single name gets these, and so many others.
TELLING = ("None", "a tensor of no dimension", "what agrees with everything")
OTHERS = 3
TWISTED_OF_NAME = 3
# Where a task takes longer than most by its limit, a single name gets so many kinds in all.
OF_HEAVY = 3
# So many kinds are what all earlier tasks define.
OF_EARLIER = 2
# A function is right before this call: the check is used to it by then.
TURNING = (2, 5)
# Names that are no functions any more.
UNCALLABLE = 2
# A task that trains or measures hands over whole data sets before it asks for anything.
KINDS_OF_TRAININGS = 5
# What tools ask of a network, and a class of the student's may answer otherwise: of each class two.
INHERITED = ("parameters", "named_parameters", "modules", "state_dict", "train", "eval")
INHERITED_EACH = 2
# And each of these so many plain kinds, and so many twisted ones.
OF_INHERITED = 2


@dataclass(frozen=True)
class Name:
    """Something that an answer defines at top level, or a method of such a class.

    Attributes:
        path: for example "Net" or "Net.forward".
        callable: whether it is a function, class or method, not a variable.
        inherited: whether the answer leaves it to torch.
    """

    path: str
    callable: bool = True
    inherited: bool = False

    @property
    def is_method(self) -> bool:
        """Whether it belongs to a class."""
        return "." in self.path


def cases(builder: CaseBuilder, labels: Collection[str]) -> Iterator[Case]:
    """Yield all submissions with junk for some of a week's tasks."""
    earlier: list[Name] = []
    cells: list[str] = []
    for task in builder.tasks:
        junk = TaskJunk(builder, task)
        names = names_of(junk.source)
        if task.label in labels:
            yield from junk.of_all(names)
            yield from junk.of_each(names)
            if earlier and not junk.checks.runs_once:
                yield from junk.of_earlier(earlier, cells[-1])
        earlier += [name for name in names if not name.is_method]
        cells += task.code_cells


def names_of(source: str) -> list[Name]:
    """List what a cell defines at top level, and the methods of its classes."""
    found: dict[str, Name] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = Name(node.name)
        elif isinstance(node, ast.ClassDef):
            own = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            found |= {path: Name(path) for path in (node.name, *(f"{node.name}.{m}" for m in own))}
            if any("Module" in ast.unparse(base) for base in node.bases):
                others = [f"{node.name}.{m}" for m in some_of(INHERITED, INHERITED_EACH, node.name)]
                found |= {path: Name(path, inherited=True) for path in {*others} - found.keys()}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = [part for target in targets for part in ast.walk(target)]
            names = [part for part in parts if isinstance(part, ast.Name)]
            variables = [one.id for one in names if isinstance(one.ctx, ast.Store)]
            found |= {name: Name(name, callable=False) for name in variables}
    return list(found.values())


class TaskJunk:
    """Builds the submissions with junk for one task."""

    def __init__(self, builder: CaseBuilder, task: Task):
        self.builder = builder
        self.reference = builder.reference
        self.task = task
        self.checks = builder.checks[task.label]
        cells = [cell.source for cell in self.reference.cells if cell.name in task.code_cells]
        self.source = "\n\n".join(cells)
        self.statements = [
            one for cell in self.reference.cells for one in statements_of(cell.source)
        ]

    def of_all(self, names: Sequence[Name]) -> Iterator[Case]:
        """Replace all names of the task by one kind, each in turn."""
        own = [name for name in names if not name.is_method]
        costly = self.checks.runs_once
        for kind in some(PLAIN, KINDS_OF_TRAININGS, self.task.label) if costly else PLAIN:
            yield self.junk(ALL, kind.name, [plain(name, kind) for name in own])
        for kind in some(PLAIN, UNCALLABLE, self.task.label):
            code = [assigned(name, kind) for name in own]
            yield self.junk(ALL, f"{kind.name}, no function,", code)

    def of_each(self, names: Sequence[Name]) -> Iterator[Case]:
        """Replace one name, while the others stay right."""
        heavy = is_heavy(self.checks)
        for name in names:
            if self.checks.runs_once and not name.callable:
                continue  # an alias in an annotation, say, and the training would be the right one
            codes = dict(self.of_name(name, alone=len(names) == 1))
            for kind in some_of(codes, OF_HEAVY, name.path) if heavy else codes:
                yield self.junk(name.path, kind, [codes[kind]], asked=self.looking_at([name]))

    def of_name(self, name: Name, alone: bool) -> Iterator[tuple[str, str]]:
        """Yield kinds of junk for a name, each with the code that puts it in its place.

        In a task that trains, nothing is twisted, and nothing right at first: it would train for
        minutes before the junk shows.

        Args:
            alone: whether the task has no other.
        """
        path = name.path
        telling = [kind for kind in PLAIN if kind.name in TELLING]
        others = [kind for kind in PLAIN if kind.name not in TELLING]
        kinds = some(PLAIN, OF_INHERITED, path)
        if not name.inherited:
            kinds = [] if alone else [*telling, *some(others, OTHERS, path)]
        for kind in kinds:
            yield kind.name, plain(name, kind)
        if self.checks.runs_once:
            return
        for kind in some(TWISTED, OF_INHERITED if name.inherited else TWISTED_OF_NAME, path):
            yield f"the right answer {kind.name}", twisted(name, kind)
        if name.callable and not name.inherited:
            for call, kind in zip(TURNING, some(PLAIN, len(TURNING), path, "at"), strict=True):
                yield f"from call {call} on {kind.name}", turning(name, kind, call)

    def looking_at(self, names: Iterable[Name]) -> frozenset[str]:
        """Return the keys of the task's checks whose answers hang on some names; else of all."""
        touched = spread({name.path.partition(".")[0] for name in names}, self.statements)
        reach_of = self.builder.inputs.reach_of
        checks = [one for one in self.checks.checks if touched.reaches(reach_of(one).mentions)]
        return frozenset(check.key for check in checks) or self.keys

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all of the task's checks."""
        return self.builder.keys_of(self.task.label)

    def of_earlier(self, names: Sequence[Name], cell: str) -> Iterator[Case]:
        """Replace all that earlier tasks define, while the task's own answer stays right.

        Args:
            cell: the last of the earlier tasks.
        """
        for kind in some(PLAIN, OF_EARLIER, self.task.label, "earlier"):
            code = [plain(name, kind) for name in names]
            yield self.junk(EARLIER, kind.name, code, asked=self.looking_at(names), cell=cell)

    def junk(
        self,
        name: str,
        kind: str,
        code: Sequence[str],
        asked: frozenset[str] = frozenset(),
        cell: str = "",
    ) -> Case:
        """Lay code over the reference.

        Args:
            asked: keys of the checks that may see it; without any nothing of the task's answer is
                left, but weights that were handed in.
            cell: whose end the code goes to; by default the task's last.
        """
        last = cell or self.task.code_cells[-1]
        cells = [
            replace(one, source="\n\n".join([one.source, HELPERS, *code]))
            if one.name == last
            else one
            for one in self.reference.cells
        ]
        return Case(
            Kind.JUNK,
            f"{kind} in the place of {name}",
            replace(self.reference, cells=cells),
            {self.task.label: asked or self.keys},
            self.task.label,
            # A second run would be asked the same, but that with earlier tasks' junk left out,
            # their right stand-ins are.
            alone=not cell,
            whole=not asked and not self.checks.weights_of,
        )


def is_heavy(checks: TaskChecks) -> bool:
    """Say whether a task takes longer than most, by its limit."""
    return checks.limits.cpu_s > Limits().cpu_s


def assigned(name: Name, kind: Junk) -> str:
    """Write code that puts junk in the place of a name; what cannot be made is missing."""
    return f"""\
given = []
try:
    {name.path} = {kind.text}
except Exception:
    del {name.path}"""


def plain(name: Name, kind: Junk) -> str:
    """Write code that puts junk in the place of what a name is, or returns."""
    return wrapper(name, f"return {kind.text}") if name.callable else assigned(name, kind)


def twisted(name: Name, kind: Junk) -> str:
    """Write code that changes what a name is, or returns."""
    if not name.callable:
        return f"{name.path} = _twisted({name.path}, {kind.text})"
    return wrapper(name, f"return _twisted(right(*own, *arguments, **named), {kind.text})")


def turning(name: Name, kind: Junk, call: int) -> str:
    """Write code by which a function is right before some call, and then returns junk."""
    body = f"""\
calls.append(None)
if len(calls) < {call}:
    return right(*own, *arguments, **named)
return {kind.text}"""
    return wrapper(name, body)


def wrapper(name: Name, body: str) -> str:
    """Write code that replaces a function, class or method by a function with some body.

    Its parameters seem to be the right one's, so that checks call it as they call that.
    """
    own = "own, arguments = arguments[:1], arguments[1:]" if name.is_method else "own = ()"
    return f"""\
def _replaced(right):
    calls = []
    @_functools.wraps(right, updated=())
    def junk(*arguments, **named):
        {own}
        given = [*arguments, *named.values()]
{textwrap.indent(body, " " * 8)}
    return junk


{name.path} = _replaced({name.path})"""
