"""What a task may use, and how a worker's end is told when it was not the grader who ended it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from detlab.checking.workbench import StudentFrame

# What a task's answers may weigh together; the grader keeps those of a check until its end.
MOST_ANSWERS_MB = 1024
LIMIT_MESSAGES = {
    "cpu": "The code used more than {cpu_s} seconds of processor time: is there an endless loop?",
    "wall": "No answer came within {wall_s} seconds: does the code sleep, or wait for input?",
    "memory": "The code needed more than {memory_mb} MB of memory.",
    "tables": "The code spread its memory over too many places: ask for it in larger pieces.",
    "threads": "The code started more threads than there can be while grading.",
    "grader": "What the code answered, or asked for, cost the grader more than {cpu_s} seconds.",
    "grader_memory": "What the code answered, or asked for, needs more memory than the grader has.",
    "answers": f"The code's answers are larger than {MOST_ANSWERS_MB} MB together.",
    "files": "The code tried to write a file; while grading nothing can be written.",
    "output": "The code printed more than a mebibyte of text; remove the printing.",
}
NO_PROCESS = (
    "While grading no other program or process can be started. (A DataLoader needs num_workers=0.)"
)
NO_NETWORK = "While grading there is no network."
NO_SHARING = "While grading no memory can be shared between processes."
# What is said of an error of which the system has these words, in a line with these.
MISSING_MESSAGES = {
    ("[Errno 38]", ""): NO_PROCESS,
    ("[Errno 1]", "num_workers"): NO_PROCESS,
    ("[Errno 1]", "mmap"): NO_SHARING,
    ("[Errno 1]", "memfd_create"): NO_SHARING,
    ("[Errno 101]", ""): NO_NETWORK,
    ("[Errno -3]", ""): NO_NETWORK,  # a name could not be looked up
}
VIOLATION_MESSAGE = (
    "The code tried something that is not allowed while grading: to reach another process, or the "
    "system behind it."
)


@dataclass(frozen=True)
class Limits:
    """What one task may use.

    Attributes:
        cpu_s: processor seconds of the whole task.
        memory_mb: MiB of writable memory, beyond what the libraries have (hundreds, more or fewer
            by how torch was built).
        wall_s: seconds for the whole task, however idle.
    """

    cpu_s: int = 10
    memory_mb: int = 2048
    wall_s: int = 40


class LimitReached(Exception):
    """The student's code ran into one of its limits."""

    def __init__(self, limit: str, limits: Limits, frames: list[StudentFrame] | None = None):
        super().__init__(LIMIT_MESSAGES[limit].format(**asdict(limits)))
        self.limit = limit
        self.frames = frames or []


class Violation(Exception):
    """The worker did what only an attack does; `detail` is for the staff's log."""

    def __init__(self, message: str, detail: str):
        super().__init__(message)
        self.detail = detail


class Crashed(Exception):
    """The worker's process died of a fault, such as a segmentation fault."""
