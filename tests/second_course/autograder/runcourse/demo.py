"""What the demo's hostile student tries in week 1. None of it has any effect."""

TRICKS = {
    "task_1_1": """\
class Runs(tuple):
    first, lengths = "0", ()

    def __eq__(self, other):
        return True


def encode(bits):
    return Runs()
""",
    "task_1_2": """\
import os


def decode(runs):
    os._exit(0)
""",
    "task_1_3": """\
from pathlib import Path

exec([path.read_text() for path in Path("/").glob("**/solutions/*/notebook.py")][0])
""",
}
