"""What loaded libraries took for themselves and no worker needs, so that forking need not copy it.

A torch with CUDA loads CUDA's libraries wherever it runs, and one of them fills 90 MiB with tables
of its own as soon as it is loaded. In a sandbox there is no accelerator, and nothing reads them.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator

PT_LOAD = 1
FOLDER = b"-packages/nvidia/"  # NVIDIA's libraries as torch depends on them
# Smaller ones cost little, and some are read to find that there is no accelerator.
LARGE = 16 << 20


class Segment(ctypes.Structure):
    """A program header of 64 bits, `Elf64_Phdr` in elf.h."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("type", "flags")),
        *((name, ctypes.c_uint64) for name in ("offset", "vaddr", "paddr", "filesz", "memsz")),
        ("align", ctypes.c_uint64),
    ]


class Library(ctypes.Structure):
    """A loaded library, the beginning of `dl_phdr_info` in link.h."""

    _fields_ = [
        ("address", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("segments", ctypes.POINTER(Segment)),
        ("count", ctypes.c_uint16),
    ]


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Library), ctypes.c_size_t, ctypes.c_void_p)


def large_tables() -> list[tuple[int, int]]:
    """List where CUDA's libraries have large memory that no file holds: first address and length.

    Whole pages only.
    """
    found: list[tuple[int, int]] = []

    def look(library: ctypes._Pointer[Library], _size: int, _data: None) -> int:
        if FOLDER in os.path.normpath(library.contents.name):  # torch loads them as ../../nvidia
            found.extend(zeroed(library.contents))
        return 0

    ctypes.CDLL(None).dl_iterate_phdr(CALLBACK(look), None)
    return [(start, length) for start, length in found if length >= LARGE]


def zeroed(library: Library) -> Iterator[tuple[int, int]]:
    """List the pages of a library that began as zeros: first address and length."""
    page = mmap.PAGESIZE
    for segment in library.segments[: library.count]:
        if segment.type == PT_LOAD:
            start = library.address + segment.vaddr + segment.filesz
            end = library.address + segment.vaddr + segment.memsz
            first, last = -(-start // page) * page, end // page * page
            yield first, max(0, last - first)


def keep_from_workers() -> None:
    """Have children that are forked from now on begin without these tables."""
    libc = ctypes.CDLL(None)
    for start, length in large_tables():
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), mmap.MADV_DONTFORK)
