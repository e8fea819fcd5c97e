"""The values that may pass between a student's code and a check.

Only exact types pass as data: a subclass could carry its own `__eq__` or
`__torch_function__` and agree with everything. Whatever else a student's code
returns (a module, a figure, a function, an object of their own) stays where it
is, and the check holds a numbered handle to it.
"""

import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

PLAIN_TYPES = (bool, int, float, str)
TENSOR_TYPES = (torch.Tensor, nn.Parameter)
NUMPY_SCALARS = frozenset(np.sctypeDict.values()) - {np.object_, np.void, np.str_, np.bytes_}
# How messages call tensors that are not data.
TENSOR_KINDS = {
    "NestedTensor": "a nested tensor",
    "QuantizedTensor": "a quantized tensor",
    "MetaTensor": "a tensor without numbers (on the meta device)",
    "DeviceTensor": "a tensor on another device than the CPU",
    "SparseTensor": "a sparse tensor",
}
MAX_DEPTH = 20
# The named tuples that pass as such, by name: each course allows its own.
RECORDS: dict[str, type] = {}


def allow_records(records: Iterable[type]) -> None:
    """Let these named tuples pass between a student's code and a check, for this process's life."""
    RECORDS.update({record.__name__: record for record in records})


def is_record(kind: type) -> bool:
    """Say whether this is exactly one of the allowed named tuples."""
    # Without a builtin, in whose place cells may have put another.
    return [record for record in RECORDS.values() if kind is record] != []


class HandleRef(NamedTuple):
    """An object that stays with the student's code: its number there and its type's name."""

    number: int
    type_name: str


def class_name(name: str) -> str:
    """Return how a message may name a class of the student's, who may call it anything.

    Long numbers are left out: they could be a hidden check's inputs.
    """
    plain = name.isidentifier() and name.isprintable() and len(name) <= 60
    return re.sub(r"_*\d{2,}", "", name) if plain else "object"


def is_plain_array(value: Any) -> bool:
    """Say whether the value is exactly an ndarray of numbers or booleans."""
    return type(value) is np.ndarray and value.dtype.kind in "biuf"


def is_plain_tensor(value: Any) -> bool:
    """Say whether the value is exactly a dense Tensor (or Parameter) on the CPU."""
    return (
        type(value) in TENSOR_TYPES
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and not value.is_nested
    )


def kind_name(value: Any) -> str:
    """Name the class of an object that stays with the student's code, tensors more closely."""
    kind = type(value)
    if kind not in TENSOR_TYPES:
        return kind.__name__
    if value.is_nested:
        return "NestedTensor"
    if value.is_quantized:
        return "QuantizedTensor"
    if value.device.type != "cpu":
        return "MetaTensor" if value.device.type == "meta" else "DeviceTensor"
    return "SparseTensor" if value.layout is not torch.strided else kind.__name__


def export(value: Any, keep: Callable[[Any], HandleRef], depth: int = 0) -> Any:
    """Turn a student's value into data that a check may hold.

    Tensors are detached copies, numpy scalars become Python numbers.

    Args:
        value: anything.
        keep: called with each object that is not plain data, returns its handle.
        depth: how many containers enclose the value.

    Returns:
        None, bool, int, float, str, Tensor, ndarray, `HandleRef`, a record, or a list,
        tuple or dict of these.

    Raises:
        ValueError: containers nested deeper than 20.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"a value nests containers more than {MAX_DEPTH} deep")
    kind = type(value)
    if value is None or kind in PLAIN_TYPES:
        return value
    if kind in (list, tuple):
        return kind([export(item, keep, depth + 1) for item in value])
    if kind is torch.Size:
        return tuple(value)
    if is_record(kind):
        return kind(*(export(item, keep, depth + 1) for item in value))
    if issubclass(kind, tuple):  # a named tuple of their own is a tuple of the same items
        return tuple(export(item, keep, depth + 1) for item in tuple.__iter__(value))
    if kind in (dict, OrderedDict, defaultdict):
        return {
            export_key(key, keep, depth): export(item, keep, depth + 1)
            for key, item in value.items()
        }
    if is_plain_tensor(value):
        return value.detach().clone(memory_format=torch.contiguous_format)
    if is_plain_array(value):
        return np.array(value, order="C")
    if kind in NUMPY_SCALARS:
        return value.item()
    return keep(value)


def export_key(key: Any, keep: Callable[[Any], HandleRef], depth: int) -> Any:
    """Export a dictionary's key; a tensor or list cannot be one on the other side."""
    exported = export(key, keep, depth + 1)
    hash(exported)
    return exported


def without_sharing(value: Any) -> Any:
    """Copy the tensors of a check's arguments: the student's code may change what it is given."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if type(value) in (list, tuple):
        return type(value)(without_sharing(item) for item in value)
    if type(value) is dict:
        return {key: without_sharing(item) for key, item in value.items()}
    return value


def replace_handles(value: Any, replace: Callable[[Any], Any], kind: type) -> Any:
    """Walk containers and put `replace(item)` for every item that is exactly of `kind`."""
    if type(value) is kind:
        return replace(value)
    if type(value) in (list, tuple):
        return type(value)(replace_handles(item, replace, kind) for item in value)
    if is_record(type(value)):
        return type(value)(*(replace_handles(item, replace, kind) for item in value))
    if type(value) is dict:
        return {key: replace_handles(item, replace, kind) for key, item in value.items()}
    return value
