"""The folder in which a week's results are kept: one grading at a time, one file a grading.

A result is written, whole or not at all, as soon as it is there. So whatever ends a run, the next
one goes on from there. Nothing is ever written over: what a student had before stays beside it.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from detgrader.course import CourseError
from detgrader.files import PART, write_json
from detgrader.grading.results import (
    BatchResult,
    CheckResult,
    Status,
    SubmissionResult,
    TaskResult,
)

SCHEMA = 1
FOLDER = "kept"
RESULTS = "results.json"
# What a class of hundreds may need: some 100 kB a student and grading.
NEEDED_BYTES = 64 << 20


class CannotKeep(Exception):
    """A result cannot be written; the message says why and what is not lost."""


@dataclass(frozen=True)
class Record:
    """One grading of one student.

    Attributes:
        inputs: hashes of all that the result hangs on.
        left_out: what was not asked for, such as "costly", or the empty string.
        graded_at: when, in UTC, as ISO 8601 writes it.
        texts: written answers, by grade id.
    """

    inputs: dict[str, str]
    left_out: str
    graded_at: str
    result: SubmissionResult
    texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Read it from plain data."""
        told = data["result"]
        tasks = [TaskResult(**one | {"status": Status(one["status"])}) for one in told["tasks"]]
        checks = {
            label: [CheckResult(**one | {"status": Status(one["status"])}) for one in some]
            for label, some in told["checks"].items()
        }
        result = SubmissionResult(**told | {"tasks": tasks, "checks": checks})
        about = data["inputs"], data["left_out"], data["graded_at"]
        return cls(*about, result, data.get("texts", {}))


class Kept:
    """A week's folder of results, which this process has for itself.

    Args:
        out: the folder.
        week: whose results it holds.

    Attributes:
        secret: that the results were graded with, or the empty string.
        times: by student, when the last one was handed in, as far as that is known.
        history: by student, all gradings, the oldest first.
        held_until: when students are told what the checks say; None tells it at once.
        lists: files that were named, by what they are: "roster", "late".
        names: of earlier calls, with what the students are called now.
    """

    def __init__(self, out: Path, week: str):
        self.out = out
        self.week = week
        self.folder = out / FOLDER
        self.students = self.folder / "students"
        self.unpacked = self.folder / "unpacked"
        self.about = self.folder / "class.json"
        self.marks_file = self.folder / "marks.json"
        about = read_json(self.about)
        self.secret = str(about.get("secret", ""))
        held_until = about.get("held_until")
        self.held_until = datetime.datetime.fromisoformat(held_until) if held_until else None
        self.times = {
            student: datetime.datetime.fromisoformat(text)
            for student, text in dict(about.get("times", {})).items()
        }
        self.lists = {name: Path(place) for name, place in dict(about.get("lists", {})).items()}
        self.names: dict[str, str] = dict(about.get("names", {}))
        self.records = [
            one for folder in sorted(self.students.glob("*")) for one in records_in(folder)
        ]
        self.history = self.by_student()

    def by_student(self) -> dict[str, list[Record]]:
        """Sort the records by what their students are called now, the oldest first."""
        history: dict[str, list[Record]] = {}
        for record in self.records:
            student = self.called(record.result.student)
            own = replace(record, result=replace(record.result, student=student))
            history.setdefault(student, []).append(own)
        for student in history.keys() & set(self.names.values()):  # from several folders
            history[student].sort(key=lambda record: record.graded_at)
        return history

    def called(self, student: str) -> str:
        """Return what a student of an earlier call is called now."""
        return self.names.get(student, student)

    def rename(self, names: Mapping[str, str]) -> list[str]:
        """Call students of earlier calls, by the names they had, as now; say which these are."""
        known = {record.result.student for record in self.records}
        fresh = {old: names[old] for old in known & names.keys() if self.called(old) != names[old]}
        self.names |= fresh
        self.history = self.by_student()
        for old in fresh.keys() & self.times.keys():
            self.times.setdefault(fresh[old], self.times.pop(old))
        return [f"{old} of an earlier call is {fresh[old]}" for old in sorted(fresh)]

    def begin(
        self,
        secret: str,
        times: Mapping[str, datetime.datetime] | None = None,
        held_until: datetime.datetime | None = None,
    ) -> None:
        """Note what the folder is for, its secret, and when things were handed in.

        Args:
            held_until: when students are told what the checks say; None leaves it as it was.
        """
        self.secret = secret
        self.held_until = held_until or self.held_until
        self.times |= times or {}
        written = {student: at.isoformat() for student, at in self.times.items()}
        about = {"schema": SCHEMA, "assignment": self.week, "secret": secret, "times": written}
        if self.held_until:
            about["held_until"] = self.held_until.isoformat()
        about["names"] = self.names
        about["lists"] = {name: str(place) for name, place in self.lists.items()}
        with told_if_it_fails(self.about):
            write_json(self.about, about, mode=0o600)

    def list_named(self, name: str, named: Path | None) -> Path | None:
        """Return the file that is named now, or was in an earlier call; it is read anew each time.

        Args:
            name: "roster" or "late".

        Raises:
            CourseError: that of an earlier call is not there any more.
        """
        if named:
            self.lists[name] = named.absolute()
        place = self.lists.get(name)
        if place and not named and not place.exists():
            raise CourseError(
                f"{place}, which an earlier call named as --{name}, is not there: name it again"
            )
        return place

    def keep(
        self,
        inputs: dict[str, str],
        left_out: str,
        result: SubmissionResult,
        texts: dict[str, str] | None = None,
    ) -> None:
        """Write a result beside those that the student had before.

        Args:
            texts: written answers, by grade id.

        Raises:
            CannotKeep: the disk is full, or the folder gone.
        """
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        record = Record(inputs, left_out, now, result, texts or {})
        folder = self.students / file_name(result.student)
        with told_if_it_fails(folder):
            folder.mkdir(parents=True, exist_ok=True)
            numbers = [int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit()]
            path = folder / f"{max(numbers, default=0) + 1:04}.json"
            write_json(path, {"schema": SCHEMA, **asdict(record)}, mode=0o600)
        self.records.append(record)
        self.history.setdefault(result.student, []).append(record)

    def current(self, student: str) -> Record | None:
        """Return the grading that counts: the last one.

        If the grader failed then, an earlier one of just the same that was handed in.
        """
        records = self.history.get(student)
        if not records:
            return None
        last = records[-1]
        same = [record for record in records if record.inputs == last.inputs]
        sound = [record for record in same if record.result.graded]
        return sound[-1] if sound and not (last.result.graded or last.result.error) else last

    def batch(self, first: Iterable[str] = ()) -> BatchResult:
        """Return the class's results.

        Args:
            first: students who come before all others, in this order.
        """
        names = dict.fromkeys([*first, *sorted(self.history)])
        results = [record.result for name in names if (record := self.current(name))]
        bare = any(result.isolation == "none" for result in results)
        return BatchResult(self.week, "none" if bare else "bubblewrap", results)


@contextlib.contextmanager
def kept_in(out: Path, week: str) -> Iterator[Kept]:
    """Take a folder for a week's results, and let go of it in the end.

    Raises:
        CourseError: it holds something else, cannot be written, has too little space, or another
            grading is using it.
    """
    if out.exists() and not out.is_dir():
        raise CourseError(f"{out} is not a folder: name another with --out")
    folder = out / FOLDER
    if not folder.exists() and (out / RESULTS).exists():
        raise CourseError(
            f"{out} holds a {RESULTS} from elsewhere, which would be lost: name another folder "
            "with --out"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise CourseError(f"{out} cannot be written: {error.strerror}; name another") from None
    with lock:
        take_lock(lock.fileno(), out)
        refuse_other_week(folder, out, week)
        free = shutil.disk_usage(folder).free
        if free < NEEDED_BYTES:
            raise CourseError(
                f"the disk of {out} has {free >> 20} MiB left, results may need "
                f"{NEEDED_BYTES >> 20}: make space or name another folder with --out"
            )
        for place in (folder.rglob, out.glob, (out / "gradescope").glob):
            for stale in place(f".*{PART}"):
                stale.unlink()  # what a killed run was writing
        yield Kept(out, week)


def take_lock(descriptor: int, out: Path) -> None:
    """Lock a file for as long as this process has it open; a process that dies lets go."""
    import fcntl  # is there on Unix only

    try:
        # Not `flock`: that would pass to the grading processes, and outlive this one in them.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CourseError(
            f"another detgrader is grading into {out}: wait for it, or name another folder with "
            "--out"
        ) from None


def refuse_other_week(folder: Path, out: Path, week: str) -> None:
    """Refuse a folder of another week's results, or of a form that is not known here."""
    about = read_json(folder / "class.json")
    if about.get("schema", SCHEMA) != SCHEMA:
        raise CourseError(f"{out} was made by another version of detgrader: name another folder")
    if (other := about.get("assignment", week)) != week:
        raise CourseError(f"{out} holds the results of {other}: name another folder with --out")


@contextlib.contextmanager
def told_if_it_fails(path: Path) -> Iterator[None]:
    """Turn a failure to write into words that say what is not lost."""
    try:
        yield
    except OSError as error:
        raise CannotKeep(
            f"{path} cannot be written: {error.strerror or error}. What was graded before is kept; "
            "mend this and run the same command again: it goes on from there"
        ) from None


def records_in(folder: Path) -> Iterator[Record]:
    """Yield the gradings in a student's folder, the oldest first; what is damaged is none."""
    paths = [path for path in folder.glob("*.json") if path.stem.isdigit()]
    for path in sorted(paths, key=lambda path: int(path.stem)):
        data = read_json(path)
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            if data["schema"] == SCHEMA:
                yield Record.from_json(data)


def read_json(path: Path) -> dict[str, Any]:
    """Read an object from a file of ours; what is not there or damaged is an empty one."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def file_name(student: str) -> str:
    """Make a student's name one of a file: always the same one, and no other student's.

    Some file systems do not tell capitals apart, and none takes every name: then some letters of a
    hash are added.
    """
    kept = "".join(c if c.isalnum() or c in "-_.@() " else "_" for c in student)
    safe = os.fsencode(kept.lstrip(".").rstrip(". ") or "student")[:100].decode("utf-8", "ignore")
    if safe == student == student.casefold():
        return safe
    return f"{safe}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:8]}"
