"""The zygote: imports torch once, then forks a worker for each task, in about 10 ms.

Started inside the sandbox with a cleared environment, it has never seen a check, a
solution or a submission. Each of its dispatchers serves one grading job: the job sends
a worker's limits and one end of a socket, and hears how each worker ended. Graders
trust a dispatcher; no student's code ever runs in it.

Usage: python -m detgrader.inside.zygote MODULE,… CONTROL_FD…
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
from typing import Any

import numpy as np
import torch

from detgrader.inside import confine, worker
from detgrader.inside.wire import Channel

MESSAGE_BYTES = 4096


def warm_up(modules: list[str]) -> None:
    """Import what the week's cells import, and pay once for the first use of torch."""
    for module in modules:
        importlib.import_module(module)
    tempfile.gettempdir()  # found by writing, which no worker can, and remembered
    torch.set_num_threads(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), torch.nn.Flatten(), torch.nn.Linear(4, 1))
    net(torch.zeros(1, 1, 4, 4)).sum().backward()
    if "matplotlib.pyplot" in sys.modules:
        pyplot = sys.modules["matplotlib.pyplot"]
        pyplot.close(pyplot.figure())
    # Every worker inherits this random state.
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    gc.collect()
    gc.freeze()


def give_up(limits: dict[str, int]) -> None:
    """Confine the current process."""
    confine.die_with_parent()
    confine.set_limits(limits["cpu_s"], limits["memory_mb"] << 20)
    confine.filter_system_calls()


def wait_for_end(control: socket.socket, process: int) -> dict[str, Any]:
    """Wait until a worker ends, killing it when the job says so (or is gone).

    Returns:
        "status" as of os.wait, "cpu_s", "max_rss_kb".
    """
    ended = os.pidfd_open(process)
    try:
        readable, _, _ = select.select([ended, control], [], [])
        if ended not in readable:
            control.recv(MESSAGE_BYTES)
            os.kill(process, signal.SIGKILL)
    finally:
        os.close(ended)
    _, status, usage = os.wait4(process, 0)
    cpu_s = round(usage.ru_utime + usage.ru_stime, 3)
    return {"status": status, "cpu_s": cpu_s, "max_rss_kb": usage.ru_maxrss}


def dispatch(control: socket.socket) -> None:
    """Fork one worker after another for one job, until the job closes."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
        if not data:
            return
        if not descriptors:
            continue  # the order to kill a worker that has ended meanwhile
        end = socket.socket(fileno=descriptors[0])
        limits = json.loads(data)
        process = os.fork()
        if process == 0:
            control.close()
            worker.main(Channel(end), functools.partial(give_up, limits))
        end.close()
        report = wait_for_end(control, process)
        control.send(json.dumps(report | {"number": limits["number"]}).encode())


def main(modules: list[str], descriptors: list[int]) -> None:
    """Import, warm up, and serve each control socket from a process of its own."""
    warm_up(modules)
    controls = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for control in controls:
        if os.fork() == 0:
            for other in controls:
                if other is not control:
                    other.close()
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                control.send(b"ready")
                dispatch(control)
            os._exit(0)
    for control in controls:
        control.close()
    for _ in controls:
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1].split(","), [int(argument) for argument in sys.argv[2:]])
