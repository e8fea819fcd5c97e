"""All that is named on the command line: files, folders, zips; whose it is, and what is graded."""

from __future__ import annotations

import datetime
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detgrader.assignment import Assignment, find_student, names_week
from detgrader.classroom.archives import unpack
from detgrader.classroom.layouts import (
    PLAIN,
    HandIn,
    Weeks,
    entries_of,
    is_notebook,
    name_of,
    read_layout,
    read_platform,
)
from detgrader.classroom.roster import Roster
from detgrader.course import CourseError
from detgrader.intake import WEIGHTS, Submission, readable, take_in

ARCHIVE = ".zip"
# So many of a student's notebooks are tried until one is found that can be graded.
MAX_TRIED = 20


@dataclass
class Found:
    """What a class handed in.

    Attributes:
        submissions: what is to be graded, one a student.
        without_notebook: who handed in something else, and what.
        missing: students of the roster of whom there is nothing.
        strangers: who is not in the roster.
        names: what students are called without the roster, and by it.
        times: by student, when it was handed in, as far as that is known.
        said: lines for people: which layouts were met, and which of several notebooks is graded.
    """

    submissions: list[Submission]
    without_notebook: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime.datetime] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> dict[str, str]:
        """By student, why there is nothing to grade."""
        told = {name: f"no notebook: {what}" for name, what in self.without_notebook.items()}
        return dict.fromkeys(self.missing, "missing") | told

    def lines(self, most: int | None = None) -> list[str]:
        """Who needs a person, before anything is graded.

        Args:
            most: so many names stand in a line; None for all.
        """
        nothing = [f"{name} ({what})" for name, what in self.without_notebook.items()]
        lists = {
            "without a notebook": nothing,
            "missing, by the roster": self.missing,
            "not in the roster": self.strangers,
        }
        return [f"{what}: {listed(names, most)}" for what, names in lists.items() if names]


def find_submissions(
    paths: Sequence[Path],
    assignment: Assignment,
    weeks: Weeks,
    unpacked: Path,
    roster: Roster | None = None,
    with_times: bool = False,
) -> Found:
    """Find the submissions in what is named: notebooks, folders, zips.

    Args:
        unpacked: folder for what lies in zips.
        with_times: whether to find out when each was handed in.

    Raises:
        CourseError: something that is named is not there, or holds no submission.
    """
    found = Found([])
    hand_ins, files, problems = [], [], []
    for path in paths:
        try:
            if is_notebook(path) and (path.is_symlink() or not path.is_dir()):
                path.lstat()
                files.append(path)
            else:
                hand_ins += hand_ins_of(path, weeks, unpacked, found)
        except CourseError as error:
            problems.append(str(error))
        except (FileNotFoundError, NotADirectoryError):
            problems.append(f"{readable(path)} does not exist")
        except OSError as error:
            problems.append(f"{readable(path)} cannot be read: {error.strerror}")
    if problems:
        raise CourseError("\n".join(problems))
    hand_ins += hand_ins_of_files(files, weeks)
    if roster:
        map_names(hand_ins, roster, found)
    for one in merged(hand_ins):
        chosen = take_best(one, assignment, weeks, found)
        if with_times and chosen and (at := one.time_of(chosen)):
            found.times[one.student] = at
    if roster:
        there = {one.student for one in hand_ins}
        found.missing = roster.missing(there)
    return found


def hand_ins_of(path: Path, weeks: Weeks, unpacked: Path, found: Found) -> list[HandIn]:
    """Return what lies in a folder or a zip.

    Raises:
        CourseError: it is not there, is something else, or holds no notebook.
    """
    name = readable(path)
    if stat.S_ISLNK(path.lstat().st_mode):
        raise CourseError(f"{name} is a symbolic link: name what it points to")
    if path.is_dir():
        folder = path.resolve()
    elif is_archive(path):
        folder = unpack(path, unpacked)
    else:
        raise CourseError(f"{name} is neither a notebook (.ipynb) nor a folder nor a zip")
    layout = read_layout(folder, weeks)
    if layout.name == PLAIN:
        refuse_downloads(folder, weeks, name)
    zips = [entry.name for entry in entries_of(folder) if is_archive(entry)]
    if zips and layout.name == PLAIN:
        found.said.append(f"{name}: left alone: {listed(zips, 3)}; zips are named themselves")
    if not any(one.notebooks(weeks) for one in layout.hand_ins):
        zipped = f", but {listed(zips, 3)}: name zips themselves" if zips else ""
        raise CourseError(f"{name} holds no notebook (.ipynb) of {weeks.name}{zipped}")
    students = len({one.student for one in layout.hand_ins})
    found.said.append(f"{name}: {layout.name}; {students} student{'s' * (students != 1)}")
    return layout.hand_ins


def is_archive(path: Path) -> bool:
    """Say whether a file is called as a zip."""
    return path.suffix.casefold() == ARCHIVE and not path.is_dir()


def refuse_downloads(folder: Path, weeks: Weeks, name: str) -> None:
    """Refuse a folder around several downloads, each of which would be taken for a student.

    Raises:
        CourseError: it is one.
    """
    for entry in entries_of(folder):
        if entry.is_dir() and not entry.is_symlink():
            layout = read_platform(entry, weeks)
            if layout and len(layout.hand_ins) > 1:
                raise CourseError(
                    f"{name} holds {readable(entry.name)}, which is {layout.name}: name each "
                    f"download, not the folder around them: {name}/*"
                )


def hand_ins_of_files(files: Sequence[Path], weeks: Weeks) -> list[HandIn]:
    """Return whose notebooks these are, that were named one by one.

    Each is its name's, or its folder's if it is called as the week; or if several folders have one
    notebook each, and all are called the same.
    """
    files = list(dict.fromkeys(files))
    in_folder = Counter(path.absolute().parent for path in files)
    stems = Counter(path.stem for path in files)
    by_student: dict[str, HandIn] = {}
    for path in files:
        folder = path.absolute().parent
        student = find_student(Path(readable(path)), weeks.name)
        named = not names_week(path.stem, weeks.name)
        if named and stems[path.stem] > 1 and in_folder[folder] == 1:
            student = name_of(folder, weeks)
        known = by_student.setdefault(student, HandIn(student, []))
        known.files += [path, path.with_suffix(WEIGHTS)]
    return list(by_student.values())


def map_names(hand_ins: Sequence[HandIn], roster: Roster, found: Found) -> None:
    """Call students as the roster does."""
    names: dict[str, set[str]] = {}
    for one in hand_ins:
        student = roster.student([*one.known_as, one.student])
        if student is None:
            found.strangers.append(one.student)
        else:
            names.setdefault(one.student, set()).add(student)
            one.student = student
    # Without the roster two students may have been taken for one: whose that is nobody knows.
    found.names = {name: one for name, (one, *others) in names.items() if not others}


def merged(hand_ins: Iterable[HandIn]) -> list[HandIn]:
    """Return one for each student: what is named later comes before what was named earlier."""
    by_student: dict[str, HandIn] = {}
    for one in hand_ins:
        one.earlier = by_student.get(one.student)
        by_student[one.student] = one
    return list(by_student.values())


def take_best(one: HandIn, assignment: Assignment, weeks: Weeks, found: Found) -> Path | None:
    """Take in a student's likeliest notebook that can be graded, and say so if there are others."""
    # A folder that is a link is refused, like a notebook that is one.
    notebooks = one.notebooks(weeks) or [path for path in one.files if path.is_symlink()]
    if not notebooks:
        names = [readable(path.name) for path in one.files]
        found.without_notebook[one.student] = listed(names, 3) or "nothing"
        return None
    taken = []
    for path in notebooks[:MAX_TRIED]:
        taken.append(take_in(path, assignment, one.student))
        if not taken[-1].refusal:
            break
    best = taken[0] if taken[-1].refusal else taken[-1]
    chosen = notebooks[taken.index(best)]
    best.weights = one.weights_for(chosen, weeks) or best.weights
    found.submissions.append(best)
    others = [readable(path) for path in notebooks if path != chosen]
    if others:
        note = (
            f"{one.student} handed in {len(notebooks)} notebooks; graded: {best.path}; "
            f"left alone: {listed(others, 3)}"
        )
        found.said.append(note)
        best.notes.append(note)
    return chosen


def listed(names: Sequence[str], most: int | None) -> str:
    """Return names in a row, not too many."""
    more = f" and {len(names) - most} more" if most and len(names) > most else ""
    return ", ".join(names[:most]) + more
