"""What students get: a repository of their own, put together from what the course releases.

The course says in `course.toml` what belongs to it: a folder of templates, taken as it is (a
README, an environment, workflows …), and other files and folders with the names they get. The
notebooks are the releases. Two bundles of the same course are the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from detgrader.authoring import leaks, release
from detgrader.authoring.source import Problem, read, refuse
from detgrader.course import SETTINGS, Course, CourseError, package_folder
from detgrader.files import write_bytes

ZIP = ".zip"
# What programs leave in a working folder.
LEFT_BEHIND = re.compile(
    r"__pycache__|\..*_cache|\.ipynb_checkpoints|\.venv|\.DS_Store|.*\.(pyc|egg-info)"
)
# Stands in a README of the template for the list of the notebooks.
NOTEBOOKS = "<!-- notebooks -->"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name

Files = Mapping[str, bytes]


def chosen(course: Course, numbers: str) -> list[str]:
    """Return weeks by their numbers, as in "1-5", "2" or "1,3"; all of them for "".

    Raises:
        CourseError: that is no list of numbers, or there is no such week.
    """
    known = {course.number(week): week for week in course.weeks()}
    wanted: set[int] = set()
    for part in numbers.split(",") if numbers else map(str, known):
        found = re.fullmatch(r"\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?\s*", part)
        if not found:
            raise CourseError(f"{numbers!r} names no weeks: write them as in 1-5, 2 or 1,3")
        wanted |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    if unknown := sorted(wanted - known.keys()):
        here = ", ".join(map(str, sorted(known))) or "none yet"
        raise CourseError(f"no week {', '.join(map(str, unknown))} in {course.root}; known: {here}")
    return [known[number] for number in sorted(wanted)]


def files_of(course: Course, weeks: list[str]) -> Files:
    """Gather all files of a bundle by their path in it, sorted.

    Raises:
        CourseError: the course names no bundle, a release is out of date, something is a link, or
            a line of a solution stands somewhere.
    """
    settings = course.settings.bundle
    if settings is None:
        raise CourseError(f"{course.root / SETTINGS} has no [bundle]: it names what students get")
    files: dict[str, bytes] = {}
    titles = []
    for week in weeks:
        release.check(course, week)
        content = course.release(week).read_bytes()
        files[f"{week}.ipynb"] = content
        titles.append(f"- [{title_of(content) or week}]({week}.ipynb)")
    later = other_weeks(course, weeks)
    for name, place in ((settings.template, ""), *settings.brings.items()):
        for path, source in under(course, name, place):
            if not any(source.resolve().is_relative_to(folder) for folder in later):
                files[path] = source.read_bytes()
    for path in files:
        if path.endswith(".md"):
            files[path] = files[path].replace(NOTEBOOKS.encode(), "\n".join(titles).encode())
    refuse(leaked(course, files))
    return dict(sorted(files.items()))


def title_of(notebook: bytes) -> str:
    """Return the first heading of a notebook, or the empty string."""
    for cell in json.loads(notebook)["cells"]:
        if found := re.match(r"# (.+)", "".join(cell["source"])):
            return found[1].strip()
    return ""


def other_weeks(course: Course, weeks: list[str]) -> list[Path]:
    """List the folders of the students' package that belong to weeks which are left out."""
    package = package_folder(course.settings.weeks)
    left_out = set(course.weeks()) - set(weeks)
    return [package.resolve() / f"week{course.number(week)}" for week in left_out if package]


def under(course: Course, name: str, place: str) -> Iterator[tuple[str, Path]]:
    """Yield a file of the course, or all files in a folder: the path in the bundle, and the file.

    Raises:
        CourseError: there is no such file, or one is a link, which may lead to staff's files.
    """
    source = course.root / name
    if not source.exists():
        raise CourseError(f"{course.root / SETTINGS}: [bundle] names {name}, which is not here")
    if source.is_symlink():
        raise CourseError(f"{source} is a link: put the file itself there")
    if source.is_file():
        yield place, source
        return
    for path in sorted(source.iterdir()):
        if not LEFT_BEHIND.fullmatch(path.name):
            inside = f"{place}/{path.name}" if place else path.name
            yield from under(course, f"{name}/{path.name}", inside)


def leaked(course: Course, files: Files) -> Iterator[Problem]:
    """Yield a problem for each line of any week's solutions that stands in a file of a bundle."""
    places: list[tuple[str, object]] = []
    for path, content in files.items():
        if path.endswith(".ipynb"):
            # Each was compared with its own solutions: here with those of the other weeks as well.
            cells = json.loads(content)["cells"]
            places += [(f"{path} of the bundle", "".join(cell["source"])) for cell in cells]
        elif not path.endswith(".lock"):  # long, and no prose
            with contextlib.suppress(UnicodeDecodeError):  # images and arrays
                places.append((f"{path} of the bundle", content.decode("utf-8")))
    return leaks.problems_in([read(course, week) for week in course.weeks()], places)


def refuse_filled(out: Path) -> None:
    """Refuse to write into a folder that holds something already; git's own does not count.

    Raises:
        CourseError: it does, or it is no folder.
    """
    filled = out.is_dir() and {path.name for path in out.iterdir()} - {".git"}
    if out.suffix != ZIP and (filled or (out.exists() and not out.is_dir())):
        raise CourseError(f"{out} is not an empty folder: name another, or clear it first")


def write(files: Files, out: Path) -> None:
    """Write a bundle: into a zip if that is the name's end, else into a new or empty folder.

    Raises:
        CourseError: the folder holds something already, or nothing can be written there.
    """
    try:
        refuse_filled(out)
        if out.suffix == ZIP:
            write_zip(files, out)
        else:
            for path, content in files.items():
                write_bytes(out / path, content)
    except OSError as error:
        raise CourseError(f"{out} cannot be written: {error.strerror}") from None


def write_zip(files: Files, out: Path) -> None:
    """Write files into an archive, in a folder of its name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                about = zipfile.ZipInfo(f"{out.stem}/{path}", EPOCH)
                about.external_attr = 0o644 << 16
                about.create_system = 3  # whose permissions those are, on any machine
                archive.writestr(about, content, zipfile.ZIP_DEFLATED)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)


def size_of(files: Files) -> int:
    """Return how many bytes the files of a bundle hold."""
    return sum(map(len, files.values()))
