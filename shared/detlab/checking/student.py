"""The student as a check sees them: `student.area(width=2, height=3)`.

A check is written once against this interface; whether the code lies in the
notebook's own process or in a grader's worker is the bench's affair.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from detlab.checking.values import HandleRef, replace_handles
from detlab.checking.workbench import StudentError

Request = Callable[..., Any]
# Numbers of what checks have made; those of what students' code returns are from 0 on.
NUMBERS = itertools.count(-1, -1)


class Handle:
    """An object that stays with the student's code.

    It compares as itself only: nothing that the object defines runs in a check.
    """

    def __init__(self, student: "Student", ref: HandleRef):
        self.student = student
        self.ref = ref

    @property
    def type_name(self) -> str:
        """Name of the object's class, as the student's side tells it; good for messages only."""
        return self.ref.type_name

    def __call__(self, *arguments: Any) -> Any:
        """Call the object, without gradients."""
        return self.student.request("invoke", self, list(arguments))

    def get(self, name: str) -> Any:
        """Return an attribute of the object."""
        return self.student.request("get", self, name)

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


class Student:
    """Ask a student's code for answers.

    `student.NAME(**arguments)` calls their function NAME; the arguments are given by
    the names that the statement uses.

    Args:
        perform: carries out a request (see `Workbench.perform`) and returns plain data.

    Attributes:
        transcript: every answer and error so far, in order, for comparison with the
            answers of known mistakes.
    """

    def __init__(self, perform: Request):
        self.perform = perform
        self.transcript: list[Any] = []
        self._posted = False  # whether anything was asked since the last answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **arguments: self.request("call", name, arguments)

    def each(self, name: str, calls: Sequence[dict[str, Any]]) -> list[Any]:
        """Call their function several times, in one request; return the answers in order."""
        return self.request("each", name, list(calls))

    def fetch(self, name: str) -> Any:
        """Return a variable of the student's."""
        return self.request("fetch", name)

    def new(self, path: str, *arguments: Any, **options: Any) -> Any:
        """Make an object of a library's class there, for example `torch.nn.Conv2d`."""
        return self.request("new", path, list(arguments), options)

    def tool(self, name: str, *arguments: Any) -> Any:
        """Run a tool of `detlab.checking.tools` there."""
        return self.request("tool", name, list(arguments))

    def make(self, kind: str, name: str, *arguments: Any) -> Handle:
        """Have a tool make an object that stays there, without waiting for it.

        Args:
            kind: name of the object's class, for messages.
            name: the tool's.
        """
        ref = HandleRef(next(NUMBERS), kind)
        self._post("make", ref.number, name, sent(arguments))
        return Handle(self, ref)

    def give(self, function: Callable[..., Any]) -> Handle:
        """Let a function of the check's be called there: it runs here, where the check sees it.

        Args:
            function: gets data, and handles to what is none; its answer goes back.
        """
        ref = HandleRef(next(NUMBERS), "function")
        self._post("give", ref.number, self.answering(function))
        return Handle(self, ref)

    def answering(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that takes and returns references in the place of handles."""

        def answer(*arguments: Any, **named: Any) -> Any:
            given, by_name = replace_handles(
                [arguments, named], lambda ref: Handle(self, ref), HandleRef
            )
            return replace_handles(function(*given, **by_name), lambda handle: handle.ref, Handle)

        return answer

    def start_again(self) -> None:
        """Have their code run anew, in a process that knows nothing of what came before.

        Handles from before are good for nothing then.
        """
        self.perform("again")

    def settle(self) -> None:
        """Wait until all is done that nobody waited for.

        Raises:
            StudentError: some of it failed.
        """
        if self._posted:  # whoever answers has done what was asked before
            self._posted = False
            self._noting("settle")

    def clock(self) -> float:
        """Return the processor time that their process has taken, in seconds.

        A grader asks the system for it, not the process.
        """
        seconds: float = self.perform("clock")
        return seconds

    def tell(self, name: str, *arguments: Any) -> None:
        """Have a tool change objects there, without waiting for it."""
        self.make("None", name, *arguments)

    def seed(self, seed: int) -> None:
        """Seed torch's global generator there."""
        self._post("seed", seed)

    def _post(self, request: str, *arguments: Any) -> None:
        """Send a request that is not answered; if it fails, the next answer says so."""
        self._posted = True
        self._noting(request, *arguments)

    def request(self, request: str, *arguments: Any) -> Any:
        """Send a request and note its outcome.

        Raises:
            StudentError: the student's code raised.
        """
        self._posted = False
        answer = self._noting(request, *sent(arguments))
        self._note(answer)
        return replace_handles(answer, lambda ref: Handle(self, ref), HandleRef)

    def _noting(self, request: str, *arguments: Any) -> Any:
        """Have a request carried out; note the error if it fails."""
        try:
            return self.perform(request, *arguments)
        except StudentError as error:
            self._note(error)
            raise

    def _note(self, answer: Any) -> None:
        """Note an answer or an error. (No student's function is called so: see `__getattr__`.)"""
        self.transcript.append(answer)


def sent(arguments: Sequence[Any]) -> list[Any]:
    """Put handles' references in the place of handles."""
    return replace_handles(list(arguments), lambda handle: handle.ref, Handle)
