"""JupyterLab in headless Chromium, as a student sees it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser_pages import Page

TOKEN = "first-steps"
PATIENCE_S = 300  # of a busy machine: nothing here is measured by the clock
# Of Chromium's protocol: which keys are held down, and what one is called there.
SHIFT, CONTROL = 8, 2
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
LETTER_S = {"key": "s", "code": "KeyS", "windowsVirtualKeyCode": 83}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@contextmanager
def running_lab(command: list[str], folder: Path) -> Iterator[str]:
    """Run JupyterLab in a folder for the length of a `with` block; yields its address."""
    port = free_port()
    # The last two: rootless containers are rare, and the test asks the page for its cells.
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--no-browser"]
    options += ["--ServerApp.ip=127.0.0.1", "--allow-root", "--expose-app-in-browser"]
    environment = os.environ | {"JUPYTER_TOKEN": TOKEN}
    log = (folder.parent / "lab.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [*command, *options], cwd=folder, env=environment, stdout=log, stderr=log
        ) as lab,
    ):
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/api?token={TOKEN}"), "the server")
            yield f"http://127.0.0.1:{port}"
        finally:
            lab.terminate()


def answers(address: str) -> bool:
    """Say whether a server answers."""
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except OSError:
        return False


def wait_until(condition: Any, what: str) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise TimeoutError(f"waited {PATIENCE_S} s for {what}")


class LabPage:
    """A notebook that is open in JupyterLab.

    Args:
        address: of the server.
        name: the notebook's file.
    """

    def __init__(self, page: Page, address: str, name: str):
        self.page = page
        page.ask("Emulation.setFocusEmulationEnabled", enabled=True)
        page.open(f"{address}/lab/tree/{name}?token={TOKEN}", 1200)
        kernel = "panel?.sessionContext?.session?.kernel?.status"
        wait_until(lambda: self.ask(kernel) == "idle", "the kernel")

    def ask(self, expression: str) -> Any:
        """Return what JavaScript says; `panel` is the notebook's, `of(id)` the cell of a name."""
        return self.page.value(
            "{ const panel = window.jupyterapp?.shell?.currentWidget;"
            "const of = id => panel.content.widgets.find(cell => cell.model.id === id);"
            f"{expression} }}"
        )

    def press(self, key: dict[str, Any], held: int) -> None:
        """Press a key while another is held down."""
        for kind in ("rawKeyDown", "keyUp"):
            self.page.ask("Input.dispatchKeyEvent", type=kind, modifiers=held, **key)

    def write(self, cell: str, text: str) -> None:
        """Put a text into a cell, in the place of what is there."""
        self.ask(f"of({cell!r}).model.sharedModel.setSource({json.dumps(text)})")

    def run(self, cell: str) -> str:
        """Choose a cell and press Shift+Enter; return what appears below it."""
        count = f"of({cell!r}).model.executionCount"
        before = self.ask(count)
        self.ask(
            f"panel.content.activeCellIndex = panel.content.widgets.indexOf(of({cell!r}));"
            "panel.content.deselectAll(); panel.content.mode = 'command';"
            "panel.content.activate(); panel.content.node.focus();"
        )
        self.press(ENTER, SHIFT)
        idle = "panel.sessionContext.session.kernel.status === 'idle'"
        wait_until(lambda: self.ask(count) not in (None, before) and self.ask(idle), f"cell {cell}")
        return str(self.ask(f"of({cell!r}).outputArea.node.innerText")).strip()

    def save(self) -> None:
        """Press Ctrl+S."""
        self.press(LETTER_S, CONTROL)
        wait_until(lambda: self.ask("panel.context.model.dirty") is False, "the file")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
