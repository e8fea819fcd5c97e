"""Kinds of junk: what is put in the place of answers, to see whether a check can stand it.

Plain ones have nothing to do with the question. Twisted ones are made of the right answer, and get
past the first look that a check takes: the right shape with other numbers, one row too few, a
network that answers so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of junk.

    Attributes:
        name: in reports.
        text: a Python expression. A plain kind may use `given`, the list of the arguments; a
            twisted one is a function of a part of the right answer: see `twisted` in `HELPERS`.
    """

    name: str
    text: str


# What the expressions use; it runs in the worker, at the end of a task's cell.
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
    """Return a change of tensors, and one of numbers; what is neither stays."""
    def change(value):
        if isinstance(value, _torch.Tensor):
            return tensors(value.detach())
        return numbers(value) if type(value) in (int, float) else value
    return change
'''

PLAIN = (
    Kind("None", "None"),
    Kind("True", "True"),
    Kind("zero", "0"),
    Kind("minus one", "-1"),
    Kind("an int of 63 bits", "2**62"),
    Kind("an int of 400 figures", "10**400"),
    Kind("NaN", "float('nan')"),
    Kind("infinity", "float('inf')"),
    Kind("a complex number", "1j"),
    Kind("an empty text", "''"),
    Kind("a long text", "'junk ' * 180_000"),
    Kind("control characters", r"'\x1b[31m\x00\r\u202e\ud800junk'"),
    Kind("bytes", "b'junk'"),
    Kind("NotImplemented", "NotImplemented"),
    Kind("an empty list", "[]"),
    Kind("an empty tuple", "()"),
    Kind("a mixed list", "[None, 'junk', 1.5, [], {}]"),
    Kind("a deep list", "_functools.reduce(lambda inner, _: [inner], range(10_000), [])"),
    Kind("an empty dict", "{}"),
    Kind("a dict of odd keys", "{None: 1, 2: None, (3, 'x'): 'junk', 1.5: {}, True: []}"),
    Kind("a set", "{1, 2}"),
    Kind("a generator", "(n for n in range(3))"),
    Kind("a tensor of no dimension", "_torch.tensor(1.0)"),
    Kind("an empty tensor", "_torch.zeros(0)"),
    Kind("an empty tensor of huge sides", "_torch.zeros(0, 1 << 40)"),
    Kind("a vector", "_torch.arange(4.0)"),
    Kind("a tensor of NaN", "_torch.full((2, 4), float('nan'))"),
    Kind("a tensor of ints", "_torch.arange(4)"),
    Kind("a tensor of booleans", "_torch.tensor([[True, False]])"),
    Kind("a tensor of bfloat16", "_torch.ones(2, 4, dtype=_torch.bfloat16)"),
    Kind("a complex tensor", "_torch.ones(2, 4) * 1j"),
    Kind("a sparse tensor", "_torch.eye(4).to_sparse()"),
    Kind("a tensor of no storage", "_torch.ones(2, 4, device='meta')"),
    Kind("a nested tensor", "_torch.nested.nested_tensor([_torch.ones(2), _torch.ones(3)])"),
    Kind("a quantized tensor", "_torch.quantize_per_tensor(_torch.ones(4), 0.1, 0, _torch.quint8)"),
    Kind("a tensor with a gradient", "_torch.ones(2, 4, requires_grad=True)"),
    Kind("a tensor of twenty dimensions", "_torch.ones((1,) * 20)"),
    Kind("a tensor larger than memory", "_torch.zeros(1).expand(1 << 42)"),
    Kind("a NumPy number", "_np.float64(1.5)"),
    Kind("a NumPy array", "_np.ones((2, 3))"),
    Kind("a NumPy array of objects", "_np.array([None, 'junk'], dtype=object)"),
    Kind("a module", "_torch.nn.Linear(1, 1)"),
    Kind("a class", "dict"),
    Kind("a function", "len"),
    Kind("an exception", "ValueError('junk')"),
    Kind("an exception that is raised", "_raised(_Silent())"),
    Kind("what agrees with everything", "_Agreeable()"),
    Kind("its first argument", "given[0] if given else None"),
    Kind("all its arguments", "given"),
)

TWISTED = (
    Kind("with None for each part", "lambda part: None"),
    Kind("with texts", "str"),
    Kind("with zeros", "_on(_torch.zeros_like, lambda x: type(x)(0))"),
    Kind("with NaN", "_on(lambda x: x.double() * float('nan'), lambda x: float('nan'))"),
    Kind(
        "with huge numbers",
        "_on(lambda x: _torch.full_like(x, 1 if x.dtype == _torch.bool else "
        "_torch.finfo(x.dtype).max if x.is_floating_point() else _torch.iinfo(x.dtype).max), "
        "lambda x: type(x)(2**62))",
    ),
    Kind(
        "with opposite signs",
        "_on(lambda x: ~x if x.dtype == _torch.bool else -x - 1, lambda x: -x - 1)",
    ),
    Kind(
        "of another dtype", "_on(lambda x: x.double() if x.is_floating_point() else x.int(), str)"
    ),
    Kind("of booleans", "_on(lambda x: x > 0, bool)"),
    Kind("of NumPy arrays", "_on(lambda x: x.numpy(), _np.float64)"),
    Kind("of lists", "_on(lambda x: x.tolist(), lambda x: [x])"),
    Kind("summed up", "_on(lambda x: x.sum())"),
    Kind("flattened", "_on(lambda x: x.flatten())"),
    Kind("with one more dimension", "_on(lambda x: x[None], lambda x: [x])"),
    Kind("without its last row", "_on(lambda x: x[:-1] if x.dim() else x)"),
    Kind("without any row", "_on(lambda x: x[:0] if x.dim() else x)"),
    Kind("twice", "_on(lambda x: _torch.cat([x, x]) if x.dim() else x.repeat(2))"),
    Kind("backwards", "_on(lambda x: x.flip(0) if x.dim() else -x)"),
)
