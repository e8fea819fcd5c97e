"""The course's site: whole, without any solution, and fit for any screen and any reader."""

from __future__ import annotations

import io
import re
from itertools import cycle, product
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from browser_pages import Page, chromium
from harness import ROOT, run_afresh

from detgrader.authoring import site
from detgrader.authoring.leaks import says_something, solution_lines
from detgrader.authoring.source import read
from detgrader.course import Course, CourseError

pytest.importorskip("sphinx", reason="the site's tools are not here: uv sync --extra site")

COURSE = Course.find()
SECOND = Course(ROOT / "tests/second_course")
LINK = re.compile(r'<(?:a|link|img|script|source)\b[^>]*?\s(?:href|src)="([^"]*)"')
WIDTHS = (390, 820, 1440)
LOOKS = [(width, dark) for width, dark in product(WIDTHS, (False, True))]
# What a page of the site is made of: each of these is looked at in every way.
KINDS = ("index", "api/detlab.metrics", "assignments/week5_focal_loss/week5_focal_loss")
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"
ASKED_FOR = "performance.getEntriesByType('resource').map(one => one.name)"
FORMULAS = "[...document.querySelectorAll('math')].map(one => one.getBoundingClientRect().height)"
FOUND = """new Promise(done => { const look = () => {
    const found = document.querySelectorAll('#search-results li').length;
    found ? done(found) : setTimeout(look, 50) }; look() })"""


# One test: processes that share the tests would each build a site.
def test_the_site_of_the_course(tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = run_afresh("site", out)
    assert done.returncode == 0, done.stderr
    paths = site.pages_of(out)
    pages = {path.relative_to(out).with_suffix("").as_posix(): path for path in paths}
    assert f"{len(pages)} pages" in done.stdout
    weeks = [f"assignments/{week}/{week}" for week in COURSE.weeks()]
    assert pages.keys() >= {*weeks, *KINDS, "teaching", "ci", "CONTRIBUTING", "handout/README"}
    html = {path: path.read_text("utf-8") for path in pages.values()}

    assert not broken(html)
    assert not given_away(html)
    for week in weeks:
        assert "NotImplementedError</span>:" not in html[pages[week]]  # no traceback is shown
    assert 'src="data:image/png' in html[pages[KINDS[2]]] or "_images/" in html[pages[KINDS[2]]]
    formulas = sum(text.count("<math") for text in html.values())
    assert formulas > 8
    assert "$$" not in "".join(site.texts(html[pages[week]])[0] for week in weeks)

    with chromium() as page:
        for (name, path), look in zip(sorted(pages.items()), cycle(LOOKS), strict=False):
            if name.startswith("api/") and name not in KINDS:
                continue
            for width, dark in LOOKS if name in KINDS else [look]:
                assert not wrong(page, path, width, dark), f"{name} at {width}, dark: {dark}"
        page.open(f"{(out / 'search.html').as_uri()}?q=loss", 820)
        assert page.value(FOUND)


def broken(html: dict[Path, str]) -> list[str]:
    """Return links that lead nowhere, and parts of pages that come from elsewhere."""
    ids = {path.resolve(): set(re.findall(r'\bid="([^"]+)"', text)) for path, text in html.items()}
    found = []
    for path, text in html.items():
        for link in LINK.findall(text):
            place, _, part = link.partition("#")
            if re.match(r"https?://|mailto:|data:", link):
                continue
            target = (path.parent / unquote(place).split("?")[0]).resolve() if place else path
            if not target.is_file() or (part and part not in ids.get(target.resolve(), {part})):
                found.append(f"{path}: {link}")
        for tag in re.findall(r"<(?:script|img|iframe|source)\b[^>]*?\ssrc=.https?://[^>]*>", text):
            found.append(f"{path}: {tag}")
        for tag in re.findall(r"<link\b[^>]*?\shref=.https?://[^>]*>", text):
            found.append(f"{path}: {tag}")
    return found


def given_away(html: dict[Path, str]) -> list[str]:
    """Return lines of solutions that stand anywhere on a page, within other lines as well."""
    sources = [read(COURSE, week) for week in COURSE.weeks()]
    lines = {
        " ".join(text.split())
        for source in sources
        for cell in source.cells
        for _, text in solution_lines(cell)
        if says_something(text)
    }
    assert len(lines) > 300
    texts = {path: " ".join(" ".join(site.texts(text)).split()) for path, text in html.items()}
    return [f"{path}: {line}" for path, text in texts.items() for line in lines if line in text]


def wrong(page: Page, path: Path, width: int, dark: bool) -> list[str]:
    """Return all that a browser finds wrong with a page at a width."""
    page.complaints.clear()
    page.open(path, width, dark)
    # The theme tells its mode; axe-core asks for the styles of the page before once more, in vain.
    own = ('"type": "log"', "XMLHttpRequest", "ERR_FAILED")
    found = [one for one in page.complaints if not any(text in one for text in own)]
    found += [name for name in page.value(ASKED_FOR) if not name.startswith("file:")]
    if (more := page.value(OVERFLOW)) > 0:
        found.append(f"{more} pixels wider than the window")
    found += [f"a formula is {height} high" for height in page.value(FORMULAS) if height < 8]
    return found + page.violations()


def test_a_course_may_have_no_site(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no \[site\]"):
        site.build(SECOND, tmp_path / "site", 1, io.StringIO())


def test_what_is_no_site_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(CourseError, match="neither an empty folder nor a site"):
            site.build(COURSE, out, 1, io.StringIO())
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cell_without_its_answer_shows_nothing(tmp_path: Path) -> None:
    cells = ["print('before')\nraise NotImplementedError", "print('here')", "1 / 0"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    path = tmp_path / "a.ipynb"
    nbformat.write(notebook, path)
    site.run_untouched(path)
    run = nbformat.read(path, as_version=4)
    assert "widgets" not in run.metadata  # which a page would fetch a script for
    first, second, third = run.cells
    assert (first.outputs, third.outputs) == ([], [])
    assert second.outputs[0].text == "here\n"


def test_a_line_of_a_solution_is_found_on_a_page(tmp_path: Path) -> None:
    cells = read(COURSE, COURSE.weeks()[0]).cells
    lines = [text.strip() for cell in cells for _, text in solution_lines(cell)]
    line = max((text for text in lines if says_something(text)), key=len)
    spans = " ".join(f'<span class="n">{word}</span>' for word in line.split(" "))
    for page in (f"<pre>{spans}\n</pre>", f"<p>It is <code>{spans}</code>.</p>"):
        (tmp_path / "page.html").write_text(f"<main>{page}</main>", "utf-8")
        found = list(site.leaked(COURSE, tmp_path))
        assert found
        assert "page.html of the site" in str(found[0])


def formula(text: str, folder: Path) -> tuple[str, str]:
    """Return what a page with a formula holds, and what is said of it."""
    source, out = folder / "source", folder / "out"
    source.mkdir()
    (source / "conf.py").write_text(
        'extensions = ["myst_nb", "detgrader.authoring.pages"]\nhtml_math_renderer = "mathml"\n'
        'myst_enable_extensions = ["dollarmath"]\n'
    )
    (source / "index.md").write_text(f"# A page\n\n{text}\n\n| a | |\n| --- | --- |\n| b | c |\n")
    words = io.StringIO()
    try:
        site.make_pages(source, out, words)
    except CourseError:
        return "", words.getvalue()
    return (out / "index.html").read_text("utf-8"), words.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_formulas_are_mathml(tmp_path: Path) -> None:
    page, words = formula(r"The half $\tfrac12$, and $$x = \sqrt{2}$$", tmp_path)
    assert not words
    assert page.count("<math") == 2
    assert re.search(r"<mfrac[^>]*><mn>1</mn><mn>2</mn></mfrac>", page)
    heads = re.findall(r"<(t[hd])[^>]*head", page)
    assert heads == ["th", "td"]  # an empty heading of a column is none


@pytest.mark.filterwarnings("ignore")
def test_a_formula_that_nobody_can_read_stops_the_site(tmp_path: Path) -> None:
    page, words = formula(r"$\nosuchthing{2}$", tmp_path)
    assert not page
    assert "nosuchthing" in words
