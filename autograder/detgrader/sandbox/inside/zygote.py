"""The zygote: imports torch once, then forks a worker for each task, ahead of its need.

Started inside the sandbox with a cleared environment, it has never seen a check, a
solution or a submission. Each of its dispatchers serves one grading job: the job sends
a worker's limits and one end of a socket, and hears how each worker ended. Graders
trust a dispatcher; no student's code ever runs in it.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch

from detgrader.sandbox.inside import confine, libraries, worker
from detgrader.sandbox.inside.bytecode import sources_without
from detgrader.sandbox.inside.channel import Channel
from detlab.checking.tools import tools_of
from detlab.checking.tools.figures import describe_figure
from detlab.checking.workbench import Tool

MESSAGE_BYTES = 4096
FIRST_DESCRIPTOR = 3
MAX_DESCRIPTORS = 1024


def warm_up(modules: list[str]) -> None:
    """Import what the week's tasks will ask for, and pay once for the first use of torch."""
    for module in modules:
        importlib.import_module(module)
    tempfile.gettempdir()  # found by writing, which no worker can, and remembered
    torch.set_num_threads(1)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        draw_once(pyplot)
    # Last: what is drawn and imported before makes Python forget which classes are no iterables.
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), torch.nn.Flatten(), torch.nn.Linear(4, 1))
    net(torch.zeros(1, 1, 4, 4)).sum().backward()
    confine.common_rules()
    libraries.keep_from_workers()
    # Every worker inherits this random state.
    np.random.seed(0)
    torch.manual_seed(0)
    gc.freeze()
    gc.enable()


def draw_once(pyplot: ModuleType) -> None:
    """Draw a figure with what most have, so that scales and layouts are there for all."""
    figure, (left, right) = pyplot.subplots(1, 2, layout="constrained")
    left.plot([1, 2], [1, 10], marker="o", label="a")
    left.set(xlabel="x", ylabel="y", title="t", yscale="log")
    left.legend()
    right.imshow(np.zeros((2, 2)), cmap="gray")
    right.add_patch(pyplot.Rectangle((0, 0), 1, 1, fill=False))
    describe_figure(figure)
    pyplot.close(figure)


class Memory(NamedTuple):
    """What a worker has from birth, in bytes.

    Attributes:
        writable: what counts against its limit, see `confine.counted_memory`: some 300 MiB, and
            twice as much where torch comes with its libraries for CUDA.
        mapped: it, and all files that are mapped.
        resident: what of all this lies in memory.
    """

    writable: int
    mapped: int
    resident: int

    def taken_mb(self, usage: resource.struct_rusage) -> int:
        """Return the MiB of writable memory that a worker had at most beyond these.

        The kernel keeps the largest resident memory of a process, not the writable, by which it
        allows more. What they grow by is as good as equal, to some 2 per cent (measured with
        convolutions): what is asked for is written to, and the libraries have been read before.
        """
        return max(0, (usage.ru_maxrss << 10) - self.resident) >> 20


def memory_at_birth() -> Memory:
    """Measure what every worker begins with, in a process that is forked like one."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            limits = (resource.RLIMIT_DATA, resource.RLIMIT_AS)
            os.write(writing, json.dumps([*map(confine.counted_memory, limits)]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    _, _, usage = os.wait4(process, 0)
    with open(reading, "rb") as told:
        text = told.read()
    if not text:
        raise RuntimeError("a worker's memory at birth could not be measured")
    writable, mapped = json.loads(text)
    return Memory(writable, mapped, usage.ru_maxrss << 10)


def give_up(limits: dict[str, int], memory: Memory) -> None:
    """Confine the current process."""
    more = limits["memory_mb"] << 20
    confine.set_limits(limits["cpu_s"], memory.writable + more, memory.mapped + more)
    confine.filter_system_calls()


def fork_spare(tools: Mapping[str, Tool], memory: Memory) -> tuple[int, socket.socket]:
    """Fork a worker ahead of its order, so that nobody waits for it.

    Returns:
        Its process id, and the socket on which it waits for an order and one end of a socket.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = os.fork()
    if process == 0:
        line = os.dup2(theirs.fileno(), FIRST_DESCRIPTOR)
        os.closerange(FIRST_DESCRIPTOR + 1, MAX_DESCRIPTORS)
        be_spare(socket.socket(fileno=line), tools, memory)
    theirs.close()
    return process, ours


def be_spare(line: socket.socket, tools: Mapping[str, Tool], memory: Memory) -> NoReturn:
    """Wait for an order, then live as a worker."""
    confine.die_with_parent()
    torch.set_num_threads(1)  # a forked process forgets; threads that race to ask anew can fail
    random.seed(0)  # not inherited: Python seeds it anew in a child
    order, descriptors, _, _ = socket.recv_fds(line, MESSAGE_BYTES, 1)
    line.close()
    if descriptors:
        end = socket.socket(fileno=descriptors[0])
        worker.main(Channel(end), tools, functools.partial(give_up, json.loads(order), memory))
    os._exit(0)


class Dispatcher:
    """Forks workers for one job and tells it how each ended.

    The job's orders are JSON: {"number", "cpu_s", "memory_mb"} with one end of a socket
    starts a worker, {"kill": number} ends it, {"kill": null} ends all. Two things are told unasked:
    that a worker has started, with a descriptor of its process, by which the job can look at the
    kernel's accounts itself; and once how it ended.
    """

    def __init__(self, control: socket.socket, tools: Mapping[str, Tool], memory: Memory):
        self.control = control
        self.tools = tools
        self.memory = memory
        self.running: dict[int, tuple[int, str]] = {}
        self.spare = fork_spare(self.tools, self.memory)

    def serve(self) -> None:
        """Work until the job closes; its workers end with it."""
        while True:
            ends: list[Any] = [self.control, *self.running]
            readable, _, _ = select.select(ends, [], [])
            for ended in self.running.keys() & set(readable):
                self.report(ended)
            if self.control in readable:
                data, descriptors, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, 1)
                if not data:
                    return
                if descriptors:
                    self.start(data, descriptors[0])
                else:
                    self.kill(json.loads(data)["kill"])

    def start(self, order: bytes, end: int) -> None:
        """Wake the spare with an order and this end of a socket; fork the next one meanwhile."""
        process, line = self.spare
        try:
            socket.send_fds(line, [order], [end])
        except OSError:  # it was killed while it waited, say for want of memory
            process, line = fork_spare(self.tools, self.memory)
            socket.send_fds(line, [order], [end])
        line.close()
        os.close(end)
        number, process_fd = json.loads(order)["number"], os.pidfd_open(process)
        self.running[process_fd] = process, number
        socket.send_fds(self.control, [json.dumps({"number": number}).encode()], [process_fd])
        self.spare = fork_spare(self.tools, self.memory)

    def kill(self, number: str | None) -> None:
        """End a worker, or all; one that has ended already is none of its business."""
        for process, running in self.running.values():
            if number in (None, running):
                os.kill(process, signal.SIGKILL)

    def report(self, ended: int) -> None:
        """Tell the job that a worker ended: its wait status, processor seconds and memory."""
        process, number = self.running.pop(ended)
        os.close(ended)
        _, status, usage = os.wait4(process, 0)
        cpu_s = round(usage.ru_utime + usage.ru_stime, 3)
        report = {"number": number, "status": status, "cpu_s": cpu_s}
        report["memory_mb"] = self.memory.taken_mb(usage)
        self.control.send(json.dumps(report).encode())


def main(modules: list[str], tool_modules: list[str], descriptors: list[int]) -> None:
    """Import, warm up, and serve each control socket from a process of its own.

    Args:
        modules: to be imported.
        tool_modules: of the tools that checks have run.
        descriptors: of the control sockets.

    Nothing can be written here, bytecode neither. So the sources that had to be compiled are named
    on standard output, a line each: who started this can compile them for the next start.
    """
    tools = tools_of(importlib.import_module(name) for name in tool_modules)
    warm_up(modules)
    print(*sources_without(), sep="\n", flush=True)
    memory = memory_at_birth()
    controls = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for control in controls:
        if os.fork() == 0:
            for other in controls:
                if other is not control:
                    other.close()
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                control.send(b"ready")
                Dispatcher(control, tools, memory).serve()
            os._exit(0)
    for control in controls:
        control.close()
    for _ in controls:
        os.wait()
