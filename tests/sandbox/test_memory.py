"""What a worker's memory is held against, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.host import Inside, isolation_of, start_sandbox
from detgrader.sandbox.limits import LimitReached, Limits
from detlab.checking.student import Student

LIMITS = Limits(cpu_s=20, memory_mb=600, wall_s=60)


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    inside = Inside(packages=("detlab",))
    with start_sandbox(1, isolation_of(inside), inside) as sandbox:
        sandbox.wait_until_ready()
        yield DispatcherClient(sandbox.controls[0])


def run(dispatcher: DispatcherClient, source: str) -> WorkerClient:
    """Run some code in a worker, to its end."""
    worker = WorkerClient(dispatcher, LIMITS)
    errors = worker.run([{"cell": "cell", "source": source, "definitions_only": False}])
    worker.close()
    if errors[0] and errors[0].limit:
        raise LimitReached(errors[0].limit, LIMITS)
    assert errors == [None]
    return worker


def test_memory_is_counted_beyond_what_the_libraries_have(dispatcher: DispatcherClient) -> None:
    assert run(dispatcher, "pass").account("memory_mb") < 20
    # Gone when the worker ends: it is the most that counts.
    worker = run(dispatcher, "import torch\nx = torch.ones(100 << 18)\ndel x")
    assert 95 < worker.account("memory_mb") < 130


def test_all_of_the_limit_is_there_for_answers(dispatcher: DispatcherClient) -> None:
    run(dispatcher, "import torch\nx = torch.ones(560 << 18)")
    with pytest.raises(LimitReached, match="more than 600 MB"):
        run(dispatcher, "import torch\nx = torch.ones(620 << 18)")


def test_threads_and_what_they_allocate_are_left_in_peace(dispatcher: DispatcherClient) -> None:
    # Each thread's heap reserves 64 MiB, which is no memory that the code asked for.
    source = """
import threading
import torch
def work():
    done.append(bytes(1000) + bytes(torch.ones(1 << 18).sum().int().item() >> 10))
done = []
threads = [threading.Thread(target=work) for _ in range(30)]
for one in threads: one.start()
for one in threads: one.join()
assert len(done) == 30
x = torch.ones(280 << 18)
"""
    for _ in range(8):  # what threads race for goes wrong now and then
        run(dispatcher, source)


def test_a_worker_is_looked_at_until_it_has_ended(dispatcher: DispatcherClient) -> None:
    worker = run(dispatcher, "pass")
    worker.account("cpu_s")
    assert worker.number not in dispatcher.watch.processes
    assert dispatcher.watch.ended == {}


def test_who_leaves_no_room_for_a_question_is_told_of_the_memory(
    dispatcher: DispatcherClient,
) -> None:
    """No answer can be given then, not even that there was no memory; it is no attack."""
    worker = WorkerClient(dispatcher, LIMITS)
    source = f"kept = bytearray({LIMITS.memory_mb - 20} << 20)\ndef same(x): return x"
    worker.run([{"cell": "cell", "source": source, "definitions_only": False}])
    with pytest.raises(LimitReached, match="MB of memory"):
        Student(worker.perform).same(x=torch.zeros(1 << 24))
