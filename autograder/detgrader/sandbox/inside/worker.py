"""A worker: one process, one task of one submission, then gone.

It is forked from the zygote, gives up what `confine` takes, and from then on answers
the grader's messages. All that it says may be a student's invention: nothing here is
there to protect the grader, only to serve honest code and to tell its errors well.
"""

import ast
import contextlib
import linecache
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic  # by name: cells may replace time's own
from typing import Any

from detgrader.sandbox.inside.channel import Channel, Closed
from detgrader.sandbox.inside.uses import Uses, aliases_of
from detlab.checking.cells import run_definitions
from detlab.checking.workbench import (
    UNANSWERED,
    OutputLimit,
    Question,
    StudentError,
    Tool,
    Workbench,
    describe_error,
)

# A worker's exit status when it has not even the memory for an answer.
STARVED = 71
MAX_OUTPUT = 1 << 20
MAX_MESSAGE = 2_000


class DiscardedOutput:
    """Stand in for stdout: throw the text away, and object when there is too much of it."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self) -> None:
        self.written = 0

    def write(self, text: str) -> int:
        """Count and discard."""
        self.written += len(text)
        if self.written > MAX_OUTPUT:
            raise OutputLimit(f"more than {MAX_OUTPUT >> 20} MiB was printed")
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Count and discard several."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """Nobody watches."""
        return False


class Bench(Workbench):
    """A student's cells, whose errors go by names that a grader repeats."""

    def describe(self, error: BaseException) -> StudentError:
        """Describe an error; one of a class of the student's own by its first built-in base."""
        described = super().describe(error)
        with contextlib.suppress(Exception):  # a class may say of itself what it likes
            for kind in type(error).__mro__:
                if kind.__module__ != "__main__":
                    return replace(described, type_name=kind.__name__)
        return described


class Worker:
    """Run a student's cells and answer a check's requests about them."""

    def __init__(self, channel: Channel, tools: Mapping[str, Tool]):
        self.channel = channel
        self.namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self.bench = Bench(self.namespace, tools, lambda frame: frame.f_code.co_filename)
        self.bench.ask = self.ask  # type: ignore[method-assign]
        self.failed: StudentError | None = None

    def serve(self) -> Any:
        """Answer messages until the grader closes, or answers a question of ours.

        Returns:
            The value of an "answer" message (see `ask`).

        Raises:
            ValueError: the question was one that the grader cannot answer.
        """
        while True:
            message = self.channel.receive()
            kind, nonce = message.pop("kind"), message.pop("nonce", None)
            if kind == "answer":
                return message["value"]
            if kind == "refusal":
                raise ValueError(message["message"])
            try:
                reply = {"kind": "result", "value": getattr(self, kind)(**message)}
            except StudentError as error:
                reply = error_message(error)
            except (Closed, SystemExit):
                raise
            except BaseException as error:
                reply = error_message(self.bench.describe(error))
            if message.get("request") not in UNANSWERED:
                self.reply(reply | {"nonce": nonce})

    def reply(self, reply: dict[str, Any]) -> None:
        """Send a reply; one that cannot cross becomes an error of the student's."""
        try:
            self.channel.send(reply)
        except Closed:
            raise
        except Exception as error:  # of its encoding: nothing was sent yet
            self.channel.send(error_message(self.bench.describe(error)) | {"nonce": reply["nonce"]})

    def inspect(self, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Read cells without running them.

        Returns:
            For each cell its syntax error, or what it uses (see `Uses`); what is imported in one
            of them is known in all.
        """
        read = [read_cell(cell["cell"], cell["source"]) for cell in cells]
        trees = [tree for tree in read if isinstance(tree, ast.Module)]
        aliases = {name: path for tree in trees for name, path in aliases_of(tree).items()}
        return [
            {"error": None, "uses": Uses(one, aliases).as_json()}
            if isinstance(one, ast.Module)
            else {"error": one, "uses": None}
            for one in read
        ]

    def run(self, cells: list[dict[str, Any]]) -> dict[str, Any]:
        """Run cells in order; one that fails does not stop the next.

        Returns:
            "outcomes": for each cell None, or its error as a dict; "seconds": how long they took.
        """
        start = monotonic()
        outcomes = [self.run_cell(**cell) for cell in cells]
        return {"outcomes": outcomes, "seconds": monotonic() - start}

    def run_cell(self, cell: str, source: str, definitions_only: bool) -> dict[str, Any] | None:
        """Run one cell."""
        linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
        try:
            tree = ast.parse(source, cell)
            if definitions_only:
                failed = run_definitions(tree, cell, self.namespace)
                return error_message(self.bench.describe(failed)) if failed else None
            exec(compile(tree, cell, "exec", dont_inherit=True), self.namespace)
        except BaseException as error:
            return error_message(self.bench.describe(error))
        return None

    def perform(self, request: str, arguments: list[Any]) -> Any:
        """Carry out a request of a check (see `Workbench.perform`).

        Raises:
            StudentError: it failed, or an earlier one that nobody waited for.
        """
        failed, self.failed = self.failed, None
        try:
            if failed:
                raise failed
            return self.bench.perform(request, *arguments)
        except StudentError as error:
            if request in UNANSWERED:
                self.failed = error
            raise

    def stand_in(self, names: list[str]) -> None:
        """Replace functions of earlier tasks by questions to the grader."""
        for name in names:
            self.namespace[name] = Question(self.ask, name)

    def ask(self, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Ask the grader what the right function would return, and serve it meanwhile."""
        kept = {"arguments": self.bench.export(arguments), "named": self.bench.export(named)}
        self.channel.send({"kind": "ask", "name": name} | kept)
        return self.bench.admit(self.serve())


def error_message(error: StudentError) -> dict[str, Any]:
    """Write an error as a message."""
    return {
        "kind": "error",
        "type_name": str(error.type_name),
        "message": str(error.message)[:MAX_MESSAGE],
        "frames": [[f.cell, f.line, f.function, f.text[:200]] for f in error.frames],
        "limit": error.limit,
    }


def read_cell(cell: str, source: str) -> ast.Module | dict[str, Any]:
    """Compile a cell; return its syntax, or its syntax error as a message."""
    try:
        tree = ast.parse(source, cell)
        compile(source, cell, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error_message(describe_error(error, lambda frame: False, lambda frame: cell))
    return tree


def silence() -> None:
    """Connect standard input and output to nothing."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    sys.stdout = sys.stderr = DiscardedOutput()


def main(channel: Channel, tools: Mapping[str, Tool], confine: Callable[[], None]) -> None:
    """Live as a worker: be silent, be confined, serve, and end without cleaning up.

    Args:
        channel: to the grader.
        tools: what checks may have run beside the student's objects.
        confine: called without arguments; takes away what a student's code must not have.
    """
    status = 0
    try:
        silence()
        confine()
        channel.send({"kind": "ready"})
        Worker(channel, tools).serve()
    except Closed:
        pass
    except MemoryError:
        status = STARVED
    finally:
        os._exit(status)
