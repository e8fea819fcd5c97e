"""Bytecode for modules that are imported where none can be kept.

Python keeps what it compiles beside the source, and so compiles a module once. In the sandbox
nothing can be written, and some tell Python never to (PYTHONDONTWRITEBYTECODE): a thousand modules
would be compiled at every start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import detlab.checking

PACKAGES = ("stdlib", "platstdlib", "purelib", "platlib")


def start_compiling(sources: Iterable[str]) -> subprocess.Popen[bytes] | None:
    """Compile modules in a process beside this one; none of them is imported.

    What does not lie among the interpreter's modules and the installed packages, or where nothing
    can be written, is left alone: it is compiled whenever it is imported.

    Args:
        sources: paths of modules' sources; bytecode that is there and valid is left as it is.

    Returns:
        The process, or None if there is nothing to compile.
    """
    folders = module_folders()
    known = [path for path in map(Path, sources) if path.suffix == ".py" and can_be_kept(path)]
    known = [path for path in known if any(map(path.resolve().is_relative_to, folders))]
    if not known:
        return None
    # Isolated: the sandbox looks for bytecode beside the source, whatever the environment says.
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "compileall", "-qq", "-i", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.setpriority(os.PRIO_PROCESS, process.pid, 10)  # grading comes first
    assert process.stdin
    with process.stdin:
        process.stdin.write("".join(f"{path}\n" for path in known).encode())
    return process


def module_folders() -> list[Path]:
    """List where the interpreter's modules and the packages lie."""
    paths = sysconfig.get_paths()
    packages = [Path(detlab.checking.__file__).parents[1], Path(__file__).parents[1]]
    return [path.resolve() for path in [*(Path(paths[key]) for key in PACKAGES), *packages]]


def can_be_kept(source: Path) -> bool:
    """Say whether bytecode may be written beside a module."""
    cache = source.parent / "__pycache__"
    return os.access(cache if cache.exists() else source.parent, os.W_OK)
