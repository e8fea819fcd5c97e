"""Bands of a metric: what a statement promises is what the checks pay."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from detgrader.authoring.source import read
from detgrader.course import Course
from detgrader.grading.session import run_session
from detgrader.grading.tasks import TaskChecks

COURSE = Course.find()
# Parameters of checks that compare a metric with a band, and the words for them in a statement.
WORDS = {"least": "at least", "most": "at most"}
ROW = re.compile(r"\| *[^|]+ (?P<words>at least|at most) \|(?P<values>.+)\|")
HEAD = re.compile(r"\| *\|(?P<points>( \d+ points? \|)+)")
Bands = list[tuple[str, list[tuple[float, float]]]]  # for each metric (points, bound) of each band


def promised(week: str) -> dict[str, Bands]:
    """Return the bands in the tables of a week's statements, by task label."""
    found: dict[str, Bands] = defaultdict(list)
    points: list[float] = []
    for cell in read(COURSE, week).cells:
        for line in cell.node.source.splitlines() if cell.kind == "story" else ():
            if head := HEAD.fullmatch(line):
                points = [float(number) for number in re.findall(r"\d+", head["points"])]
            elif row := ROW.fullmatch(line):
                bounds = [float(number) for number in row["values"].split("|")]
                pairs = list(zip(points, bounds, strict=True))
                found[str(cell.section)].append((row["words"], pairs))
    return dict(found)


def paid(week: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Bands]:
    """Return the bands that a week's hidden checks pay for, by task label."""
    # A session sets these for its process; afterwards they are as they were.
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    tasks: dict[str, TaskChecks] = {}
    run_session(COURSE.checks(week), "", lambda session: tasks.update(session.tasks))
    points = {cell.label: cell.points for cell in read(COURSE, week).cells if cell.kind == "check"}
    return {
        label: bands for label, about in tasks.items() if (bands := bands_of(about, points[label]))
    }


def bands_of(about: TaskChecks, points: float) -> Bands:
    """Return the bands of a task's checks: the points earned when a band and all below it hold."""
    whole = sum(check.weight for check in about.checks)
    metrics: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for check in about.checks:
        given = check.item.callspec.params if hasattr(check.item, "callspec") else {}
        for name in WORDS.keys() & given.keys():
            metrics[check.item.originalname, name].append((given[name], check.weight))
    bands = []
    for (_, name), pairs in metrics.items():
        pairs.sort(reverse=name == "most")
        sums = [sum(weight for _, weight in pairs[: n + 1]) for n in range(len(pairs))]
        worth = [points * part / whole for part in sums]
        bands.append((WORDS[name], list(zip(worth, [bound for bound, _ in pairs], strict=True))))
    return bands


@pytest.mark.parametrize("week", COURSE.weeks())
def test_statements_and_checks_have_the_same_bands(
    week: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = promised(week)
    assert paid(week, monkeypatch) == expected
    known = {
        "week2_mnist_localization": {"2.9"},
        "week3_mnist_ssd": {"3.10", "3.11"},
        "week4_ssd300": {"4.10", "4.12"},
        "week5_focal_loss": {"5.7"},
    }
    assert expected.keys() == known.get(week, set())
