"""Who handed in what: read from how a platform lays out what it lets staff download.

A layout is told by the names of folders and files alone. It names the student; what a student calls
a file, or a browser renames it to, does not.
"""

from __future__ import annotations

import datetime
import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from detgrader.assignment import names_week, plain
from detgrader.classroom.times import commit_time, in_zone, moment, time_beside
from detgrader.course import CourseError
from detgrader.files import Unreadable, read_handed_in
from detgrader.intake import WEIGHTS, readable

NOTEBOOK = ".ipynb"
GRADESCOPE = re.compile(r"submission_\d+$")
METADATA = "submission_metadata.yml"
MAX_METADATA = 16 << 20
MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)$"
)
# Its second number counts all files of a school; somebody's own names hold smaller ones.
CANVAS = re.compile(r"(?P<name>.+?)(?:_LATE)?_(?P<id>\d+)_\d{3,}_(?P<file>.+\.\w+)$")
CLONES = "-submissions"
PLAIN = "a folder or file for each student"
# Folders that hold no submission, however full they are.
IGNORED = ("__MACOSX", "__pycache__", "node_modules", "site-packages", "venv")
MAX_FILES = 500_000


@dataclass(frozen=True)
class Weeks:
    """What the week that is graded is called, and the others that may lie beside it."""

    name: str
    others: tuple[str, ...] = ()

    def is_foreign(self, name: str) -> bool:
        """Say whether a file or folder is called as another week."""
        return any(names_week(name, other) for other in self.others)


@dataclass
class HandIn:
    """What lies there for one student.

    Attributes:
        student: as the layout names them.
        files: all of them; links too, which are refused where they are read.
        known_as: other names and numbers that the platform knows them by.
        earlier: what was named before this, if it is the same student's.
        at: when it was handed in, if the platform's list says so.
        clone: the folder of a clone of git's, if it is one.
    """

    student: str
    files: list[Path]
    known_as: tuple[str, ...] = ()
    earlier: HandIn | None = None
    at: datetime.datetime | None = None
    clone: Path | None = None

    def notebooks(self, weeks: Weeks) -> list[Path]:
        """Return the notebooks that may be meant, the likeliest first.

        That is: the one that is called as it was released, then copies of that name, then others;
        of several such the one that lies higher up, then the shorter name. What was named earlier
        comes after all of these.
        """

        def unlikeliness(path: Path) -> tuple[bool, bool, int, int, str]:
            renamed = not names_week(path.stem, weeks.name)
            return path.stem != weeks.name, renamed, len(path.parts), len(path.name), path.name

        earlier = self.earlier.notebooks(weeks) if self.earlier else []
        own = sorted(filter(is_notebook, self.files), key=unlikeliness)
        return own + [path for path in earlier if path not in own]

    def time_of(self, notebook: Path) -> datetime.datetime | None:
        """Return when a notebook was handed in, if anything says so."""
        if self.earlier and notebook not in self.files:
            return self.earlier.time_of(notebook)
        committed = commit_time(self.clone / ".git") if self.clone and not self.at else None
        return self.at or time_beside(notebook) or committed

    def weights_for(self, notebook: Path, weeks: Weeks) -> Path | None:
        """Return the weights that belong to a notebook, if it can be told which these are."""
        if self.earlier and notebook not in self.files:
            return self.earlier.weights_for(notebook, weeks)
        found = [path for path in self.files if path.suffix.casefold() == WEIGHTS]
        beside = [path for path in found if path.with_suffix("") == notebook.with_suffix("")]
        named = [path for path in found if names_week(path.stem, weeks.name)]
        return next((some[0] for some in (beside, found, named) if len(some) == 1), None)


@dataclass(frozen=True)
class Layout:
    """What a folder turned out to be."""

    name: str
    hand_ins: list[HandIn]


def read_layout(folder: Path, weeks: Weeks) -> Layout:
    """Say who handed in what in a folder.

    Raises:
        CourseError: it holds more files than any class hands in.
    """
    if layout := read_platform(folder, weeks):
        return layout
    inside = entries_of(folder)
    # Many a zip has one more folder around all that is in it.
    if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink():
        layout = read_layout(inside[0], weeks)
        several = len(layout.hand_ins) > 1 or layout.name != PLAIN
        if several:
            return layout
    return read_plain(folder, weeks)


def read_platform(folder: Path, weeks: Weeks) -> Layout | None:
    """Say who handed in what in a folder that a platform laid out, if it is one."""
    readers = (read_gradescope, read_moodle, read_canvas, read_clones)
    return next(filter(None, (read(folder, weeks) for read in readers)), None)


def entries_of(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted, less what no student hands in."""
    names = sorted(os.listdir(folder))
    return [folder / name for name in names if not name.startswith(".") and name not in IGNORED]


def files_in(entry: Path, weeks: Weeks) -> list[Path]:
    """Return an entry, or the files in it at any depth; links are not followed.

    What is called as another week is left out. A folder that is a link stands for itself.
    """
    if entry.is_symlink() or not entry.is_dir():
        return [entry]
    found: list[Path] = []
    for place, folders, names in os.walk(entry):
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            if name not in IGNORED and name not in linked and not weeks.is_foreign(name)
            if not (Path(place) / name / "pyvenv.cfg").exists()
        )
        found += [
            Path(place) / name
            for name in sorted(names)
            if not name.startswith(".") and not weeks.is_foreign(Path(name).stem)
        ]
        if len(found) > MAX_FILES:
            raise CourseError(f"{entry} holds more than {MAX_FILES} files: name a class's folder")
    return found


def is_notebook(path: Path) -> bool:
    """Say whether a file is called as a notebook."""
    return path.suffix.casefold() == NOTEBOOK


def read_gradescope(folder: Path, weeks: Weeks) -> Layout | None:
    """Read Gradescope's export: folders with numbers, and a file that says whose they are."""
    entries = [entry for entry in entries_of(folder) if GRADESCOPE.match(entry.name)]
    if not entries:
        return None
    about = read_metadata(folder / METADATA)
    hand_ins = []
    for entry in entries:
        files = files_in(entry, weeks)
        # Of a group each gets the result.
        for known_as in submitters(about.get(entry.name)) or [(entry.name,)]:
            at = time_in(about.get(entry.name))
            hand_ins.append(HandIn(known_as[0], files, known_as[1:], at=at))
    return Layout("Gradescope's export", hand_ins)


def read_metadata(path: Path) -> dict[str, object]:
    """Read Gradescope's list of submitters; none if it is not there."""
    if not path.exists():
        return {}
    try:
        table = yaml.safe_load(read_handed_in(path, MAX_METADATA))
    except (Unreadable, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CourseError(f"{path} cannot be read: {error}; download the export again") from None
    return table if isinstance(table, dict) else {}


def submitters(about: object) -> list[tuple[str, ...]]:
    """Return who handed a submission in: of each what is there of e-mail, number and name."""
    people = about.get(":submitters") if isinstance(about, dict) else None
    people = [one for one in people or [] if isinstance(one, dict)]
    told = [[one.get(key) for key in (":email", ":sid", ":name")] for one in people]
    named = [tuple(readable(str(text)) for text in texts if text) for texts in told]
    return [names for names in named if names]


def time_in(about: object) -> datetime.datetime | None:
    """Return when a submission was made, if that is a time."""
    at = about.get(":created_at") if isinstance(about, dict) else None
    return in_zone(at) if isinstance(at, datetime.datetime) else moment(str(at))


def read_moodle(folder: Path, weeks: Weeks) -> Layout | None:
    """Read Moodle's download, in folders or not: `Ada Lovelace_4711_assignsubmission_file_…`."""
    return read_matching("Moodle's download", MOODLE, folder, weeks)


def read_canvas(folder: Path, weeks: Weeks) -> Layout | None:
    """Read Canvas's download, which is flat: `lovelaceada_LATE_4711_99887_mine-2.ipynb`."""
    return read_matching("Canvas's download", CANVAS, folder, weeks)


def read_matching(name: str, form: re.Pattern[str], folder: Path, weeks: Weeks) -> Layout | None:
    """Read a layout whose entries say whose they are, by name and number.

    Returns:
        None if some notebook there is called otherwise.
    """
    entries = {entry: form.match(entry.name) for entry in entries_of(folder)}
    notebooks = [entry for entry in entries if is_notebook(entry)]
    if not any(entries.values()) or not all(entries[entry] for entry in notebooks):
        return None
    found: dict[tuple[str, str], HandIn] = {}
    for entry, match in entries.items():
        if match:
            key = readable(match["name"]), match["id"]
            known_as = (match["id"], f"Participant {match['id']}")  # as Moodle's lists have it
            hand_in = found.setdefault(key, HandIn(key[0], [], known_as))
            hand_in.files += files_in(entry, weeks)
    # Two people of one name are told apart by their numbers.
    names = [name for name, _ in found]
    for (student, number), hand_in in found.items():
        if names.count(student) > 1:
            hand_in.student = f"{student} ({number})"
    return Layout(name, list(found.values()))


def read_clones(folder: Path, weeks: Weeks) -> Layout | None:
    """Read GitHub Classroom's clones: `ASSIGNMENT-STUDENT`, maybe in `ASSIGNMENT-submissions`."""
    alone = (folder / ".git").exists() and prefix_of([folder], weeks)
    inside = [one for one in entries_of(folder) if one.is_dir()]
    around = [one for one in inside if one.name.endswith(CLONES) and not one.is_symlink()]
    for one in around:
        only = len(inside) == 1 or names_week(one.name.removesuffix(CLONES), weeks.name)
        if only and (layout := read_clones(one, weeks)):
            return layout
    clones = [folder] if alone else [one for one in inside if one not in around]
    prefix = prefix_of(clones, weeks)
    files = {one: files_in(one, weeks) for one in clones} if prefix else {}
    if not any(is_notebook(path) for paths in files.values() for path in paths):
        return None
    hand_ins = [
        HandIn(readable(one.name.removeprefix(prefix)), paths, (readable(one.name),), clone=one)
        for one, paths in files.items()
    ]
    return Layout(f"GitHub Classroom's clones (`{prefix}` is taken off their names)", hand_ins)


def prefix_of(folders: list[Path], weeks: Weeks) -> str:
    """Return what clones' names begin with, the assignment's name and a dash, or nothing.

    It is the name of the folder around them, `ASSIGNMENT-submissions`, or the week's, or what all
    clones have in common.
    """
    names = [folder.name for folder in folders]
    around = folders[0].parent.name if folders else ""
    candidates = [around.removesuffix(CLONES) + "-"] * around.endswith(CLONES)
    for name in names:
        starts = [name[: dash.end()] for dash in re.finditer("-", name)]
        candidates += [start for start in starts if plain(start) == plain(weeks.name)]
    for candidate in candidates:
        if any(name.startswith(candidate) and name != candidate for name in names):
            return candidate
    cloned = len(names) > 1 and all((folder / ".git").exists() for folder in folders)
    # These are names, not paths.
    common = os.path.commonprefix(names) if cloned else ""  # noqa: RUF071
    return common[: common.rfind("-") + 1]


def read_plain(folder: Path, weeks: Weeks) -> Layout:
    """Read a folder for each student, nbgrader's among them, or a file for each.

    A folder with a notebook of the week's name is one student's.

    Raises:
        CourseError: beside that notebook lie others, which may be other students'.
    """
    entries = {entry: files_in(entry, weeks) for entry in entries_of(folder)}
    whole = [path for files in entries.values() for path in files]
    direct = [path for path in whole if is_notebook(path) and path.parent == folder]
    named = [path for path in direct if names_week(path.stem, weeks.name)]
    others = [path.name for path in direct if path not in named]
    if named and others and not (folder / ".git").exists():
        raise CourseError(
            f"{readable(folder)} holds {readable(named[0].name)} beside {readable(others[0])}: "
            "whose is it? Move it into a folder of its student's name, or name each notebook"
        )
    if named:
        return Layout("one student's folder", [HandIn(name_of(folder, weeks), whole)])
    weights = [path for path in whole if path.parent == folder and path.suffix == WEIGHTS]
    hand_ins = []
    for entry, files in entries.items():
        if entry in direct:
            beside = [path for path in weights if path.stem == entry.stem]
            hand_ins.append(HandIn(readable(entry.stem), [entry, *beside]))
        elif entry.is_dir() and not weeks.is_foreign(entry.name):
            is_week = names_week(entry.name, weeks.name)
            student = name_of(folder, weeks) if is_week else readable(entry.name)
            hand_ins.append(HandIn(student, files))
    return Layout(PLAIN, hand_ins)


def name_of(folder: Path, weeks: Weeks) -> str:
    """Return whose a folder is: its name, or of the folder around it if it is called as a week."""
    places = [folder.absolute(), *folder.absolute().parents]
    names = (place.name for place in places)
    return readable(next((n for n in names if n and not names_week(n, weeks.name)), weeks.name))
