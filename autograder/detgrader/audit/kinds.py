"""Kinds of junk: what is put in the place of answers, to see whether a check can stand it.

Plain ones have nothing to do with the question. Twisted ones are made of the right answer, and get
past the first look that a check takes: the right shape with other numbers, a row too few, a network
that answers so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Junk:
    """A kind of junk.

    Attributes:
        name: in reports.
        text: a Python expression. A plain kind's may use `given`, the list of the arguments; a
            twisted one's is a function of a part of the right answer, see `twisted` in `HELPERS`.
    """

    name: str
    text: str


# What the expressions use. It runs at the end of a task's cell, among the student's names.
HELPERS = '''\
import functools as _functools

import numpy as _np
import torch as _torch


class _Agreeable:
    """Agrees with everything: each operation holds, each attribute is there."""

    __hash__ = None
    def __eq__(self, other): return True
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __getattr__(self, name): return self
    def __call__(self, *given, **named): return self
    def __len__(self): return 1
    def __iter__(self): return iter([self])
    def __getitem__(self, place): return self
    def __add__(self, other): return self
    __sub__ = __mul__ = __truediv__ = __radd__ = __rsub__ = __rmul__ = __add__
    def __float__(self): return 0.0
    def __index__(self): return 0


class _Silent(Exception):
    """Does not even say what it is."""

    def __str__(self): raise self
    __repr__ = __str__


def _raised(error):
    raise error


def _twisted(value, change):
    """Change each tensor, number and text of an answer; of a network, what it will answer."""
    again = _functools.partial(_twisted, change=change)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(again, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(again, value))
    if isinstance(value, dict):
        return {key: again(one) for key, one in value.items()}
    if isinstance(value, _torch.nn.Module):
        right = value.forward
        value.forward = lambda *given, **named: again(right(*given, **named))
        return value
    return change(value)


def _on(tensors, numbers=lambda number: number):
    """Return a change of tensors and of numbers; what is neither stays."""
    def change(value):
        if isinstance(value, _torch.Tensor):
            return tensors(value.detach())
        return numbers(value) if type(value) in (int, float) else value
    return change


def _largest(values):
    """Fill a tensor with the largest number that its dtype has."""
    if values.dtype == _torch.bool:
        return _torch.ones_like(values)
    info = _torch.finfo if values.is_floating_point() else _torch.iinfo
    return _torch.full_like(values, info(values.dtype).max)
'''

PLAIN = (
    Junk("None", "None"),
    Junk("True", "True"),
    Junk("zero", "0"),
    Junk("minus one", "-1"),
    Junk("an int of 63 bits", "2**62"),
    Junk("an int too large for a float", "10**400"),
    Junk("NaN", "float('nan')"),
    Junk("infinity", "float('inf')"),
    Junk("a complex number", "1j"),
    Junk("an empty text", "''"),
    Junk("a long text", "'junk ' * 180_000"),
    Junk("control characters", r"'\x1b[31m\x00\r\u202e\ud800junk'"),
    Junk("bytes", "b'junk'"),
    Junk("NotImplemented", "NotImplemented"),
    Junk("an empty list", "[]"),
    Junk("an empty tuple", "()"),
    Junk("a mixed list", "[None, 'junk', 1.5, [], {}]"),
    Junk("a deep list", "_functools.reduce(lambda inner, _: [inner], range(10_000), [])"),
    Junk("an empty dict", "{}"),
    Junk("a dict of odd keys", "{None: 1, 2: None, (3, 'x'): 'junk', 1.5: {}, True: []}"),
    Junk("a set", "{1, 2}"),
    Junk("a generator", "(n for n in range(3))"),
    Junk("a tensor of no dimension", "_torch.tensor(1.0)"),
    Junk("an empty tensor", "_torch.zeros(0)"),
    Junk("an empty tensor of huge sides", "_torch.zeros(0, 1 << 40)"),
    Junk("a vector", "_torch.arange(4.0)"),
    Junk("a tensor of NaN", "_torch.full((2, 4), float('nan'))"),
    Junk("a tensor of ints", "_torch.arange(4)"),
    Junk("a tensor of booleans", "_torch.tensor([[True, False]])"),
    Junk("a tensor of bfloat16", "_torch.ones(2, 4, dtype=_torch.bfloat16)"),
    Junk("a complex tensor", "_torch.ones(2, 4) * 1j"),
    Junk("a sparse tensor", "_torch.eye(4).to_sparse()"),
    Junk("a tensor of no storage", "_torch.ones(2, 4, device='meta')"),
    Junk("a nested tensor", "_torch.nested.nested_tensor([_torch.ones(2), _torch.ones(3)])"),
    Junk("a quantized tensor", "_torch.quantize_per_tensor(_torch.ones(4), 0.1, 0, _torch.quint8)"),
    Junk("a tensor with a gradient", "_torch.ones(2, 4, requires_grad=True)"),
    Junk("a tensor of twenty dimensions", "_torch.ones((1,) * 20)"),
    Junk("a tensor larger than memory", "_torch.zeros(1).expand(1 << 42)"),
    Junk("a NumPy number", "_np.float64(1.5)"),
    Junk("a NumPy array", "_np.ones((2, 3))"),
    Junk("a NumPy array of objects", "_np.array([None, 'junk'], dtype=object)"),
    Junk("a module", "_torch.nn.Linear(1, 1)"),
    Junk("a class", "dict"),
    Junk("a function", "len"),
    Junk("an exception", "ValueError('junk')"),
    Junk("an exception that is raised", "_raised(_Silent())"),
    Junk("what agrees with everything", "_Agreeable()"),
    Junk("its first argument", "given[0] if given else None"),
    Junk("all its arguments", "given"),
)

TWISTED = (
    Junk("with None for each part", "lambda part: None"),
    Junk("with texts", "str"),
    Junk("with zeros", "_on(_torch.zeros_like, lambda x: type(x)(0))"),
    Junk("with NaN", "_on(lambda x: x.double() * float('nan'), lambda x: float('nan'))"),
    Junk("with huge numbers", "_on(_largest, lambda x: type(x)(2**62))"),
    Junk("with opposite signs", "_on(lambda x: 1 - x.double(), lambda x: -x - 1)"),
    Junk("in float64 and int32", "_on(lambda x: x.double() if x.is_floating_point() else x.int())"),
    Junk("of booleans", "_on(lambda x: x > 0, bool)"),
    Junk("of NumPy arrays", "_on(lambda x: x.numpy(), _np.float64)"),
    Junk("of lists", "_on(lambda x: x.tolist(), lambda x: [x])"),
    Junk("summed up", "_on(lambda x: x.sum())"),
    Junk("flattened", "_on(lambda x: x.flatten())"),
    Junk("with one more dimension", "_on(lambda x: x[None], lambda x: [x])"),
    Junk("without its last row", "_on(lambda x: x[:-1] if x.dim() else x)"),
    Junk("without any row", "_on(lambda x: x[:0] if x.dim() else x)"),
    Junk("twice", "_on(lambda x: _torch.cat([x, x]) if x.dim() else x.repeat(2))"),
    Junk("backwards", "_on(lambda x: x.flip(0) if x.dim() else -x)"),
)


def some(kinds: Iterable[Junk], count: int, *salt: object) -> list[Junk]:
    """Choose kinds: always the same ones of a salt, others of another.

    All kinds for all answers would take hours, and a check that one kind breaks is seldom broken by
    no other; what is left out here has its turn elsewhere, most likely.
    """
    by_name = {kind.name: kind for kind in kinds}
    return [by_name[name] for name in some_of(by_name, count, *salt)]


def some_of(names: Iterable[str], count: int, *salt: object) -> list[str]:
    """Choose names by their hash and the salt's."""

    def rank(name: str) -> bytes:
        return hashlib.sha256(repr((*salt, name)).encode()).digest()

    return sorted(names, key=rank)[:count]
