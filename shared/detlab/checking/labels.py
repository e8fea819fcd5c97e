"""A task's label, `1.5`, and the ids that are made of it: `task_1_5`, `check_1_5`.

Everything that speaks of a task uses the label; these functions alone turn it into ids and back.
"""

import re

ANSWER_ID = re.compile(r"task_([1-9]\d*)_([1-9]\d*)(_[a-z]\w*)?")
CHECK_ID = re.compile(r"check_([1-9]\d*)_([1-9]\d*)")


def label_of_answer(grade_id: str) -> str | None:
    """Return the task that an answer cell's id names: `task_1_5` and `task_1_5_area` are of 1.5."""
    found = ANSWER_ID.fullmatch(grade_id)
    return f"{found[1]}.{found[2]}" if found else None


def label_of_check(grade_id: str) -> str | None:
    """Return the task that a check cell's id names."""
    found = CHECK_ID.fullmatch(grade_id)
    return f"{found[1]}.{found[2]}" if found else None


def answer_id(label: str) -> str:
    """Return the id of a task's answer cell; a second one of the task adds a name to it."""
    return f"task_{id_part(label)}"


def check_id(label: str) -> str:
    """Return the id of a task's check cell."""
    return f"check_{id_part(label)}"


def id_part(label: str) -> str:
    """Return a label as it stands in ids: `1_5`."""
    return label.replace(".", "_")


def is_meant_as_id(grade_id: str) -> bool:
    """Say whether an id looks like that of an answer or a check, well formed or not."""
    return grade_id.startswith(("task_", "check_"))


def numbers_of(label: str) -> tuple[int, int]:
    """Return the numbers of a label: of its week, and of the task in it.

    Raises:
        ValueError: it is no label.
    """
    week, _, task = label.partition(".")
    if not (week.isdecimal() and task.isdecimal()):
        raise ValueError(f"{label!r} is no label of a task; write it as in 1.5")
    return int(week), int(task)


def week_of(label: str) -> int:
    """Return the number of the week that a task belongs to.

    Raises:
        ValueError: it is no label.
    """
    return numbers_of(label)[0]
