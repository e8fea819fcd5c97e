"""Huge pages for what a process has in memory: the kernel then forks it in less time.

Forking copies a table entry for each page of 4 KiB that is written to, and one for 2 MiB of a huge
page. The C library asks for huge pages for its heap (see `sandbox.host`); Python's own arenas and
what libraries map are gathered into such pages here, once, when all is imported.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator

HUGE = 2 << 20
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25  # the latter since Linux 6.1; others refuse it, and no harm
# Private memory of no file that can be written to: where it begins and ends.
ANONYMOUS = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0\s*(?:\[heap\])?\s*")


def gather_pages(processes: int) -> None:
    """Gather this process's memory into huge pages, as far as the kernel can.

    Args:
        processes: a descriptor of /proc, which is not there inside; it is closed.
    """
    try:
        with open(os.open("self/maps", os.O_RDONLY, dir_fd=processes), errors="replace") as file:
            maps = file.read()
    except OSError:  # where that is not to be seen, pages stay small
        maps = ""
    os.close(processes)
    libc = ctypes.CDLL(None)
    for start, size in whole_pages(maps):
        for advice in (MADV_HUGEPAGE, MADV_COLLAPSE):
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), advice)


def whole_pages(maps: str) -> Iterator[tuple[int, int]]:
    """Yield where whole huge pages fit into a process's own memory: address and size, bytes."""
    for line in maps.splitlines():
        if found := ANONYMOUS.fullmatch(line):
            start, end = (int(one, 16) for one in found.groups())
            first, last = -(-start // HUGE) * HUGE, end // HUGE * HUGE
            if first < last:
                yield first, last - first
