"""When something was handed in: a platform's record, git's, or a list of the staff's own."""

from __future__ import annotations

import csv
import datetime
import io
import os
import re
import subprocess
import tempfile
from pathlib import Path

from detgrader.course import CourseError
from detgrader.files import Unreadable, read_handed_in

TIMESTAMP = "timestamp.txt"
MAX_BYTES = 1 << 20
REF = re.compile(r"ref: (refs/[\w./-]+)\Z")
COMMIT = re.compile(r"[0-9a-f]{40,64}\Z")
COMMITTER = re.compile(rb"^committer [^\n]* (\d{1,12}) [+-]\d{4}$", re.M)
GIT_S = 30


def moment(text: str) -> datetime.datetime | None:
    """Read a time as ISO 8601 or nbgrader writes it; one without a zone is UTC's."""
    text = text.strip().removesuffix(" UTC")
    try:
        return in_zone(datetime.datetime.fromisoformat(text))
    except ValueError:
        return None


def in_zone(at: datetime.datetime) -> datetime.datetime:
    """Return a time with a zone: as platforms write it, without one it is UTC's."""
    return at if at.tzinfo else at.replace(tzinfo=datetime.UTC)


def time_beside(notebook: Path) -> datetime.datetime | None:
    """Return when a notebook was handed in, by nbgrader's record beside it."""
    try:
        data = read_handed_in(notebook.parent / TIMESTAMP, MAX_BYTES)
    except Unreadable:
        return None
    return moment(data.decode("utf-8", "replace"))


def commit_time(git: Path) -> datetime.datetime | None:
    """Return when a clone's last commit was made, by the word of who made it; None if unknown.

    Git itself never runs in the clone: what stands in a clone's settings would run with our rights.
    A repository of our own borrows its objects.
    """
    commit = head_of(git)
    objects = (git / "objects").absolute()
    if not commit or git.is_symlink() or objects.is_symlink() or "\n" in str(objects):
        return None
    quiet = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        (own / "refs").mkdir()
        (own / "objects" / "info").mkdir(parents=True)
        (own / "objects" / "info" / "alternates").write_text(f"{objects}\n")
        (own / "HEAD").write_text("ref: refs/heads/none\n")
        command = ["git", f"--git-dir={own}", "cat-file", "commit", commit]
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=GIT_S, check=False, env=os.environ | quiet
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = COMMITTER.search(done.stdout.partition(b"\n\n")[0])
    return datetime.datetime.fromtimestamp(int(found[1]), datetime.UTC) if found else None


def head_of(git: Path) -> str:
    """Return the commit that a clone is at, or the empty string."""

    def read(name: str) -> str:
        try:
            return read_handed_in(git / name, MAX_BYTES).decode("ascii", "replace").strip()
        except Unreadable:
            return ""

    head = read("HEAD")
    if ref := REF.match(head):
        if ".." in ref[1]:
            return ""
        lines = [line.partition(" ") for line in read("packed-refs").splitlines()]
        packed = {name: commit for commit, _, name in lines}
        head = read(ref[1]) or packed.get(ref[1], "")
    return head if COMMIT.match(head) else ""


def read_times(path: Path) -> dict[str, datetime.datetime]:
    """Read the staff's own list: a CSV file with the columns `student` and `time`.

    Raises:
        CourseError: it cannot be read, or a line holds no time with its zone.
    """
    try:
        text = read_handed_in(path, MAX_BYTES).decode("utf-8-sig")
    except (Unreadable, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    lines = csv.DictReader(io.StringIO(text, newline=""), restval="")
    if not {"student", "time"} <= set(lines.fieldnames or ()):
        raise CourseError(f"{path}:1: the first line must name the columns `student` and `time`")
    times = {}
    for line in lines:
        try:
            at = datetime.datetime.fromisoformat(line["time"].strip())
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise CourseError(
                f"{path}:{lines.line_num}: {line['time']!r} is no time with its zone, such as "
                "2026-12-01T23:59:00+01:00"
            )
        times[line["student"].strip()] = at
    return times
