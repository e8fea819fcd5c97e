"""Panels below a notebook's cells: words and marks beside each colour, pictures with numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import torch
from torch import Tensor

from detlab.checking import panel
from detlab.checking.case import Call, Case
from detlab.checking.report import TO_DO, Finding, Report
from detlab.checking.tables import of_call
from detlab.checking.values import HandleRef
from detlab.weeks.boxes_shown import corners

HOSTILE = "</code></section><script>alert(1)</script>`\"'&"
VOID = {"br", "rect", "path"}


class Reader(HTMLParser):
    """Reads HTML: what is open must be closed, in order."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts).replace("\xa0", " ")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(report: Report) -> Reader:
    return Reader(report._repr_mimebundle_()["text/html"])


def close(expected: list, got: list, what: str = "The answer", call: Call | None = None) -> Finding:
    right, came = (torch.tensor(one).double() for one in (expected, got))
    return Finding("A title", "It is wrong.", Case(what, right, came, right != came), call)


def with_boxes(finding: Finding, task: str = "1.9") -> Reader:
    def of_task(function: str, name: str, values: Tensor) -> Tensor | None:
        return corners(task, function, name, values)

    return read(Report(task, [finding], corners=of_task))


REPORTS = {
    "passes": Report("1.5", [Finding("A"), Finding("B")], seconds=0.25),
    "not right yet": Report("1.5", [Finding("A"), Finding("B", "It\nis wrong.")], seconds=12.3),
    "still to do": Report("1.5", [Finding("A", TO_DO)]),
    "cannot be checked": Report("1.5", reason="cannot be checked yet: run the cell above."),
    "in words": Report("1.1", in_words=True),
}


@pytest.mark.parametrize("words", REPORTS)
def test_a_panel_says_what_its_text_says(words: str) -> None:
    report = REPORTS[words]
    bundle = report._repr_mimebundle_()
    assert bundle["text/plain"] == report.text
    (section,) = read(report).all("section")
    assert words in section["aria-label"]
    shown = read(report).text
    for line in report.text.splitlines():
        assert line.strip("✓✗ ") in shown, line


def test_each_check_has_a_mark_and_a_word() -> None:
    passing, failing = (read(REPORTS[words]).text for words in ("passes", "not right yet"))
    assert "✓ passes A" in passing
    assert "✓ passes B" in passing
    assert "not yet" not in passing
    assert "✓ passes A" in failing
    assert "✗ not yet B" in failing
    partly = read(Report("1.5", [Finding("A", TO_DO), Finding("B", "It is wrong.")])).text
    assert "still to do A" in partly


def test_a_hint_is_offered_where_something_is_wrong_and_the_time_is_told() -> None:
    texts = {words: read(report).text for words, report in REPORTS.items()}
    assert [words for words in texts if "check.hint('1.5')" in texts[words]] == ["not right yet"]
    assert "Checked in 0.25 s." in texts["passes"]
    assert "Checked in 12 s." in texts["not right yet"]
    assert "Checked" not in texts["still to do"]


def test_what_is_only_open_looks_like_nothing_that_went_wrong() -> None:
    colours = {
        words: set(re.findall("#[0-9a-f]{6}", panel.of_report(REPORTS[words]))) for words in REPORTS
    }
    assert not colours["still to do"] & (colours["not right yet"] - colours["passes"])
    assert "✗" not in read(REPORTS["still to do"]).text


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_words_can_be_read_and_lines_be_seen_on_light_and_on_dark() -> None:
    boxes = close([[0.1, 0.1, 0.5, 0.5]], [[0.1, 0.1, 0.5, 0.6]], "The boxes")
    for finding in (boxes, Finding("A"), Finding("A", TO_DO)):
        for tag, attributes in with_boxes(finding).tags:
            style = attributes.get("style") or ""
            if ground := re.search("background:(#\\w+)", style):
                assert contrast(ground[1], "#ffffff") >= 4.5, style
                assert "color:#fff;" in style
            else:  # text has the notebook's own colour
                assert not re.search("(?<![-\\w])color:", style), style
            edges = [
                *re.findall(r"border[-\w]*:[^;]*(#\w{6})", style),
                attributes.get("stroke") or "",
            ]
            for colour in edges:
                if colour.startswith("#"):
                    assert min(contrast(colour, page) for page in ("#ffffff", "#111111")) >= 3, tag
                    assert not re.fullmatch("#[b-f].[0-4].[0-4].", colour), "red"


def test_texts_of_students_stay_text() -> None:
    case = Case(HOSTILE, torch.zeros(1, 2), torch.ones(1, 2), torch.ones(1, 2) > 0)
    call = Call(HOSTILE, ((HOSTILE, HOSTILE), ("net", HandleRef(1, HOSTILE))))
    finding = Finding(HOSTILE, f"{HOSTILE}\n{HOSTILE}", case, call)
    for report in (
        Report("1.5", [finding], corners=lambda *about: torch.zeros(1, 4)),
        Report("1.5", reason=HOSTILE),
    ):
        shown = read(report)
        assert "script" not in {tag for tag, _ in shown.tags}
        assert "<script>alert(1)</script>" in shown.text


def test_wrong_numbers_have_a_cross_and_right_ones_none() -> None:
    finding = close([[0.5, 1.0], [2.0, 3.0]], [[0.5, 1.25], [2.0, 3.0]])
    text = read(Report("1.5", [finding])).text
    assert "[0]0.5, 10.5, ✗ 1.25✗ differs" in text
    assert "[1]2, 32, 3✓ right" in text


def test_numbers_that_hardly_differ_are_told_apart() -> None:
    assert "✗ 1.00000119" in read(Report("1.5", [close([1.0, 2.0], [1.0000012, 2.0])])).text


def test_of_many_rows_those_that_differ_are_shown_and_the_others_counted() -> None:
    right = torch.arange(90.0).reshape(30, 3)
    came = right.clone()
    came[5:17, 0] += 0.5
    text = read(Report("1.5", [close(right.tolist(), came.tolist())])).text
    assert "[4]" not in text
    assert "[5]15, 16, 17✗ 15.5" in text
    assert "[12]" in text
    assert "[13]" not in text
    assert "… and 4 more rows that differ, of 30." in text


def test_long_rows_are_shown_number_by_number() -> None:
    right = torch.zeros(4, 50)
    came = right.clone()
    came[2, 7] = 1
    text = read(Report("1.5", [close(right.tolist(), came.tolist())])).text
    assert "[2, 7]0✗ 1✗ differs" in text


def test_a_table_can_be_reached_by_keyboard_and_has_heads() -> None:
    shown = read(Report("1.5", [close([[0.0, 1.0]], [[0.0, 2.0]])]))
    (group,) = [one for one in shown.all("div") if "overflow-x" in (one.get("style") or "")]
    assert group["tabindex"] == "0"
    assert group["aria-label"] == "The answer: expected and got"
    assert [one["scope"] for one in shown.all("th")] == ["col"] * 4 + ["row"]


def test_what_was_called_is_shown_and_folded_away_when_long() -> None:
    short = Call("area", (("width", 2.0), ("size", (3, 4)), ("net", HandleRef(3, "Linear"))))
    finding = Finding("A", "It is wrong.", call=short)
    shown = read(Report("1.5", [finding]))
    assert "Called: area(width=2, size=(3, 4), net=<Linear>)" in shown.text
    assert not shown.all("details")
    long = Call("area", tuple((f"number_{n}", n) for n in range(30)))
    shown = read(Report("1.5", [Finding("A", "It is wrong.", call=long)]))
    assert shown.all("details")
    assert "number_29=29" in shown.text
    assert "Called" not in read(Report("1.5", [Finding("A", call=short)])).text


def test_large_arguments_are_told_by_their_shapes() -> None:
    values = {
        "images": torch.zeros(2, 3, 7, 9),
        "few": torch.tensor([[1, 2]]),
        "many": list(range(100)),
        "text": "x" * 200,
        "one": (1,),
        "by_name": {"a": torch.zeros(1)},
    }
    told = of_call(Call("f", tuple(values.items())))
    assert told == (
        "f(images=<float32 of shape (2, 3, 7, 9)>, few=tensor([[1, 2]]), "
        "many=[0, 1, 2, 3, 4, 5, 6, 7, …], "
        f"text='{'x' * 78}…, one=(1,), by_name={{'a': tensor([0])}})"
    )


def dashes(shown: Reader) -> list[str | None]:
    return [one.get("stroke-dasharray") for one in shown.all("rect") if one.get("stroke-dasharray")]


def test_boxes_are_drawn_solid_as_expected_and_dashed_as_they_came() -> None:
    finding = close([[0.1, 0.1, 0.5, 0.5]], [[0.1, 0.1, 0.5, 0.75]], "The boxes")
    shown = with_boxes(finding)
    (svg,) = shown.all("svg")
    assert svg["role"] == "img"
    assert "Solid: expected; dashed: got" in svg["aria-label"]
    assert "Solid: expected; dashed: got (numbers with *); thin square: from 0 to 1." in shown.text
    assert dashes(shown) == ["none", "7 4"]
    right, came = (one for one in shown.all("rect") if one.get("stroke-dasharray"))
    assert float(came["height"]) == pytest.approx(float(right["height"]) * 65 / 40, rel=0.01)
    assert came["width"] == right["width"]
    assert "0*" in shown.text


def test_numbers_that_are_no_boxes_are_not_drawn() -> None:
    offsets = close([[0.1, 0.1, 0.5, 0.5]], [[0.1, 0.1, 0.5, 0.75]], "The offsets")
    assert not with_boxes(offsets).all("svg")
    boxes = close([[0.1, 0.1, 0.5, 0.5]], [[0.1, 0.1, 0.5, 0.75]], "The boxes")
    assert not read(Report("1.5", [boxes])).all("svg")  # of a course that knows no boxes


def test_boxes_that_were_given_are_drawn_dotted_unless_they_are_those_expected() -> None:
    boxes, priors = torch.tensor([[1.0, 1.0, 3.0, 4.0]]), torch.tensor([[2.0, 2.0, 2.0, 2.0]])
    call = Call("match", (("boxes", boxes), ("priors", priors)))
    shown = with_boxes(Finding("A", "It is wrong.", call=call))
    assert "Dotted: boxes, as given; dash and dot: priors, as given (numbers with *)." in shown.text
    first, second = shown.all("rect")
    assert float(first["height"]) == pytest.approx(float(first["width"]) * 1.5, rel=0.01)
    assert second["width"] == second["height"]
    same = close([[1.0, 1.0, 3.0, 4.0]], [[1.0, 1.0, 3.0, 5.0]], "The boxes", call)
    assert "boxes, as given" not in with_boxes(same).text
    assert "priors, as given" in with_boxes(same).text


def test_boxes_far_off_are_cut_and_reversed_ones_drawn() -> None:
    shown = with_boxes(close([[0.0, 0.0, 1.0, 1.0]], [[900.0, 0.0, 0.0, 1.0]], "The boxes"))
    right, _ = (one for one in shown.all("rect") if one.get("stroke-dasharray"))
    assert float(right["width"]) > 100
    assert "What lies farther off is cut." in shown.text
    assert all(float(one["width"]) >= 0 for one in shown.all("rect"))


def test_of_many_boxes_those_that_differ_are_drawn() -> None:
    right = torch.rand(200, 4, generator=torch.Generator().manual_seed(1))
    came = right.clone()
    came[[3, 150]] += 0.5
    shown = with_boxes(close(right.tolist(), came.tolist(), "The priors"))
    assert dashes(shown) == ["none"] * 2 + ["7 4"] * 2
    assert "expected, 2 that differ of 200" in shown.text
    assert "150*" in shown.text


@pytest.mark.parametrize("got", [[[0.0] * 4], [[float("1e30")] * 4], [[-5.0, 3.0, 2.0, -1.0]]])
def test_whatever_came_can_be_drawn(got: list) -> None:
    assert with_boxes(close([[0.5] * 4], got, "The boxes")).all("svg")
    assert "nan" not in with_boxes(close([[0.0] * 4], got, "The boxes")).text


def test_forms_of_boxes_are_those_of_the_statements() -> None:
    centred, plain = torch.tensor([[2.0, 2.0, 2.0, 4.0]]), [[1.0, 0.0, 3.0, 4.0]]
    for task, function, name in (
        ("3.4", "", "The priors"),
        ("3.7", "match_priors", "priors"),
        ("3.3", "xyxy_to_cxcywh", "The centres and sizes"),
        ("3.3", "cxcywh_to_xyxy", "boxes"),
        ("3.6", "decode_offsets", "The boxes"),
    ):
        assert corners(task, function, name, centred).tolist() == plain, (task, name)
    for task, function, name in (
        ("3.3", "cxcywh_to_xyxy", "The corners"),
        ("3.3", "box_iou", "boxes_a"),
        ("4.8", "decode_offsets", "The boxes"),
        ("1.9", "window_box", "`window_box` for cell (4, 3)"),
    ):
        assert corners(task, function, name, centred).tolist() == centred.tolist(), (task, name)
    assert corners("3.6", "encode_offsets", "The offsets", centred) is None


def test_a_wrong_window_is_drawn_cell_by_cell_with_crosses() -> None:
    right = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    came = right.clone()
    came[1, 2, 0, 3] = 0
    shown = read(Report("1.5", [close(right.tolist(), came.tolist(), "The window")]))
    assert [one["aria-label"].split(".")[0] for one in shown.all("svg")] == ["Expected", "Got"]
    assert "The map at [1, 2]: 1 of 16 numbers differ, and have a cross." in shown.text
    assert len(shown.all("rect")) == 32
    assert len(shown.all("path")) == 2  # a cross, and the ground that it is seen on
    assert "The numbers" in shown.text
    assert shown.all("details")
