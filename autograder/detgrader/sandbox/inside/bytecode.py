"""Which imported modules had to be compiled, since no bytecode of theirs lies beside them."""

import os
import sys


def sources_without() -> list[str]:
    """List the sources of this process's modules whose bytecode is missing, or older than they."""
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    return [s.origin for s in specs if s and s.origin and s.cached and is_older(s.cached, s.origin)]


def is_older(file: str, than: str) -> bool:
    """Say whether a file is older than another, or not there."""
    try:
        return os.stat(file).st_mtime < os.stat(than).st_mtime
    except FileNotFoundError:
        return True
