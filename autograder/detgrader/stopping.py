"""Orders to end: they stop the work like an interrupt does, so that it can be put down well."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

# An order to end, and a terminal that is gone; `nohup` has the second one ignored.
HEARD = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let an order to end, or a terminal that is gone, stop the work like an interrupt does."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt(number)

    before = {one: signal.getsignal(one) for one in HEARD}
    for one, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
