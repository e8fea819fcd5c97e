"""Find out what works on this machine, by trying it."""

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from detgrader.classroom.batch import hidden_folders
from detgrader.course import Course, CourseError
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.host import Inside, SandboxError, isolation_of, start_sandbox
from detgrader.sandbox.limits import Crashed, LimitReached, Limits, Violation

PACKAGES = ("torch", "torchvision", "numpy", "nbgrader", "jupytext", "pytest")

# Each must fail inside a worker; the words say what the failure proves.
BARRED = {
    "no network": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "no other programs": "import os; os.execv('/bin/true', ['true'])",
    "no new processes": "import os; os.fork() or os._exit(0)",
    "nothing to write to": "open('/tmp/x', 'w')",
    "no other processes in sight": "import os; os.listdir('/proc/1')",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes:
        works: None when it is only worth knowing.
        advice: what to do when it does not work.
    """

    what: str
    works: bool | None
    found: str
    advice: str = ""


def examine(course: Course) -> Iterator[Finding]:
    """Yield findings, from the cheapest to the dearest."""
    yield Finding("system", None, f"{platform.system()} {platform.release()}")
    sound = sys.version_info >= (3, 11)
    yield Finding("Python", sound, platform.python_version(), "Use Python 3.11 or later.")
    for name in PACKAGES:
        yield examine_package(name)
    found = shutil.which("alembic", path=str(Path(sys.executable).parent))
    advice = "Run nbgrader inside this environment (uv run nbgrader …)."
    yield Finding("alembic, for nbgrader", found is not None, found or "not found", advice)
    yield examine_releases(course)
    yield from examine_isolation(course)


def examine_package(name: str) -> Finding:
    """Look for a package."""
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", "Run `uv sync`.")


def examine_releases(course: Course) -> Finding:
    """Compare the releases with what the sources build."""
    from detgrader.authoring import release

    try:
        for week in course.weeks():
            release.check(course, week)
    except CourseError as error:
        return Finding("releases", False, str(error).splitlines()[0], "Run `detgrader release`.")
    return Finding("releases", True, f"{len(course.weeks())} up to date")


def examine_isolation(course: Course) -> Iterator[Finding]:
    """Start the sandbox and try to get out of it."""
    if sys.platform != "linux":
        yield Finding("sandbox", False, "not on this system", "Grading runs on Linux.")
        return
    complaints: list[str] = []
    visible = course.settings.sandbox.visible
    inside = Inside(packages=visible, hidden=tuple(hidden_folders(course)))
    program = isolation_of(inside, complaints)
    yield Finding(
        "bubblewrap",
        program is not None,
        str(program or "; ".join(complaints) or "not installed"),
        "It needs unprivileged user namespaces and libseccomp (Debian: apt install bubblewrap "
        "libseccomp2); in a container, allow user namespaces.",
    )
    if program is None:
        return
    try:
        with start_sandbox(1, program, inside) as sandbox:
            sandbox.wait_until_ready()
            yield Finding("sandbox", True, "starts")
            dispatcher = DispatcherClient(sandbox.controls[0])
            attempts = BARRED | {
                "course out of sight": f"import os; os.listdir({str(course.root / 'solutions')!r})"
            }
            for what, code in attempts.items():
                held = holds(WorkerClient(dispatcher, Limits(cpu_s=5)), code)
                advice = "Do not grade on this machine; report it."
                yield Finding(what, held, "held" if held else "NOT held", advice)
    except SandboxError as error:
        yield Finding("sandbox", False, str(error), "See the message above.")


def holds(worker: WorkerClient, code: str) -> bool:
    """Say whether code fails in a worker."""
    try:
        errors = worker.run([{"cell": "doctor", "source": code, "definitions_only": False}])
        return errors[0] is not None
    except (Violation, LimitReached, Crashed):
        return True
    finally:
        worker.close()
