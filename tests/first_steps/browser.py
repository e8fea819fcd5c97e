"""JupyterLab in headless Chromium, as a student sees it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
TOKEN = "first-steps"
PATIENCE_S = 300  # of a busy machine: nothing here is measured by the clock
# Nothing but the page itself is asked for.
FLAGS = """
    --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
    --disable-background-networking --disable-component-update --disable-sync --disable-quic
    --window-size=1200,1000
""".split()


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


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """Run Chromium with an empty profile."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={folder / 'profile'}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


class LabPage:
    """A notebook that is open in JupyterLab.

    Args:
        address: of the server.
        name: the notebook's file.
    """

    def __init__(self, driver: webdriver.Chrome, address: str, name: str):
        self.driver = driver
        driver.get(f"{address}/lab/tree/{name}?token={TOKEN}")
        ready = "const kernel = panel?.sessionContext?.session?.kernel; return kernel?.status"
        wait_until(lambda: self.ask(ready) == "idle", "the kernel")

    def ask(self, script: str, *arguments: object) -> Any:
        """Run a script in the page; `panel` is the notebook's, `of(id)` a cell's number."""
        start = (
            "const panel = window.jupyterapp?.shell?.currentWidget;"
            "const of = id => panel.content.widgets.findIndex(cell => cell.model.id === id);"
        )
        return self.driver.execute_script(start + script, *arguments)

    def write(self, cell: str, text: str) -> None:
        """Put a text into a cell, in the place of what is there."""
        script = "panel.content.widgets[of(arguments[0])].model.sharedModel.setSource(arguments[1])"
        self.ask(script, cell, text)

    def run(self, cell: str) -> str:
        """Choose a cell and press Shift+Enter; return what appears below it."""
        count = "return panel.content.widgets[of(arguments[0])].model.executionCount"
        before = self.ask(count, cell)
        self.ask(
            "panel.content.activeCellIndex = of(arguments[0]);"
            "panel.content.deselectAll();"
            "panel.content.mode = 'command';"
            "panel.content.activate();"
            "panel.content.node.focus();",
            cell,
        )
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(
            Keys.SHIFT
        ).perform()
        idle = "return panel.sessionContext.session.kernel.status === 'idle'"
        wait_until(
            lambda: self.ask(count, cell) not in (None, before) and self.ask(idle), f"cell {cell}"
        )
        shown = "return panel.content.widgets[of(arguments[0])].outputArea.node.innerText"
        return str(self.ask(shown, cell))

    def save(self) -> None:
        """Press Ctrl+S."""
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("s").key_up(
            Keys.CONTROL
        ).perform()
        wait_until(lambda: not self.ask("return panel.context.model.dirty"), "the file")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
