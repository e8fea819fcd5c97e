"""A worker as the grader sees it: ask, answer, and how it ended."""

import os
import re
import time
from collections.abc import Callable
from typing import Any, NoReturn

from detgrader.sandbox.allowance import Allowance
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.endings import ending_of
from detgrader.sandbox.inside.channel import Channel, Closed
from detgrader.sandbox.inside.wire import SMALL, BadFrame, length_of
from detgrader.sandbox.limits import (
    LIMIT_MESSAGES,
    MISSING_MESSAGES,
    Crashed,
    LimitReached,
    Limits,
    Violation,
)
from detgrader.text import clean_text, error_name, is_known, lines_of, without_values
from detlab.checking.values import RECORDS, TENSOR_KINDS, HandleRef, replace_handles
from detlab.checking.workbench import (
    UNANSWERED,
    StudentError,
    StudentFrame,
    limit_of,
    name_of_given,
    refusal_of,
)

MAX_FRAMES = 6
CLASS = re.compile(r"^\s*class\s+(\w+)", re.MULTILINE)
PATIENCE_S = 1.0  # a process that closed its socket by ending is reported in milliseconds
MAX_QUESTIONS = 20  # asked one inside the other


class WorkerClient:
    """A confined process that holds one submission for one task.

    Requests may be posted before their results are asked for: a worker that will be needed
    soon can start, and run its cells, while another one is checked.

    Args:
        dispatcher: starts it.
        limits: what it may use.
    """

    def __init__(self, dispatcher: DispatcherClient, limits: Limits):
        self.limits = limits
        self.allowance = Allowance(limits)
        self.dispatcher = dispatcher
        self.number = os.urandom(8).hex()
        self.closed = False
        self.stand_ins: dict[str, Callable[..., Any]] = {}
        self.questions = 0
        self.sources: dict[str, list[str]] = {}
        self.classes: set[str] = set()
        ours = dispatcher.start(self.number, limits)
        self.channel = Channel(ours)
        self.greeted = False
        self.posted = 0
        self.cells_s = 0.0
        self.begin()

    def begin(self) -> None:
        """Let the task's wall-clock time start now."""
        self.channel.deadline = time.monotonic() + self.limits.wall_s

    def charge_cells(self) -> None:
        """Take what the cells took, by the worker's word, off the task's wall-clock time.

        They may have run while another task was checked. The word is good enough: who lies
        gains nothing but time to be idle in.
        """
        self.channel.deadline = time.monotonic() + self.limits.wall_s - self.cells_s
        if self.cells_s >= self.limits.wall_s:
            self.out_of_time()

    def run(self, cells: list[dict[str, Any]]) -> list[StudentError | None]:
        """Run cells; return for each None or the error that stopped it."""
        return self.outcomes_of(self.post_run(cells), cells)

    def post_run(self, cells: list[dict[str, Any]]) -> str:
        """Have cells run without waiting for them; return the request's nonce."""
        self.note_sources(cells)
        self.posted += sum(length_of(cell["source"]) for cell in cells)
        if self.posted > SMALL:  # to send it may take until the worker reads, or is ended
            self.dispatcher.keep_watch(self.number)
        return self.post("run", cells=cells)

    def outcomes_of(self, nonce: str, cells: list[Any]) -> list[StudentError | None]:
        """Wait for posted cells to have run; return for each None or the error that stopped it."""
        reply = self.result_of(nonce)
        if type(reply) is not dict or set(reply) != {"outcomes", "seconds"}:
            self.violate("an answer that does not fit the question")
        outcomes, seconds = reply["outcomes"], reply["seconds"]
        if type(seconds) is not float or not seconds >= 0:
            self.violate("a time that is none")
        self.cells_s += seconds
        if type(outcomes) is not list or len(outcomes) != len(cells):
            self.violate("an answer that does not fit the question")
        return [None if outcome is None else self.student_error(outcome) for outcome in outcomes]

    def post_inspect(self, cells: list[dict[str, Any]]) -> str:
        """Have cells read, not run, without waiting for it; return the request's nonce.

        Nothing of a student's has run in this worker before.
        """
        self.note_sources(cells)
        return self.post("inspect", cells=cells)

    def note_sources(self, cells: list[dict[str, Any]]) -> None:
        """Keep the lines of cells: errors are told in them, not in what a worker says."""
        self.sources |= {cell["cell"]: lines_of(cell["source"]) for cell in cells}
        for cell in cells:
            self.classes |= set(CLASS.findall(cell["source"]))

    def has_answered(self) -> bool:
        """Say whether the result of what was posted is there, or the worker is gone.

        Nothing of a student's has run in this worker: what it begins to say it says at once.
        """
        if not self.greeted and self.channel.has_news():
            self.greet()
        return self.greeted and self.channel.has_news()

    def perform(self, request: str, *arguments: Any) -> Any:
        """Carry out a request of a check.

        Raises:
            StudentError: the student's code raised.
            LimitReached, Violation, Crashed: the worker is gone.
        """
        if request == "clock":
            return self.dispatcher.clock(self.number)
        if request == "give":
            number, function = arguments
            self.stand_ins[name_of_given(number)] = function
            arguments = (number,)
        hold = request in UNANSWERED
        nonce = self.post("perform", hold, request=request, arguments=list(arguments))
        if hold:
            return None
        return replace_handles(self.result_of(nonce), self.by_known_name, HandleRef)

    def by_known_name(self, ref: HandleRef) -> HandleRef:
        """Name an object's class as its source does, or a library: a name can hold a message."""
        course = self.classes | RECORDS.keys() | TENSOR_KINDS.keys()
        return (
            ref
            if is_known(ref.type_name) or ref.type_name in course
            else ref._replace(type_name="object")
        )

    def post_stand_ins(self, stand_ins: dict[str, Callable[..., Any]]) -> str:
        """Let functions of earlier tasks be answered here instead of by the student's code."""
        self.stand_ins |= stand_ins
        return self.post("stand_in", names=list(stand_ins))

    def ask(self, kind: str, **message: Any) -> Any:
        """Send a message and wait for its result."""
        return self.result_of(self.post(kind, **message))

    def post(self, kind: str, hold: bool = False, **message: Any) -> str:
        """Send a message; return the nonce by which its result is known.

        Args:
            hold: whether it may wait for the next one.
        """
        nonce = os.urandom(8).hex()
        self.send({"kind": kind, "nonce": nonce, **message}, hold)
        return nonce

    def result_of(self, nonce: str) -> Any:
        """Wait for the result of the oldest message without one, answering questions meanwhile."""
        with self.allowance.spend():
            return self.read_until(nonce)

    def greet(self) -> None:
        """Wait until the worker is there."""
        if not self.greeted:
            self.expect("ready", self.receive())
            self.dispatcher.keep_watch(self.number)
            self.greeted = True

    def read_until(self, nonce: str) -> Any:
        """Take messages in until one is the result of this request."""
        self.greet()
        while True:
            reply = self.receive()
            kind, given = reply.get("kind"), reply.get("nonce")
            if type(kind) is not str:
                self.violate("a message without a kind")
            if kind == "ask":
                self.answer(reply)
                continue
            if type(given) is not str or given != nonce:
                self.violate("a reply to a question that was not asked")
            if kind == "error":
                error = self.student_error(reply)
                if error.limit:
                    raise LimitReached(error.limit, self.limits, error.frames)
                raise error
            return self.expect("result", reply).get("value")

    def answer(self, question: dict[str, Any]) -> None:
        """Answer a stand-in's question."""
        name, arguments = question.get("name"), question.get("arguments")
        named = question.get("named")
        stand_in = self.stand_ins.get(name) if type(name) is str else None
        if stand_in is None or type(arguments) is not list or type(named) is not dict:
            self.violate("a question that no stand-in asks")
        if self.questions >= MAX_QUESTIONS:
            self.violate("questions inside questions")
        self.questions += 1
        try:
            reply = {"kind": "answer", "value": stand_in(*arguments, **named)}
        except (LimitReached, Violation, Crashed):
            raise
        except Exception as error:  # whatever arguments that make no sense lead to
            if limit_of(error, str(error)) == "memory":
                raise
            reply = {"kind": "refusal", "message": refusal_of(error)}
        self.questions -= 1
        try:
            self.send(reply)
        except ValueError as error:
            self.send({"kind": "refusal", "message": str(error)})

    def expect(self, kind: str, message: dict[str, Any]) -> dict[str, Any]:
        """Return the message if it is of this kind."""
        if type(message.get("kind")) is not str or message["kind"] != kind:
            self.violate(f"a message that is not of kind {kind}")
        return message

    def student_error(self, message: dict[str, Any]) -> StudentError:
        """Read an error message, believing nothing about its parts."""
        frames = message.get("frames") if type(message) is dict else None
        if type(frames) is not list:
            self.violate("an error without frames")
        read = [known for frame in frames[-MAX_FRAMES:] if (known := self.read_frame(frame))]
        type_name, words, limit = (message.get(key) for key in ("type_name", "message", "limit"))
        if not (type(type_name) is str and type(words) is str and type(limit) is str):
            self.violate("a malformed error")
        line = read[-1].text if read else ""
        missing = [
            text
            for (error, within), text in MISSING_MESSAGES.items()
            if error in words[:200] and within in line
        ]
        told = missing[0] if missing else without_values(words[:2000], type_name, line)
        return StudentError(
            error_name(type_name),
            clean_text(told),
            read,
            limit if limit in LIMIT_MESSAGES else "",
            clean_text(words[:2000]),
        )

    def read_frame(self, frame: Any) -> StudentFrame | None:
        """Read a traceback's frame; its words are taken from the sources that the grader has."""
        kinds = [type(part) for part in frame] if type(frame) is list else []
        if kinds != [str, int, str, str]:
            self.violate("a malformed frame in an error")
        cell, line, function, _ = frame
        lines = self.sources.get(cell, [])
        if not 0 < line <= len(lines):
            return None
        if not any(function in text for text in lines):
            function = "<cell>"
        return StudentFrame(
            cell, line, clean_text(function, 60), clean_text(lines[line - 1].strip(), 120)
        )

    def send(self, message: dict[str, Any], hold: bool = False) -> None:
        """Send a message, now or with the next one, or say how the worker ended."""
        self.dispatcher.keep_watch()
        try:
            self.channel.send(message, hold)
        except TimeoutError:
            self.out_of_time()
        except Closed:
            self.raise_end()

    def receive(self) -> dict[str, Any]:
        """Wait for a message until the task's time is over."""
        try:
            message = self.channel.receive()
            self.allowance.take(*self.channel.lengths)
            return message
        except TimeoutError:
            self.out_of_time()
        except BadFrame as error:
            self.violate(f"a broken reply: {error}")
        except Closed:
            self.raise_end()

    def out_of_time(self) -> NoReturn:
        """Kill the worker for being late."""
        self.close()
        raise LimitReached("wall", self.limits)

    def violate(self, detail: str) -> NoReturn:
        """Kill the worker for something that only an attack does."""
        self.close()
        raise Violation("The code interfered with the grading.", detail)

    def raise_end(self) -> NoReturn:
        """Say why a worker ended that nobody told to end."""
        report = self.dispatcher.report(self.number, PATIENCE_S)
        self.close()
        reached = self.dispatcher.watch.ended.get(self.number, "memory")
        raise ending_of(report, self.limits, reached)

    def close(self) -> None:
        """End the worker, whatever it may still be doing."""
        if not self.closed:
            self.channel.close()
            self.dispatcher.kill(self.number)
            self.closed = True

    def account(self, unit: str) -> float:
        """Return what a closed worker took, as the kernel counted it: "cpu_s" or "memory_mb"."""
        report = self.dispatcher.report(self.number)
        return float(report[unit]) if report else 0.0
