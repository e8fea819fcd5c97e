"""The course's site: what its files say already, as pages that need no network to be read.

A folder of pages, with a `conf.py` of Sphinx, says what there is; `[site]` in `course.toml` names
it, and the files of the course that become pages as they are. Both are laid out beside each other
as in the course, so that their links lead where they lead there. Every week's notebook is one of
them: it is run as it was handed out, and shows what students see before they have solved anything.
"""

from __future__ import annotations

import html
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from detgrader.authoring import leaks
from detgrader.authoring.bundle import LEFT_BEHIND, NOTEBOOKS, title_of
from detgrader.authoring.source import Problem, read, refuse
from detgrader.course import SETTINGS, BundleSettings, Course, CourseError, SiteSettings

CELL_S = 600  # on a slow and busy machine; a picture takes a second or two
WIDGET = "application/vnd.jupyter.widget-view+json"
MARK = ".buildinfo"  # which Sphinx leaves in every site
EXTRA = "the site needs Sphinx: run `uv run --extra site detgrader site OUT`"


def build(course: Course, out: Path, jobs: int, words: TextIO) -> int:
    """Write the site into a folder that is new, empty or an earlier site, and count its pages.

    Args:
        jobs: so many notebooks run side by side.
        words: gets what Sphinx warns of.

    Raises:
        CourseError: the course has no site, Sphinx is not here or warns (of a broken link, say), a
            notebook does not run, or a line of a solution stands on a page.
    """
    settings = course.settings.site
    if settings is None:
        raise CourseError(f"{course.root / SETTINGS} has no [site]: it names what the site holds")
    if out.exists() and not (out.is_dir() and ((out / MARK).is_file() or not any(out.iterdir()))):
        raise CourseError(f"{out} is neither an empty folder nor a site: name another")
    with tempfile.TemporaryDirectory() as folder:
        source, pages = Path(folder, "source"), Path(folder, "pages")
        lay_out(course, settings, source)
        run_notebooks(course, source, jobs)
        make_pages(source, pages, words)
        refuse(leaked(course, pages))
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(pages, out)
    return len(pages_of(out))


def pages_of(site: Path) -> list[Path]:
    """List the pages of a site, without what a theme keeps among its own files."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def lay_out(course: Course, settings: SiteSettings, target: Path) -> None:
    """Put the pages at the top of a folder, and the files that become pages where they lie."""
    left_behind = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(course.root / settings.pages, target, ignore=left_behind)
    releases = [course.release(week) for week in course.weeks()]
    for path in [*(course.root / name for name in settings.brings), *releases]:
        if not path.is_file():
            raise CourseError(f"{path} is not here: the site has a page of it")
        place = target / path.relative_to(course.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    if bundle := course.settings.bundle:
        for page in (target / bundle.template).rglob("*.md"):
            page.write_text(as_in_bundle(course, bundle, page.read_text("utf-8")), "utf-8")


def as_in_bundle(course: Course, bundle: BundleSettings, text: str) -> str:
    """Fill in what a bundle does, and lead links to where its other files lie in the course."""
    weeks = {week: title_of(course.release(week).read_bytes()) for week in course.weeks()}
    places = {week: course.release(week).relative_to(course.root) for week in weeks}
    titles = [f"- [{weeks[week] or week}](/{place})" for week, place in places.items()]
    for name, place in bundle.brings.items():
        text = re.sub(rf"\]\({re.escape(place)}(?=[/)#])", f"](/{name}", text)
    return text.replace(NOTEBOOKS, "\n".join(titles))


def run_notebooks(course: Course, source: Path, jobs: int) -> None:
    """Run every week's notebook in place, so many side by side."""
    places = [source / course.release(week).relative_to(course.root) for week in course.weeks()]
    with ThreadPoolExecutor(jobs) as threads:
        for _ in threads.map(run_untouched, places):
            pass


def run_untouched(path: Path) -> None:
    """Run a notebook as it was handed out, and keep what its cells show.

    A cell that ends in an error asks for an answer that is not there: it shows nothing.

    Raises:
        CourseError: a cell takes too long, or ends Python.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=CELL_S, allow_errors=True, resources=where)
        try:
            client.execute()
        except (DeadKernelError, TimeoutError) as error:
            raise CourseError(f"{path.name} does not run as it is handed out: {error}") from None
    notebook.metadata.pop("widgets", None)  # no kernel stands behind a page
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        if any(output.output_type == "error" for output in outputs):
            cell.outputs = []
        for output in outputs:
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, path)


def make_pages(source: Path, out: Path, words: TextIO) -> None:
    """Let Sphinx make pages.

    Raises:
        CourseError: it is not here, or not content.
    """
    if importlib.util.find_spec("sphinx") is None:
        raise CourseError(EXTRA)
    # In a process of its own: it imports modules in its own way, and leaves much behind.
    options = ["--builder", "html", "--fail-on-warning", "--quiet", "--no-color"]
    options += ["--doctree-dir", str(source.parent / "kept"), str(source), str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    words.write(done.stderr)
    if done.returncode:
        raise CourseError("no site was written: mend what is said above")


def leaked(course: Course, pages: Path) -> Iterator[Problem]:
    """Yield a problem for each line of any week's solutions that can be read on a page."""
    places: list[tuple[str, object]] = []
    for path in sorted(pages.rglob("*")):
        name = f"{path.relative_to(pages)} of the site"
        if path.suffix == ".html":
            places.append((name, texts(path.read_text("utf-8"))))
        elif path.is_relative_to(pages / "_downloads") and not LEFT_BEHIND.fullmatch(path.name):
            places.append((name, path.read_text("utf-8", "replace") if path.is_file() else ""))
    return leaks.problems_in([read(course, week) for week in course.weeks()], places)


def texts(page: str) -> list[str]:
    """Return what can be read on a page: all of it, each piece of code, and words of pictures."""
    found = re.search(r"<main.*</main>", page, re.DOTALL)
    body = found[0] if found else page
    pieces = re.findall(r"<(?:pre|code)\b.*?</(?:pre|code)>", body, re.DOTALL)
    words = re.findall(r'\balt="([^"]*)"', body)
    return [html.unescape(re.sub(r"<[^>]*>", "", piece)) for piece in [body, *pieces, *words]]
