"""The bench where a student's code lies while a check works with it.

The same bench serves a live notebook (visible checks) and a grader's worker
(hidden checks): a check never touches the student's objects, it asks the bench.
"""

import errno
import importlib
import inspect
import itertools
import linecache
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch

from detlab.checking.values import HandleRef, export, kind_name, replace_handles, without_sharing

MAX_FRAMES, MAX_REFUSAL = 6, 1000
# Requests that nobody waits for: their errors are told with the next answer.
UNANSWERED = frozenset({"seed", "make", "give"})
Tool = Callable[..., Any]


@dataclass(frozen=True)
class StudentFrame:
    """One line of the student's own code in a traceback."""

    cell: str
    line: int
    function: str
    text: str


@dataclass(eq=False)
class StudentError(Exception):
    """An error that the student's code raised, told in terms of their cells.

    Attributes:
        type_name: name of the exception's class.
        message: what the exception says.
        frames: the student's own lines, outermost first.
        limit: "memory", "threads", "files" or "output" when the error is a limit's, else "".
        said: all that the exception says, where `message` is only what may be repeated to a
            student: for a check to look at, and never to show. Empty where both are the same.
    """

    type_name: str
    message: str
    frames: list[StudentFrame] = field(default_factory=list)
    limit: str = ""
    said: str = ""

    def __str__(self) -> str:
        lines = [f"{self.type_name}: {self.message}" if self.message else self.type_name]
        for frame in self.frames:
            lines.append(f"  {frame.cell}, line {frame.line}, in {frame.function}: {frame.text}")
        return "\n".join(lines)


class OutputLimit(Exception):
    """The student's code printed more than is reasonable."""


def words_of(error: BaseException) -> str:
    """Return what an exception says; a class of the student's may fail to say it."""
    try:
        return str(error)
    except BaseException:
        return "(its message cannot be shown)"


def limit_of(error: BaseException, words: str) -> str:
    """Name the limit an exception speaks of, or the empty string."""
    if isinstance(error, MemoryError) or "can't allocate memory" in words:
        return "memory"
    if isinstance(error, RuntimeError) and words == "can't start new thread":
        return "threads"
    if isinstance(error, OutputLimit):
        return "output"
    if isinstance(error, OSError) and type(error).__module__ == "builtins":
        if error.errno == errno.ENOMEM:
            return "memory"
        writes = error.errno in (1, 27, 30) and error.filename is not None
        return "files" if writes else ""
    return ""


def describe_error(
    error: BaseException, is_student_frame: Callable[[Any], bool], cell_name: Callable[[Any], str]
) -> StudentError:
    """Reduce an exception to what the student needs: its type, its words, their own lines."""
    frames = student_frames(error.__traceback__, is_student_frame, cell_name)
    message = words_of(error)
    # Exactly these: a class of the student's could lie about the parts.
    if (
        isinstance(error, SyntaxError)
        and type(error) in (SyntaxError, IndentationError, TabError)
        and type(error.lineno) is int
    ):
        cell, text = str(error.filename or "?"), str(error.text or "")
        frames.append(StudentFrame(cell, error.lineno, "<cell>", text.strip()))
        message = str(error.msg or "")
    limit = limit_of(error, message)
    return StudentError(type(error).__name__, message, frames[-MAX_FRAMES:], limit)


def student_frames(
    trace: TracebackType | None,
    is_student_frame: Callable[[Any], bool],
    cell_name: Callable[[Any], str],
) -> list[StudentFrame]:
    """Keep a traceback's frames that are the student's."""
    frames = []
    for frame, line in traceback.walk_tb(trace):
        if is_student_frame(frame):
            text = linecache.getline(frame.f_code.co_filename, line).strip()
            frames.append(StudentFrame(cell_name(frame), line, frame.f_code.co_name, text))
    return frames


def call_by_name(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a student's function with the statement's parameter names.

    By keyword when the function knows all of the names (so keyword-only parameters
    work), else in the statement's order (so renamed parameters work).
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*arguments.values())
    by_keyword = {
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    if by_keyword.issuperset(arguments):
        return function(**arguments)
    return function(*arguments.values())


class Question:
    """A function of a check's, among a student's objects: whoever calls it asks the check.

    Args:
        ask: takes the question to the check: a function of (name, arguments, named arguments).
        name: of the function, where the check is.
    """

    def __init__(self, ask: Callable[[str, list[Any], dict[str, Any]], Any], name: str):
        self.ask = ask
        self.name = name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.ask(self.name, list(arguments), named)

    def __deepcopy__(self, _: dict[int, Any]) -> "Question":
        return self  # a copy of a network asks the same check


def refusal_of(error: Exception) -> str:
    """Word an error in a function of the check's: who called it gets a ValueError that says so."""
    kind = "" if type(error) in (ValueError, StudentError) else f"{type(error).__name__}: "
    return f"{kind}{error}"[:MAX_REFUSAL]


def name_of_given(number: int) -> str:
    """Return the name of a function that a check gave; no function of a student's has it."""
    return f"given {number}"


class Workbench:
    """Hold a student's namespace and the objects a check made there; carry out its requests.

    Args:
        namespace: the globals of the student's cells.
        tools: by name, functions of the course's that a check may have run beside its objects.
        cell_name: names the cell that a frame belongs to.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        tools: Mapping[str, Tool],
        cell_name: Callable[[Any], str] = lambda frame: "cell",
    ):
        self.namespace = namespace
        self.cell_name = cell_name
        self.objects: dict[int, Any] = {}
        self.numbers = itertools.count()
        self.given: dict[str, Callable[..., Any]] = {}
        # As they were before any cell ran: cells may put other functions into their module.
        self.tools = tools
        self.requests: dict[str, Callable[..., Any]] = {
            "call": self.call,
            "each": self.each,
            "fetch": self.fetch,
            "new": self.new,
            "invoke": self.invoke,
            "get": self.get,
            "tool": self.tool,
            "make": self.make,
            "give": self.give,
            "clock": self.clock,
            "settle": self.settle,
            "seed": self.seed,
        }

    def perform(self, request: str, *arguments: Any) -> Any:
        """Carry out one request and return its exported result.

        Raises:
            StudentError: the student's code raised, or lacks the name asked for.
        """
        try:
            return self.export(self.requests[request](*self.admit(list(arguments))))
        except StudentError:
            raise
        except BaseException as error:
            raise self.describe(error) from error

    def perform_here(self, request: str, *arguments: Any) -> Any:
        """Carry out a request of a check that runs in this very process."""
        return self.perform(request, *without_sharing(arguments))

    def export(self, value: Any) -> Any:
        """Turn a value into data; what is not plain stays here behind a handle."""
        return export(value, self.keep)

    def admit(self, value: Any) -> Any:
        """Put the objects kept here in the place of their handles."""
        return replace_handles(value, self.look_up, HandleRef)

    def describe(self, error: BaseException) -> StudentError:
        """Reduce an exception to the student's own lines."""
        try:
            return describe_error(error, self.is_student_frame, self.cell_name)
        except Exception:  # its class overrides what every exception has
            return StudentError("Exception", "(it cannot be shown)")

    def is_student_frame(self, frame: Any) -> bool:
        """Say whether a frame runs code of the student's cells."""
        return frame.f_globals is self.namespace

    def keep(self, value: Any) -> HandleRef:
        """Keep an object here and return the number by which a check may name it."""
        number = next(self.numbers)
        self.objects[number] = value
        return HandleRef(number, kind_name(value))

    def look_up(self, handle: HandleRef) -> Any:
        """Return the object behind a handle."""
        return self.objects[handle.number]

    def name(self, name: str) -> Any:
        """Return what the student calls by this name."""
        if name not in self.namespace:
            raise StudentError("NameError", f"`{name}` is not defined")
        return self.namespace[name]

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Call a function of the student's."""
        function = self.name(name)
        if not callable(function):
            raise StudentError("TypeError", f"`{name}` is no function but a {kind_name(function)}")
        return call_by_name(function, arguments)

    def each(self, name: str, calls: list[dict[str, Any]]) -> list[Any]:
        """Call a function of the student's several times."""
        return [self.call(name, arguments) for arguments in calls]

    def fetch(self, name: str) -> Any:
        """Return a variable of the student's."""
        return self.name(name)

    def new(self, path: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        """Make an object of a library's class, for example `torch.nn.Conv2d`."""
        module, _, attribute = path.rpartition(".")
        return getattr(importlib.import_module(module), attribute)(*arguments, **options)

    def invoke(self, target: Any, arguments: list[Any]) -> Any:
        """Call an object, without gradients (a check that needs them uses a tool)."""
        with torch.no_grad():
            return target(*arguments)

    def get(self, target: Any, name: str) -> Any:
        """Return an attribute of an object."""
        return getattr(target, name)

    def tool(self, name: str, arguments: list[Any]) -> Any:
        """Run one of the course's tools on the student's objects."""
        return self.tools[name](*arguments)

    def make(self, number: int, name: str, arguments: list[Any]) -> None:
        """Run one of the course's tools, and keep what it makes under a number of the check's."""
        self.objects[number] = self.tools[name](*arguments)

    def give(self, number: int, function: Callable[..., Any] | None = None) -> None:
        """Keep a question to the check under a number of the check's.

        Args:
            function: what answers it, if that is in this process.
        """
        name = name_of_given(number)
        if function:
            self.given[name] = function
        self.objects[number] = Question(self.ask, name)

    def ask(self, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Ask the check, which is in this process; it gets and returns copies."""
        kept = without_sharing([self.export(arguments), self.export(named)])
        try:
            return self.admit(without_sharing(self.given[name](*kept[0], **kept[1])))
        except Exception as error:
            raise ValueError(refusal_of(error)) from None

    def clock(self) -> float:
        """Return this process's processor time in seconds."""
        return time.process_time()

    def settle(self) -> None:
        """Answer, once all that was asked before is done."""

    def seed(self, seed: int) -> None:
        """Seed torch's global generator, so that a check is the same each time it runs."""
        torch.default_generator.manual_seed(seed)
