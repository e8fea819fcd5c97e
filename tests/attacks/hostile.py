"""A worker that is not there: it tells a check the reference's answers, and one that is hostile.

The grader's own client reads the frames, as it reads a real worker's; between them is no socket. So
whatever bytes can come from a worker can come from here, thousands of times a minute.
"""

from __future__ import annotations

import copy
import json
import random
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from detgrader.audit.replays import Told
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.inside.channel import Channel, Closed
from detgrader.sandbox.inside.wire import LENGTHS, pack
from detgrader.sandbox.limits import Limits
from detlab.checking.workbench import UNANSWERED, StudentError, name_of_given

Frame = tuple[Any, bytes]  # a header, as JSON reads it, and a body
ODD_TEXTS = (
    "",
    "junk " * 20_000,
    "\x1b[31m\x00\r\x07\x9b",
    "\u202eneddih\u2066\u200b",
    "\ud800",
    "\ud83d",
    "{0.__class__}%s%n\n" * 9,
    "task_1_1",
)
ODD_NUMBERS = (0, -1, 1, 2, 1 << 31, (1 << 63) - 1, -(1 << 63), 1 << 64, 10**400, 0.5, True, None)
FLOATS = (float("nan"), float("inf"), -float("inf"), 1e308, 5e-324)
DTYPES = "float16 bfloat16 float32 float64 bool uint8 int8 int64 complex64 qint8".split()


def nested(depth: int) -> Any:
    """Return lists in lists."""
    tree: Any = 1
    for _ in range(depth):
        tree = {"list": [tree]}
    return tree


def tensor(dtype: str, shape: list[int], length: int) -> Frame:
    """Return a tensor that lies at the beginning of a body of ones, or claims to."""
    return {"tensor": [dtype, shape, 0, length]}, b"\x01" * min(length, 1 << 20)


# What may stand in an answer's place.
VALUES: tuple[Frame, ...] = (
    *((number, b"") for number in ODD_NUMBERS),
    *((number, b"") for number in FLOATS),
    *((text, b"") for text in ODD_TEXTS),
    ({"list": []}, b""),
    ({"tuple": []}, b""),
    ({"dict": []}, b""),
    ({"list": [None, "junk", 1.5, {"list": []}, {"dict": []}]}, b""),
    ({"dict": [[None, 1], [float("nan"), {"list": []}], [True, "x"]]}, b""),
    ({"dict": [[{"tuple": [1, "a"]}, 1], [{"list": []}, 2]]}, b""),
    (nested(18), b""),
    (nested(40), b""),
    ({"handle": [0, "Linear"]}, b""),
    ({"handle": [-1, "junk\x1b" * 99]}, b""),
    ({"handle": [1 << 62, "H_bj_bf"]}, b""),
    ({"list": [{"handle": [0, "Linear"]}] * 3}, b""),
    ({"record": ["WindowGrid", None, "x", {"list": []}]}, b""),
    ({"record": ["WindowGrid", 1 << 62, -1, {"tuple": [0, 1 << 62]}]}, b""),
    tensor("float32", [], 4),
    tensor("float32", [0], 0),
    tensor("float32", [0, 4], 0),
    tensor("int64", [1 << 40, 0], 0),
    tensor("uint8", [1] * 16, 1),
    tensor("uint8", [1] * 17, 1),
    tensor("uint8", [1 << 20], 1 << 20),
    tensor("bool", [2, 4], 8),
    tensor("int64", [4], 32),
    tensor("float16", [2, 4], 16),
    tensor("complex64", [2], 16),
    tensor("float32", [2], 16),
    ({"tensor": ["float32", [2], 0, 8]}, struct.pack("<2f", float("nan"), float("inf"))),
    ({"tensor": ["bool", [2], 0, 2]}, b"\x02\x03"),
    ({"tensor": ["float32", [2], 8, 8]}, bytes(16)),
    ({"tensor": ["float32", [-1, -2], 0, 8]}, bytes(8)),
    ({"array": ["<f4", [2, 1], 0, 8]}, bytes(8)),
    ({"array": ["|O", [1], 0, 8]}, bytes(8)),
    ({"array": ["<u8", [1], 0, 8]}, b"\xff" * 8),
    ({"junk": []}, b""),
    ({"list": {}}, b""),
)
FRAMES_OF_ERRORS = (
    {"list": []},
    {"list": [{"list": ["task_1_2", 1, "\x1b[0m" * 50, "\u202e"]}] * 50},
    {"list": [{"list": ["task_1_2", -(1 << 62), "f", "x"]}]},
    {"list": [{"list": ["\ud800", 1, "f", "x"]}]},
    {"list": [{"list": [1, 2, 3, 4]}]},
    None,
)


def hostile_error(dice: random.Random, nonce: str) -> Frame:
    """Return an error that no honest worker tells."""
    names = ("NotImplementedError", "MemoryError", "CheckFailure", "E" * 10_000, *ODD_TEXTS)
    header = {"kind": "error", "nonce": nonce, "type_name": dice.choice(names)}
    header["message"] = dice.choice(ODD_TEXTS) + dice.choice(("", "[Errno 38]", "123456789 'x'"))
    header["limit"] = dice.choice(("", "", "memory", "grader", "passed", "\x1b", None))
    header["frames"] = dice.choice(FRAMES_OF_ERRORS)
    for key in dice.sample(list(header), dice.choice((0, 0, 1))):
        del header[key]
    return header, b""


def hostile_question(dice: random.Random) -> Frame:
    """Return a question to a function of the check's, or to one that there is not."""
    value, body = dice.choice(VALUES)
    name = name_of_given(-dice.randint(1, 60)) if dice.random() < 0.8 else dice.choice(ODD_TEXTS)
    arguments = {"list": [value] * (1 if body else dice.randint(0, 3))}
    return {"kind": "ask", "name": name, "arguments": arguments, "named": {"dict": []}}, body


def places_of(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield all places of a JSON tree: what holds them, and their key there."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, part in list(pairs):
        yield tree, key
        if isinstance(part, dict | list):
            yield from places_of(part)


def damaged(dice: random.Random, frame: Frame) -> Frame:
    """Change a place in a frame: a side, a length, a type, a part, some bytes of the body."""
    header, body = copy.deepcopy(frame[0]), bytearray(frame[1])
    if body and dice.random() < 0.3:
        width = dice.choice((1, 4, 64))
        for _ in range(dice.randint(1, 9)):
            at = dice.randrange(len(body))
            body[at : at + width] = dice.choice((b"\x00", b"\xff", b"\x7f\xc0", b"\x01")) * width
        return header, bytes(body[: len(frame[1])])
    within = header["value"] if isinstance(header["value"], dict) else {}
    holder, key = dice.choice([(header, "value"), *places_of(within)][:500])
    part = holder[key]
    kind = dice.randrange(5)
    if kind == 0 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(part))
    elif kind == 1:
        del holder[key]
    elif isinstance(part, str):
        holder[key] = dice.choice((*ODD_TEXTS, *DTYPES))
    elif type(part) in (int, float):
        holder[key] = dice.choice((*ODD_NUMBERS, *FLOATS, part + 1, part - 1))
    else:
        holder[key] = dice.choice(VALUES)[0]
    return header, bytes(body)


def written(frame: Frame) -> bytes:
    """Write a frame, whatever it says."""
    header = json.dumps(frame[0], ensure_ascii=False).encode("utf-8", "surrogatepass")
    return LENGTHS.pack(len(header), len(frame[1])) + header + frame[1]


def read(data: bytes) -> Frame:
    """Take a frame of ours apart."""
    length, _ = LENGTHS.unpack_from(data)
    start = LENGTHS.size + length
    return json.loads(data[LENGTHS.size : start]), data[start:]


class Line(Channel):
    """The grader's end of a line to nobody: what it sends is answered by what was told before.

    Args:
        told: the reference's answers.
        lie: turns the bytes of an answer, given its place and the nonces so far, into others.
    """

    def __init__(self, told: list[Told], lie: Callable[[int, bytes, list[str]], bytes]):
        super().__init__(socket.socket())
        self.told = told
        self.lie = lie
        self.place = 0
        self.waiting = bytearray(written(({"kind": "ready"}, b"")))
        self.nonces: list[str] = []
        self.given: list[str] = []

    def send(self, message: dict[str, Any], hold: bool = False) -> None:
        """Take a message, and have its answer lie ready."""
        pack(message)
        if message["kind"] != "perform":
            return  # an answer, or a refusal
        request, nonce = message["request"], message["nonce"]
        self.nonces.append(nonce)
        if request == "give":
            self.given.append(name_of_given(message["arguments"][0]))
        if request in UNANSWERED:
            return
        if request == "settle":
            self.waiting += written(({"kind": "result", "nonce": nonce, "value": None}, b""))
            return
        if self.place >= len(self.told):
            error = {"type_name": "RuntimeError", "message": "asked no more", "limit": ""}
            frames = {"list": []}
            self.waiting += written(
                ({"kind": "error", "nonce": nonce, "frames": frames} | error, b"")
            )
            return
        told, place = self.told[self.place], self.place
        self.place += 1
        for which, arguments, named in told.calls:
            if which < len(self.given):
                question = {"kind": "ask", "name": self.given[which]}
                parts = pack(question | {"arguments": list(arguments), "named": named})
                self.waiting += b"".join(parts)
        self.waiting += self.lie(place, b"".join(pack(told_frame(told.answer, nonce))), self.nonces)

    def read(self, length: int) -> bytearray:
        """Read what lies ready; when that is not enough, the worker is gone."""
        if length > len(self.waiting):
            raise Closed
        data = self.waiting[:length]
        del self.waiting[:length]
        return data


def told_frame(answer: Any, nonce: str) -> dict[str, Any]:
    """Return the message by which a worker tells an answer, or an error."""
    if not isinstance(answer, StudentError):
        return {"kind": "result", "nonce": nonce, "value": answer}
    error = {"type_name": answer.type_name, "message": answer.message, "limit": answer.limit}
    return {"kind": "error", "nonce": nonce, "frames": [], **error}


class Nobody:
    """A dispatcher that starts nothing; whoever ends, ended by exit."""

    def __init__(self) -> None:
        self.watch = self
        self.ended: dict[str, str] = {}

    def start(self, number: str, limits: Limits) -> socket.socket:
        """Return an end of nothing."""
        return socket.socket()

    def keep_watch(self, number: str | None = None) -> None:
        """There is nothing to watch."""

    def kill(self, number: str) -> None:
        """There is nobody to kill."""

    def clock(self, number: str) -> float:
        """Return no time."""
        return 0.0

    def report(self, number: str, patience_s: float | None = None) -> dict[str, Any]:
        """Say how it ended."""
        return {"status": signal.SIGSEGV, "cpu_s": 0.0, "memory_mb": 0}


def liar_of(dice: random.Random, hostile: int, on: bool) -> Callable[..., bytes]:
    """Return what replaces the answer at one place, or also all after it by the same value."""
    value, body = dice.choice(VALUES)

    def lie(place: int, data: bytes, nonces: list[str]) -> bytes:
        if place != hostile and not (on and place > hostile):
            return data
        nonce = nonces[-1]
        if on:
            return written(({"kind": "result", "nonce": nonce, "value": value}, body))
        match dice.randrange(10):
            case 0 | 1 | 2:
                return written(({"kind": "result", "nonce": nonce, "value": value}, body))
            case 3 | 4 | 5:
                frame = read(data)
                return written(damaged(dice, frame)) if "value" in frame[0] else data
            case 6:
                return written(hostile_error(dice, nonce))
            case 7:
                return written(hostile_question(dice)) + data
            case 8:  # of another request, twice, or before another answer
                other = {"kind": "result", "nonce": dice.choice(nonces), "value": value}
                return dice.choice(
                    (written((other, body)), data + data, written((other, body)) + data)
                )
            case _:
                cut = dice.randrange(len(data))
                lengths = LENGTHS.pack(dice.choice((0, 1, 1 << 31)), dice.choice((0, 1, 1 << 31)))
                noise = bytes(dice.randrange(256) for _ in range(9))
                return dice.choice(
                    (data[:cut], lengths + data[8:], data[:cut] + noise + data[cut:])
                )

    return lie


@contextmanager
def hostile_worker(
    told: list[Told], lie: Callable[[int, bytes, list[str]], bytes], limits: Limits
) -> Iterator[WorkerClient]:
    """Yield a worker that tells what was told, and lies."""
    worker = WorkerClient(Nobody(), limits)  # type: ignore[arg-type]
    worker.channel.close()
    worker.channel = Line(told, lie)
    try:
        yield worker
    finally:
        worker.channel.close()
        torch.set_grad_enabled(True)
