"""Notebooks as they come in: damaged by hand or by programs, and unusual but right.

Each is the tiny second course's notebook with all answers, and one thing done to it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

Notebook = dict[str, Any]
Edit = Callable[[Notebook], object]
TASKS = ("task_1_1", "task_1_2", "task_1_3")
LONG = "#" * 99 + "\n"


def index_of(notebook: Notebook, name: str) -> int:
    """Return where a cell of the release stands."""
    return [cell["id"] for cell in notebook["cells"]].index(name)


def cell_of(notebook: Notebook, name: str) -> dict[str, Any]:
    """Return a cell of the release."""
    cell: dict[str, Any] = notebook["cells"][index_of(notebook, name)]
    return cell


def added(source: str, kind: str = "code", **keys: object) -> dict[str, Any]:
    """Return a cell that a student added."""
    cell = {"cell_type": kind, "id": "added", "metadata": {}, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {}) | keys


def insert(place: str, source: str, after: bool = False, kind: str = "code") -> Edit:
    """Add a cell before or after one of the release."""
    return lambda notebook: notebook["cells"].insert(
        index_of(notebook, place) + after, added(source, kind)
    )


def update(name: str, **keys: object) -> Edit:
    """Change keys of a cell."""
    return lambda notebook: cell_of(notebook, name).update(copy.deepcopy(keys))


def around(name: str, before: str = "", after: str = "") -> Edit:
    """Write something above and below what a cell holds."""

    def edit(notebook: Notebook) -> None:
        cell = cell_of(notebook, name)
        cell["source"] = before + cell["source"] + after

    return edit


def delete(name: str) -> Edit:
    return lambda notebook: notebook["cells"].pop(index_of(notebook, name))


def both(*edits: Edit) -> Edit:
    return lambda notebook: [edit(notebook) for edit in edits]


def copied(name: str, **keys: object) -> Edit:
    """Copy a cell, metadata and all, to the end; some of its keys are others there."""
    return lambda notebook: notebook["cells"].append(
        copy.deepcopy(cell_of(notebook, name)) | {"id": "copy"} | keys
    )


def split(name: str, line: int, keep: bool) -> Edit:
    """Split a cell before a line, with or without its metadata on the second half."""

    def edit(notebook: Notebook) -> None:
        cell, place = cell_of(notebook, name), index_of(notebook, name)
        lines = cell["source"].splitlines(keepends=True)
        second = copy.deepcopy(cell) | {"id": "half", "source": "".join(lines[line:])}
        cell["source"] = "".join(lines[:line])
        notebook["cells"].insert(place + 1, second if keep else second | {"metadata": {}})

    return edit


def merged(first: str, second: str) -> Edit:
    """Merge a cell into another, whose metadata stay."""

    def edit(notebook: Notebook) -> None:
        cell_of(notebook, first)["source"] += "\n\n" + cell_of(notebook, second)["source"]
        delete(second)(notebook)

    return edit


def retyped(name: str, source: str | None = None) -> Edit:
    """Write an answer into a cell of one's own, and delete the one that was meant for it."""

    def edit(notebook: Notebook) -> None:
        place = index_of(notebook, name)
        text = cell_of(notebook, name)["source"] if source is None else source
        notebook["cells"][place] = added(text)

    return edit


def settings(name: str, value: object) -> Edit:
    """Replace nbgrader's part of a cell's metadata."""
    return lambda notebook: cell_of(notebook, name)["metadata"].update(nbgrader=value)


def everywhere(change: Callable[[dict[str, Any]], object]) -> Edit:
    """Do something to each cell."""
    return lambda notebook: [change(cell) for cell in notebook["cells"]]


def of_each_task(name: str) -> Iterator[tuple[str, Edit]]:
    """Yield what may happen to one answer cell."""
    stub = "def nothing():\n    raise NotImplementedError\n"
    yield "deleted", delete(name)
    yield "copied", copied(name)
    yield "copied and emptied", copied(name, source="")
    yield "copied and changed", copied(name, source="x = 1\n")
    yield "copied as it was", copied(name, source=stub)
    yield "copied as text", copied(name, cell_type="markdown")
    for line in (1, 2, 3, 5):
        yield f"split at {line}", split(name, line, keep=True)
        yield f"split at {line}, metadata lost", split(name, line, keep=False)
    yield "retyped", retyped(name)
    yield "retyped as text", both(retyped(name), update("added", cell_type="markdown"))
    yield "written below", both(insert(name, "", after=True), merged("added", name))
    for kind in ("markdown", "raw", "heading", "Code", ""):
        yield f"type {kind!r}", update(name, cell_type=kind)
    for n, metadata in enumerate(({}, None, [], "x", 1, {"nbgrader": {}}, {"tags": ["a"]})):
        yield f"metadata {n}", update(name, metadata=metadata)
        yield f"metadata {n}, no id", update(name, metadata=metadata, id=None)
    for n, value in enumerate((None, [], "task", 1, {"grade_id": 7}, {"grade_id": ""})):
        yield f"settings {n}", settings(name, value)
    yield "another id", settings(name, {"grade_id": f"{name}_mine"})
    yield "another task's id", settings(name, {"grade_id": TASKS[TASKS.index(name) - 1]})
    yield "unlocked", settings(name, {"grade_id": name, "points": 100, "solution": False})
    yield "too long", around(name, before=LONG * 600)
    yield "long", around(name, before=LONG * 300)
    yield "emptied", update(name, source="")
    yield "blanks", update(name, source=" \n\n\t")
    yield "comment", update(name, source="# later")
    for n, line in enumerate(
        ("%matplotlib inline", "!pip install x", "%%time", "x?", "await x", "return", "x = = 1")
    ):
        yield f"no Python {n}", around(name, before=f"{line}\n")
        yield f"no Python {n} at the end", around(name, after=f"\n{line}")
    for n, line in enumerate(
        (
            *("import sys; sys.exit()", "exit()", "quit(1)", "raise SystemExit('done')"),
            *(
                "raise KeyError(1)",
                "1 / 0",
                "assert False",
                "raise GeneratorExit",
                "import no_such",
            ),
            *("input()", "del sys", "raise NotImplementedError", "raise StopIteration"),
        )
    ):
        yield f"ends {n}", around(name, after=f"\n\n{line}\n")
        yield f"ends {n} at once", around(name, before=f"{line}\n\n")
    for n, line in enumerate(
        (
            *(
                "from __future__ import annotations",
                "'''a docstring'''",
                "# -*- coding: latin-1 -*-",
            ),
            *(
                "import math, json as j",
                "from collections import *",
                "größe = 1",
                "print('x' * 10)",
            ),
            *("if True:\n    y = 1", "for _ in range(3): pass", "class A: pass", "\f", "\ufeff"),
            *("x: int = 1", "lambda_ = lambda x: x", "with open('/dev/null'): pass", "x = '\\0'"),
            *("try:\n    import no_such\nexcept ImportError:\n    pass", "\t", "x = 1; y = 2"),
        )
    ):
        yield f"begins {n}", around(name, before=f"{line}\n")
        yield f"closes {n}", around(name, after=f"\n{line}\n")
    yield (
        "carriage returns",
        lambda notebook: cell_of(notebook, name).update(
            source=cell_of(notebook, name)["source"].replace("\n", "\r\n")
        ),
    )
    yield (
        "lines",
        lambda notebook: cell_of(notebook, name).update(
            source=cell_of(notebook, name)["source"].splitlines(keepends=True)
        ),
    )
    yield "nul", around(name, after="\nx = '\0'")
    yield "surrogate", around(name, after="\n# \ud800")
    yield "deep", around(name, after="\nx = " + "(" * 300 + ")" * 300)
    yield "source is a number", update(name, source=1)
    yield "source is gone", lambda notebook: cell_of(notebook, name).pop("source")


def of_the_setup() -> Iterator[tuple[str, Edit]]:
    """Yield what may happen to the setup cell."""
    use = around("task_1_1", before="from_setup\n")
    rely = around(
        "task_1_1",
        after="\n\n_encode = encode\ndef encode(bits):\n    from_setup\n    return _encode(bits)\n",
    )
    yield "emptied", update("setup", source="")
    yield "deleted", delete("setup")
    yield "as text", update("setup", cell_type="markdown")
    yield "metadata lost", update("setup", metadata={})
    yield "copied", copied("setup")
    yield "pip", around("setup", before="!pip install torch\n")
    yield "magic", around("setup", after="\n%matplotlib inline")
    yield "an import", around("setup", after="\nimport math as from_setup")
    yield "an import that is used", both(around("setup", after="\nimport math as from_setup"), rely)
    yield "a name that is used", both(around("setup", after="\nfrom_setup = 1"), use)
    yield (
        "an import in a cell that is used",
        both(insert("setup", "import math as from_setup", after=True), rely),
    )
    yield "broken", around("setup", before="x = = 1\n")
    yield "exit", around("setup", after="\nimport sys; sys.exit()")
    yield "exit first", around("setup", before="import sys; sys.exit()\n")
    yield "another check", around("setup", after="\ncheck = print")


def of_added_cells() -> Iterator[tuple[str, Edit]]:
    """Yield cells that students add."""
    wrong = "def encode(bits):\n    return None\n"
    right = "def decode(runs):\n    return None\n"
    helpers = (
        *("x = 1", "import sys; sys.exit()", "1 / 0", "x = = 1", "%timeit encode('1')", "!ls"),
        *("%%time\nx = 1", "encode('1')", "import no_such", "print(encode('01'))", LONG * 600),
        *(
            "def check(task):\n    return task",
            "ROWS = 3",
            "Runs = None",
            "torch = None",
            wrong,
            right,
        ),
        *("class Runs(tuple): pass", "from math import *", "exit()", "import os\nx = os.getpid()"),
        *("def groupby(bits):\n    return []", "encode = None", "del encode", "raise KeyError"),
    )
    for n, source in enumerate(helpers):
        yield f"{n} on top", insert("setup", source)
        yield f"{n} before the first", insert("task_1_1", source)
        yield f"{n} after the first", insert("task_1_1", source, after=True)
        yield f"{n} at the end", insert("check_1_3", source, after=True)
        yield f"{n} as text", insert("task_1_2", source, kind="markdown")
    helper = both(
        around(
            "task_1_1", after="\n\n_encode = encode\ndef encode(bits):\n    return helper(bits)\n"
        )
    )
    for n, source in enumerate(
        (
            *("def helper(bits):\n    return _encode(bits)", "1 / 0\ndef helper(bits): return 0"),
            *(
                "helper = lambda bits: _encode(bits)",
                "%time\ndef helper(bits): return _encode(bits)",
            ),
            "import sys\nsys.exit()\ndef helper(bits): return _encode(bits)",
            "import no_such\ndef helper(bits): return _encode(bits)",
            "!pip install no_such\n%matplotlib inline\ndef helper(bits): return _encode(bits)",
            "from functools import partial\nONE = 3 // 2\n"
            "helper = partial(lambda n, x: _encode(x), ONE)",
            "try:\n    import no_such\nexcept ImportError:\n    no_such = None\n"
            "def helper(bits, other=no_such): return _encode(bits)",
            "limit = open('/etc/hostname')\ndef helper(bits, limit=limit): return _encode(bits)",
            "def helper(bits): return _encode(bits[:LENGTH])\nLENGTH = max(map(len, ['x' * 99]))",
        )
    ):
        yield f"helper {n} before", both(insert("task_1_1", source), helper)
        yield f"helper {n} after", both(insert("check_1_3", source, after=True), helper)
    yield "too much code", both(*(insert("setup", "y = 1\n" + LONG * 400) for _ in range(4)))
    yield "too many", lambda notebook: notebook["cells"].extend([added("")] * 2000)


def of_the_whole() -> Iterator[tuple[str, Edit]]:
    """Yield what may happen to a notebook as a whole."""
    yield "untouched", lambda notebook: None
    yield "reversed", lambda notebook: notebook["cells"].reverse()
    yield "merged 1 and 2", merged("task_1_1", "task_1_2")
    yield "merged 2 and 3", merged("task_1_2", "task_1_3")
    yield "merged 2 into 1's check", merged("check_1_1", "task_1_2")
    yield "merged 3 into the setup", merged("setup", "task_1_3")
    yield (
        "swapped",
        both(
            settings("task_1_1", {"grade_id": "task_1_2"}),
            settings("task_1_2", {"grade_id": "task_1_1"}),
        ),
    )
    yield "no checks", both(delete("check_1_1"), delete("check_1_2"), delete("check_1_3"))
    yield "no answers", both(*map(delete, TASKS))
    yield (
        "no text",
        lambda notebook: notebook.update(
            cells=[cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        ),
    )
    yield "no cells", lambda notebook: notebook.update(cells=[])
    yield "no metadata", lambda notebook: notebook.pop("metadata")
    for n, metadata in enumerate((None, [], {}, {"detlab": 1}, {"detlab": {"weeks": "os"}})):
        yield f"metadata {n}", lambda notebook, value=metadata: notebook.update(metadata=value)
    yield "cells' metadata", everywhere(lambda cell: cell.update(metadata={}))
    yield "cells' metadata gone", everywhere(lambda cell: cell.pop("metadata"))
    yield "cells' ids", everywhere(lambda cell: cell.pop("id"))
    yield "one id for all", everywhere(lambda cell: cell.update(id="x"))
    yield "both", everywhere(lambda cell: cell.update(metadata={}, id="x"))
    yield "outputs", everywhere(lambda cell: cell.update(outputs=[{"text": "x" * 10_000}] * 9))
    yield "outputs gone", everywhere(lambda cell: cell.pop("outputs", None))
    yield "counts", everywhere(lambda cell: cell.update(execution_count=10**30))
    yield "collapsed", everywhere(lambda cell: (cell["metadata"] or {}).update(collapsed=True))
    yield (
        "lines",
        everywhere(lambda cell: cell.update(source="".join(cell["source"]).splitlines(True))),
    )
    yield (
        "answers week 2",
        everywhere(
            lambda cell: cell.update(json.loads(json.dumps(cell).replace("task_1_", "task_2_")))
        ),
    )
    for value in (3, 5, "4", None, [4]):
        yield f"nbformat {value}", lambda notebook, value=value: notebook.update(nbformat=value)
    yield "minor", lambda notebook: notebook.update(nbformat_minor=99)
    yield "signed", lambda notebook: notebook.update(signature="x")
    yield "a cell is null", lambda notebook: notebook["cells"].append(None)
    yield "cells are null", lambda notebook: notebook.update(cells=None)


def bytes_of(notebook: Notebook) -> Iterator[tuple[str, bytes]]:
    """Yield what may happen to a file."""
    good = json.dumps(notebook).encode()
    yield "BOM", b"\xef\xbb\xbf" + good
    yield "UTF-16", json.dumps(notebook).encode("utf-16")
    yield "Latin-1", good.replace(b"Return", "Größe".encode("latin-1"))
    yield "pretty", json.dumps(notebook, indent=4).encode()
    yield "Windows", json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()
    yield "no escapes", json.dumps(notebook, ensure_ascii=False).encode()
    yield "blanks around", b"\n\n  " + good + b"\n\n"
    yield "empty", b""
    yield "blank", b"  \n"
    yield "cut off", good[:-20]
    yield "conflict", good[:400] + b"\n<<<<<<< HEAD\n" + good[400:]
    yield "twice", good + good
    yield "key twice", good[:-1] + b', "cells": []}'
    yield "large", b" " * (21 << 20) + good
    yield "zip", b"PK\x03\x04" + good
    yield "script", b"print('hello')\n"
    yield "list", b"[" + good + b"]"
    yield "deep", b"[" * 100_000


def damaged(solved: Notebook) -> dict[str, bytes]:
    """Return all of them by name, each as a file's bytes."""
    solved = copy.deepcopy(solved)
    for cell in solved["cells"]:
        cell["source"] = "".join(cell["source"])
    edits = {f"whole: {name}": edit for name, edit in of_the_whole()}
    edits |= {f"setup: {name}": edit for name, edit in of_the_setup()}
    edits |= {f"added: {name}": edit for name, edit in of_added_cells()}
    # The second task, of two functions, is left to the edits of the whole: it rests on the first.
    for task in ("task_1_1", "task_1_3"):
        edits |= {f"{task}: {name}": edit for name, edit in of_each_task(task)}
    files = {}
    for name, edit in edits.items():
        notebook = copy.deepcopy(solved)
        edit(notebook)
        files[name] = json.dumps(notebook).encode()
    return files | {f"file: {name}": data for name, data in bytes_of(solved)}
