"""What a hidden check is made of: its marks, their arguments, and its fixtures.

`task` names a check's task and the task's points, `weight` the check's share of them. What
`limits`, `forbid`, `needs` and `weights` say holds for the whole task; tasks with one of the last
two run once. Of the fixtures, `rng` is a check's own generator, `task_rng` one that is the same
for all checks of its task, `names` what the task's source mentions, `weights_file` what was handed
in (a `HandedIn`), and `tell_staff` takes a remark for the staff's log.

One table serves all who read marks: pytest, which registers them; a release, which reads the
files of checks and runs nothing; and a grading job, which collects the checks. Each mark is a
function: its signature is what the mark takes, and it raises ValueError for what makes no sense.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from detlab.checking.labels import numbers_of

LABEL = re.compile(r"[1-9]\d*\.[1-9]\d*")
FIXTURES = ("student", "rng", "task_rng", "names", "weights_file", "tell_staff")
# pytest's own marks that a check may carry; `skip` and the like would take points from everybody.
OF_PYTEST = ("parametrize",)


def task(label: str, *, points: float) -> None:
    """The task that a check belongs to, and all of the task's points."""
    _require_label(label)
    _require_positive("points", points)


def weight(number: float) -> None:
    """The check's share of its task's points, against the task's other checks; 1 if not given."""
    _require_positive("number", number)


# The arguments are the fields of `sandbox.limits.Limits`, which would take torch along; a test
# compares.
def limits(
    *, cpu_s: int | None = None, memory_mb: int | None = None, wall_s: int | None = None
) -> None:
    """What the task may use."""
    given = {"cpu_s": cpu_s, "memory_mb": memory_mb, "wall_s": wall_s}
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        raise ValueError("no limit is given")
    for name, value in given.items():
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} must be a whole number above 0, not {value!r}")


def forbid(*names: str) -> None:
    """Names that the task's cells must not mention."""
    _require_some("name", names)
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{name!r} is no name that code could mention")


def needs(*labels: str) -> None:
    """Earlier tasks on whose answers the task rests: it is skipped when one earned nothing."""
    _require_some("label", labels)
    for label in labels:
        _require_label(label)


def weights(data: str, *, max_mb: int) -> None:
    """The task measures weights that were handed in beside the notebook, on a set of data."""
    if not isinstance(data, str) or not data:
        raise ValueError(f"data must be the name of a set, not {data!r}")
    if type(max_mb) is not int or max_mb < 1:
        raise ValueError(f"max_mb must be a whole number above 0, not {max_mb!r}")


def costly() -> None:
    """The check trains or measures for long: known mistakes are not asked what it asks."""


MARKS: dict[str, Callable[..., None]] = {
    mark.__name__: mark for mark in (task, weight, limits, forbid, needs, weights, costly)
}


def registrations() -> list[str]:
    """Return a line for each mark, as pytest's `markers` setting wants them."""
    return [f"{form(name)}: {inspect.getdoc(mark)}" for name, mark in MARKS.items()]


def form(name: str) -> str:
    """Return how a mark is written, for example `limits(*, cpu_s, memory_mb, wall_s)`."""
    parameters = inspect.signature(MARKS[name]).parameters.values()
    empty = inspect.Parameter.empty
    plain = [one.replace(annotation=empty, default=empty) for one in parameters]
    return f"{name}{inspect.Signature(plain)}" if plain else name


def unknown(name: str) -> str:
    """Say that there is no mark of this name, or nothing if there is one."""
    if name in MARKS or name in OF_PYTEST:
        return ""
    close = difflib.get_close_matches(name, MARKS, n=1)
    advice = f"write pytest.mark.{close[0]}" if close else f"there are {', '.join(MARKS)}"
    return f"a check has no mark `{name}`; {advice}"


def fault_of(name: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
    """Say what is wrong with a mark, or nothing."""
    if fault := unknown(name):
        return fault
    if name in OF_PYTEST:
        return ""
    try:
        inspect.signature(MARKS[name]).bind(*arguments, **options)
        MARKS[name](*arguments, **options)
    except (TypeError, ValueError) as error:
        return f"the mark `{name}` is not understood: {error}; write pytest.mark.{form(name)}"
    return ""


def fault_of_need(label: str, needed: str, known: Sequence[str]) -> str:
    """Say why a task cannot rest on another one, or nothing.

    Args:
        label: the task that carries the mark `needs`.
        needed: the label in that mark.
        known: labels of the week's tasks that have hidden checks.
    """
    if needed not in known:
        return f"{label} needs {needed}, which is no task with hidden checks; correct the label"
    if numbers_of(needed) >= numbers_of(label):  # 1.10 comes after 1.9
        return f"{label} needs {needed}, which does not come before it; name earlier tasks only"
    return ""


def faults_of_check(
    name: str, documented: bool, strangers: Sequence[str], labels: Sequence[str]
) -> Iterator[str]:
    """Yield what is wrong with a check but for what each mark says by itself.

    Args:
        name: its function's.
        documented: whether it has a docstring.
        strangers: arguments for which there is no fixture and which are not parametrized.
        labels: the tasks that it is marked for.
    """
    if not documented:
        yield f"{name} has no docstring; say in its first line, to students, what it looks at"
    if strangers:
        *first, last = (f"`{fixture}`" for fixture in FIXTURES)
        known = f"{', '.join(first)} and {last}"
        others = f"`{'`, `'.join(strangers)}`"
        yield f"{name}: a check has only {known}, not {others}; correct its arguments"
    labels = list(dict.fromkeys(map(str, labels)))
    if not labels:
        yield f'{name} has no task mark; add pytestmark = pytest.mark.task("1.5", points=15)'
    if len(labels) > 1:
        yield f"{name} is marked for {' and '.join(labels)}; a check belongs to one task"


def _require_label(label: object) -> None:
    if not isinstance(label, str) or not LABEL.fullmatch(label):
        raise ValueError(f'{label!r} is no label of a task, such as "1.5"')


def _require_positive(name: str, value: object) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be a number above 0, not {value!r}")


def _require_some(what: str, values: Sequence[object]) -> None:
    if not values:
        raise ValueError(f"no {what} is given")
