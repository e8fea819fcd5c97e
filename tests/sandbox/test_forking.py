"""What forking a worker costs hangs on the memory that is not copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.host import Inside, Sandbox, isolation_of, start_sandbox
from detgrader.sandbox.inside.libraries import large_tables
from detgrader.sandbox.limits import Limits

HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
ASKS_FOR_ACCELERATORS = """
import torch
assert not torch.cuda.is_available() and torch.cuda.device_count() == 0
torch.backends.cuda.is_built(), torch.backends.cudnn.is_available(), torch.__config__.show()
torch.manual_seed(3)
try:
    torch.zeros(1).cuda()
except (RuntimeError, AssertionError):
    pass
else:
    raise ValueError("there is one")
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    inside = Inside(packages=("detlab",))
    program = isolation_of(inside)
    assert program, "the sandbox must work here: see detgrader doctor"
    with start_sandbox(1, program, inside) as sandbox:
        sandbox.wait_until_ready()
        yield sandbox


def maps_of_zygote(sandbox: Sandbox) -> str:
    """Return what the kernel says of the memory from which workers are forked."""
    (inner,) = psutil.Process(sandbox.process.pid).children()
    (zygote,) = inner.children()
    return Path(f"/proc/{zygote.pid}/smaps").read_text("utf-8")


@pytest.mark.skipif(
    not HUGE.exists() or "[never]" in HUGE.read_text("ascii"),
    reason="this machine has no huge pages to give",
)
def test_the_heap_that_workers_share_lies_in_huge_pages(sandbox: Sandbox) -> None:
    """A huge page of 2 MiB is copied as one table entry. Half of the heap is more than this."""
    kib = sum(map(int, re.findall(r"^AnonHugePages: +(\d+)", maps_of_zygote(sandbox), re.M)))
    assert kib > 32 << 10


@pytest.mark.skipif(not large_tables(), reason="this torch comes without CUDA's libraries")
def test_workers_begin_without_the_tables_of_cudas_libraries(sandbox: Sandbox) -> None:
    flags = re.findall(r"^VmFlags:(.*)$", maps_of_zygote(sandbox), re.M)
    assert sum("dc" in line.split() for line in flags) == len(large_tables())


def test_who_asks_for_an_accelerator_hears_that_there_is_none(sandbox: Sandbox) -> None:
    worker = WorkerClient(DispatcherClient(sandbox.controls[0]), Limits())
    cell = {"cell": "cell", "source": ASKS_FOR_ACCELERATORS, "definitions_only": False}
    assert worker.run([cell]) == [None]
    worker.close()
