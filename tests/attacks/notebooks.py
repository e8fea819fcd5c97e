"""Edits of the notebook itself."""

from __future__ import annotations

import copy

from attacks.toys import Attack, toy


def cell_of(notebook: dict, grade_id: str) -> dict:
    """Return the cell with a grade id."""
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def settings_of(notebook: dict, grade_id: str) -> dict:
    """Return nbgrader's settings of a cell."""
    return cell_of(notebook, grade_id)["metadata"]["nbgrader"]


def points_raised(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if "points" in cell["metadata"].get("nbgrader", {}):
            cell["metadata"]["nbgrader"]["points"] = 1000


def manual(notebook: dict) -> None:
    settings_of(notebook, "task_1_1").update(grade=True, points=40)


def unlocked(notebook: dict) -> None:
    settings_of(notebook, "check_1_1").update(locked=False, solution=True)


def duplicate(notebook: dict) -> None:
    second = copy.deepcopy(cell_of(notebook, "task_1_1"))
    notebook["cells"].append(second | {"source": f"{second['source']}\nx = 1"})


def deleted(notebook: dict) -> None:
    notebook["cells"].remove(cell_of(notebook, "task_1_1"))


def check_deleted(notebook: dict) -> None:
    for label in ("1_1", "1_2", "1_3", "1_4"):
        notebook["cells"].remove(cell_of(notebook, f"check_{label}"))
    notebook["cells"].remove(cell_of(notebook, "setup"))


def setup_replaced(notebook: dict) -> None:
    cell_of(notebook, "setup")["source"] = "import os\nos._exit(0)"


def check_replaced(notebook: dict) -> None:
    cell_of(notebook, "check_1_1")["source"] = "import os\nos._exit(0)"


def outputs(notebook: dict) -> None:
    text = "score 100 of 100\n<script>alert(1)</script>"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
            cell["execution_count"] = 10**400
            cell["metadata"]["tags"] = ["hide", "passed"]
    notebook["metadata"]["detlab"] = {"assignment": "week9", "score": 100, "isolation": "none"}


def extra_tests(notebook: dict) -> None:
    new = {"grade_id": "check_9_9", "points": 100, "grade": True, "solution": False}
    cell = {"cell_type": "code", "source": "while True: pass", "metadata": {"nbgrader": new}}
    notebook["cells"].append(cell | {"outputs": [], "execution_count": None})


def other_name(notebook: dict) -> None:
    settings_of(notebook, "task_1_1")["grade_id"] = "task_1_1_mine"


def reordered(notebook: dict) -> None:
    notebook["cells"].reverse()


def to_markdown(notebook: dict) -> None:
    cell_of(notebook, "check_1_1")["cell_type"] = "markdown"


def odd_metadata(notebook: dict) -> None:
    notebook["cells"].append({"cell_type": "code", "source": "", "metadata": {"nbgrader": [1]}})
    notebook["cells"].append(
        {"cell_type": "x", "source": [], "metadata": {"nbgrader": {"grade_id": {}}}}
    )


def honest(name: str, edit, log: str = "") -> Attack:
    """Write down an edit that changes nothing."""
    return toy(name, status="passed", honest=True, edit=edit, log=log)


JUPYTER = "a Jupyter command is not Python"
ATTACKS = [
    honest("nb-points:raised", points_raised, "`points` was edited"),
    honest("nb-points:answer-graded-by-hand", manual, "`points` was edited"),
    honest("nb-points:check-unlocked", unlocked, "`solution` was edited"),
    honest("nb-delete-cell:checks", check_deleted),
    honest("nb-delete-cell:setup-replaced", setup_replaced, "a locked cell was edited"),
    honest("nb-delete-cell:check-replaced", check_replaced, "a locked cell was edited"),
    honest("nb-delete-cell:reordered", reordered),
    honest("nb-delete-cell:check-as-text", to_markdown),
    honest("nb-output-spoof:outputs", outputs),
    honest("nb-extra-tests:added", extra_tests),
    honest("nb-extra-tests:odd-metadata", odd_metadata),
    toy("nb-duplicate-id:answer", honest=True, edit=duplicate, says="stands 2 times"),
    toy("nb-delete-cell:answer", edit=deleted, says="task_1_1 is missing"),
    toy("nb-duplicate-id:renamed", honest=True, edit=other_name, says="task_1_1 is missing"),
    *(
        toy(f"{slug}:{name}", source, honest=True, says=says)
        for slug, name, source, says in (
            ("magics-shell", "line", "%load_ext x", JUPYTER),
            ("magics-shell", "cell", "%%bash\ntouch CANARY", JUPYTER),
            ("magics-shell", "shell", "!touch CANARY", JUPYTER),
            ("magics-shell", "assigned", "files = !ls", JUPYTER),
            ("magics-shell", "help", "torch?", JUPYTER),
            ("magics-shell", "timeit", "%timeit add(1, 2)", JUPYTER),
            ("top-level-await", "await", "await add(1, 2)", "`await` works in Jupyter"),
            ("top-level-await", "for", "async for x in y: pass", "`await` works in Jupyter"),
            ("ipython-hooks", "missing-parenthesis", "print(1", "task_1_1, line"),
            ("ipython-hooks", "indentation", "if x:\ny = 1", "IndentationError"),
        )
    ),
    toy(
        "ipython-hooks:transformers",
        "ip = get_ipython()\n"
        "ip.input_transformers_cleanup.append(lambda lines: ['pass'])\n"
        "def add(first, second):\n    return 0",
        says="NameError: name 'get_ipython' is not defined",
    ),
]
