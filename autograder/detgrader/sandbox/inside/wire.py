"""Frames between the grader and a worker.

A frame is two lengths (uint32 header, uint32 body), a JSON header, and the raw little-endian bytes
of its tensors and arrays. Nothing is ever unpickled, and nothing is allocated before its length was
compared with the cap: whatever comes from a worker may have been written by hostile code.
"""

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from detlab.checking.values import (
    MAX_DEPTH,
    RECORDS,
    HandleRef,
    class_name,
    is_plain_array,
    is_plain_tensor,
    is_record,
)

LENGTHS = struct.Struct("<II")
MAX_HEADER = 1 << 20
MAX_BODY = 64 << 20
MAX_INT = 1 << 63
MAX_DIMENSIONS = 16
ALIGNMENT = 16
SMALL = 1 << 16  # bytes that are rather copied than kept apart
Buffer = bytes | memoryview
JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
TENSOR_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool),
        *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    )
}
ARRAY_DTYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in (
        *("<f2", "<f4", "<f8", "?"),
        *("<u1", "<u2", "<u4", "<u8", "<i1", "<i2", "<i4", "<i8"),
    )
}


class BadFrame(Exception):
    """A frame that no honest peer would send."""


def length_of(text: str) -> int:
    """Return how many bytes a text takes in a header."""
    return len(JSON.encode(text).encode("utf-8", "replace"))


def aligned(length: int) -> int:
    """Return the first place at or behind this one where any number may lie."""
    return -(-length // ALIGNMENT) * ALIGNMENT


class Encoder:
    """Write a value as a JSON tree and the bytes of its tensors."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self.length = 0

    def encode(self, value: Any) -> Any:
        """Return the JSON tree of an exported value.

        Raises:
            ValueError: an integer beyond 64 bits, or a type that does not cross.
        """
        if value is None or type(value) in (bool, float, str):
            return value
        if type(value) is int:
            if not -MAX_INT <= value < MAX_INT:
                raise ValueError("an integer does not fit in 64 bits")
            return value
        if type(value) is HandleRef:
            return {"handle": list(value)}
        if is_record(type(value)):
            return {"record": [type(value).__name__, *map(self.encode, value)]}
        if type(value) in (list, tuple):
            return {type(value).__name__: [self.encode(item) for item in value]}
        if type(value) is dict:
            return {"dict": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
        if is_plain_tensor(value) and (name := str(value.dtype)[6:]) in TENSOR_DTYPES:
            self.expect_room(value.nbytes)
            flat = value.detach().contiguous().reshape(-1).view(torch.uint8)
            return {"tensor": [name, shape_of(value), *self.place(flat.numpy().data)]}
        if is_plain_array(value):
            array = value.astype(value.dtype.newbyteorder("<"), copy=False)
            if array.dtype.str in ARRAY_DTYPES:
                self.expect_room(array.nbytes)
                flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
                return {"array": [array.dtype.str, shape_of(array), *self.place(flat.data)]}
        raise ValueError(f"a value of type {type(value).__name__} cannot leave the sandbox")

    def expect_room(self, length: int) -> None:
        """See to it that bytes fit, before they are gathered: a view may show more than there is.

        Raises:
            ValueError: they do not.
        """
        if self.length + length > MAX_BODY:
            raise ValueError(too_large(self.length + length))

    def place(self, data: memoryview) -> tuple[int, int]:
        """Append bytes to the body, at the next aligned place; return its start and the length."""
        start = aligned(self.length)
        self.buffers += [bytes(start - self.length), data]
        self.length = start + len(data)
        return start, len(data)


def too_large(length: int) -> str:
    """Say that so many bytes do not cross at once."""
    return f"an answer of {length / 2**20:.0f} MiB is too large to hand over"


def shape_of(value: torch.Tensor | np.ndarray) -> list[int]:
    """Return the shape of what is to cross.

    Raises:
        ValueError: it has more dimensions than the other side takes.
    """
    if value.ndim > MAX_DIMENSIONS:
        raise ValueError(f"{value.ndim} dimensions are more than the {MAX_DIMENSIONS} that cross")
    return list(value.shape)


class Decoder:
    """Read a JSON tree and a body back into a value, believing nothing."""

    def __init__(self, body: bytearray):
        self.body = body
        self.depth = 0
        self.read = 0

    def decode(self, tree: Any) -> Any:
        """Return the value of a JSON tree.

        Raises:
            BadFrame: anything that `Encoder` would not have written.
        """
        if tree is None or type(tree) in (bool, float):
            return tree
        if type(tree) is str:
            return tree.encode("utf-8", "replace").decode("utf-8")
        if type(tree) is int:
            return self.require(-MAX_INT <= tree < MAX_INT, tree, "integer too large")
        self.require(type(tree) is dict and len(tree) == 1, tree, "not a tagged value")
        ((tag, content),) = tree.items()
        self.require(type(content) is list, tree, "content is not a list")
        self.require(self.depth < MAX_DEPTH + 10, tree, "nested too deeply")
        self.depth += 1
        value = self.tagged(tag, content)
        self.depth -= 1
        return value

    def tagged(self, tag: str, content: list[Any]) -> Any:
        """Read what is not a JSON value by itself."""
        if tag in ("list", "tuple"):
            items = [self.decode(item) for item in content]
            return items if tag == "list" else tuple(items)
        readers: dict[str, Callable[..., Any]] = {
            "dict": self.read_dict,
            "tensor": self.read_tensor,
            "array": self.read_array,
            "handle": self.read_handle,
            "record": self.read_record,
        }
        self.require(tag in readers, tag, "unknown tag")
        return readers[tag](*content) if tag != "dict" else self.read_dict(content)

    @staticmethod
    def require(condition: bool, value: Any, complaint: str) -> Any:
        """Return the value if the condition holds."""
        if not condition:
            raise BadFrame(complaint)
        return value

    def read_dict(self, pairs: list[Any]) -> dict[Any, Any]:
        """Read key and value pairs."""
        pairs = [self.require(type(p) is list and len(p) == 2, p, "not a pair") for p in pairs]
        return {self.decode(key): self.decode(value) for key, value in pairs}

    def read_handle(self, number: Any, type_name: Any) -> HandleRef:
        """Read a handle."""
        self.require(type(number) is int and type(type_name) is str, None, "bad handle")
        return HandleRef(number, class_name(type_name))

    def read_record(self, name: Any, *fields: Any) -> Any:
        """Read one of the course's own named tuples."""
        kind: Any = RECORDS.get(name) if type(name) is str else None
        self.require(kind is not None and len(fields) == len(kind._fields), name, "bad record")
        return kind(*(self.decode(field) for field in fields))

    def read_tensor(self, dtype: Any, shape: Any, start: Any, length: Any) -> torch.Tensor:
        """Read a tensor; no other lies in its part of the body."""
        self.require(type(dtype) is str and dtype in TENSOR_DTYPES, dtype, "unknown dtype")
        kind = TENSOR_DTYPES[dtype]
        count = self.expect_bytes(shape, start, length, kind.itemsize, kind is torch.bool)
        if not count:
            return torch.empty(shape, dtype=kind)
        return torch.frombuffer(self.part(start, length), dtype=kind).reshape(shape)

    def read_array(self, dtype: Any, shape: Any, start: Any, length: Any) -> np.ndarray:
        """Read an array; no other lies in its part of the body."""
        self.require(type(dtype) is str and dtype in ARRAY_DTYPES, dtype, "unknown dtype")
        kind = ARRAY_DTYPES[dtype]
        count = self.expect_bytes(shape, start, length, kind.itemsize, kind == np.bool_)
        if not count:
            return np.empty(shape, dtype=kind)
        return np.frombuffer(self.part(start, length), dtype=kind).reshape(shape)

    def part(self, start: int, length: int) -> memoryview | bytearray:
        """Return some bytes of the body; a small part does not keep all of it in memory."""
        if length <= SMALL < len(self.body):
            return self.body[start : start + length]
        return memoryview(self.body)[start : start + length]

    def expect_bytes(self, shape: Any, start: Any, length: Any, size: int, booleans: bool) -> int:
        """Return how many numbers of so many bytes lie there: those that come next in the body."""
        numbers = [start, length, *shape] if type(shape) is list else [None]
        sound = all(type(n) is int and 0 <= n < MAX_INT for n in numbers)
        self.require(sound and len(shape) <= MAX_DIMENSIONS, shape, "bad shape")
        count = math.prod(shape)
        self.require(count * size == length, shape, "shape and length disagree")
        self.require(start == aligned(self.read), shape, "bytes are out of order")
        self.read = start + length
        self.require(self.read <= len(self.body), shape, "bytes lie outside the body")
        if booleans and count and max(memoryview(self.body)[start : self.read]) > 1:
            raise BadFrame("a boolean is neither 0 nor 1")
        return count


def pack(message: dict[str, Any]) -> list[Buffer]:
    """Write a message as the parts of a frame; values of the dict are exported values.

    Raises:
        ValueError: a value does not cross, or the frame would be over the cap.
    """
    encoder = Encoder()
    tree = {key: encoder.encode(value) for key, value in message.items()}
    header = JSON.encode(tree).encode("utf-8", "replace")
    if len(header) > MAX_HEADER or encoder.length > MAX_BODY:
        raise ValueError(too_large(len(header) + encoder.length))
    parts = [LENGTHS.pack(len(header), encoder.length) + header, *encoder.buffers]
    return [b"".join(parts)] if encoder.length <= SMALL else parts


def unpack(header: bytes | bytearray, body: bytearray) -> dict[str, Any]:
    """Read a message.

    Raises:
        BadFrame: anything that `pack` would not have written.
    """
    try:
        tree = json.loads(header)
        if type(tree) is not dict:
            raise BadFrame("the header is not an object")
        decoder = Decoder(body)
        return {key: decoder.decode(value) for key, value in tree.items()}
    except (ValueError, TypeError, RuntimeError, MemoryError, OverflowError) as error:
        raise BadFrame(f"{type(error).__name__} while reading a frame") from error
