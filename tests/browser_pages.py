"""A headless Chromium for tests: opens a page at a width, says what is wrong with it."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Whatever is wrong is a violation; "best-practice" and the like are taken in as well.
RUN_AXE = "axe.run().then(found => JSON.stringify(found.violations))"


class Page:
    """An open page, over Chromium's own protocol."""

    def __init__(self, address: str):
        self.socket = websocket.create_connection(address, timeout=60, suppress_origin=True)
        self.numbers = itertools.count(1)
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (message := self.receive()).get("id") != number:
            pass
        assert "error" not in message, message
        return message["result"]

    def receive(self) -> dict[str, Any]:
        """Return the next message, and note what a console would show in red."""
        message = json.loads(self.socket.recv())
        if message.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(message["params"]))
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"]["text"])
        return message

    def open(
        self, place: Path | str, width: int, dark: bool = False, printed: bool = False
    ) -> None:
        """Open a file or an address at a width, light or dark, as on a screen or as printed."""
        # The page allows no scripts; what looks at it is one.
        self.ask("Page.setBypassCSP", enabled=True)
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        media = "print" if printed else "screen"
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.ask("Page.navigate", url=place.as_uri() if isinstance(place, Path) else place)
        while self.receive().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression: str) -> Any:
        """Return what JavaScript says."""
        found = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def violations(self) -> list[str]:
        """Return what axe-core finds."""
        self.value(AXE.read_text("utf-8"))
        found = json.loads(self.value(RUN_AXE))
        return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


@contextlib.contextmanager
def chromium() -> Iterator[Page]:
    """Run a browser for the length of a `with` block; skip the test where there is none."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium is here")
    if not AXE.is_file():
        pytest.skip(f"axe-core is not here: npm ci --prefix {AXE.parents[2]}")
    # The browser's own children may write for a moment after it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        options += ["--remote-debugging-port=0", f"--user-data-dir={profile}"]
        process = subprocess.Popen([program, *options], stderr=subprocess.PIPE, text=True)
        try:
            line = next(line for line in process.stderr if "listening on" in line)
            port = line.split("ws://")[1].split("/")[0]
            request = urllib.request.Request(f"http://{port}/json/new?about:blank", method="PUT")
            with urllib.request.urlopen(request, timeout=60) as answer:
                address = json.load(answer)["webSocketDebuggerUrl"]
            with contextlib.closing(Page(address)) as page:
                yield page
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
