"""Memory is gathered into huge pages, and only a process's own."""

from __future__ import annotations

import subprocess
import sys

from detgrader.sandbox.inside.huge import HUGE, whole_pages

MAPS = """\
00200000-00a00000 rw-p 00000000 00:00 0                                  [heap]
00a01000-00e00000 rw-p 00000000 00:00 0
00f00000-01000000 rw-p 00000000 00:00 0
02000000-04000000 r--p 00000000 00:00 0
04000000-06000000 rw-p 00000000 fe:00 1234                               /usr/lib/libm.so
06000000-08000000 rw-s 00000000 00:01 5                                  /dev/zero (deleted)
08000000-0a000000 rw-p 00000000 00:00 0                                  [stack]
"""
# A process that holds 64 MB in small objects says how much of its memory is in huge pages.
GATHER = """
import os, re
from detgrader.sandbox.inside.huge import gather_pages

def in_huge_pages():
    return int(re.search(r"AnonHugePages:\\s+(\\d+)", open("/proc/self/smaps_rollup").read())[1])

kept = [bytes(200) + bytes([n % 256]) for n in range(300_000)]
before = in_huge_pages()
gather_pages(os.open("/proc", os.O_RDONLY))
print(before, in_huge_pages(), sum(map(len, kept)))
"""


def test_whole_pages_of_own_memory_are_found() -> None:
    found = list(whole_pages(MAPS))
    assert found == [(0x200000, 4 * HUGE), (0xC00000, HUGE)]


def test_small_objects_come_to_lie_in_huge_pages() -> None:
    command = [sys.executable, "-c", GATHER]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after, size = map(int, done.stdout.split())
    assert size == 300_000 * 201
    # kB. How many of the thirty that would do the kernel finds hangs on how its memory is cut up.
    assert after - before >= 4 * (HUGE >> 10)


def test_where_no_memory_is_to_be_seen_nothing_happens() -> None:
    script = GATHER.replace('os.open("/proc"', 'os.open("/dev"')
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
