"""A class's list: any platform's file, and every name and number in it finds its student."""

from __future__ import annotations

from pathlib import Path

import pytest

from detgrader.classroom.handed_in import Found, map_names
from detgrader.classroom.layouts import HandIn
from detgrader.classroom.roster import Roster, read_roster
from detgrader.course import CourseError


def roster_of(tmp_path: Path, text: str) -> Roster:
    path = tmp_path / "roster.csv"
    path.write_text(text, "utf-8")
    return read_roster(path)


def test_every_cell_finds_its_student(tmp_path: Path) -> None:
    roster = roster_of(
        tmp_path,
        "student,email,github,Canvas ID\nal1,ada@school.org,Ada-L,4711\nbn2,bob@school.org,,4712\n",
    )
    for names in (["al1"], ["ADA@school.org"], ["ada-l"], ["4711"], ["someone", "4711"]):
        assert roster.student(names) == "al1", names
    assert roster.student(["eve"]) is None
    assert roster.student([""]) is None
    assert roster.missing(["bn2"]) == ["al1"]


def test_a_canvas_gradebook_is_a_roster(tmp_path: Path) -> None:
    roster = roster_of(
        tmp_path,
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section\n"
        '    Points Possible,,,,\n"Lovelace, Ada",4711,S1,al1,A\n"O\'Neil Ng, Bob",4712,S2,bn2,A\n',
    )
    assert roster.student(["lovelaceada"]) == "Lovelace, Ada"
    assert roster.student(["Ada Lovelace"]) == "Lovelace, Ada"
    assert roster.student(["oneilngbob"]) == "O'Neil Ng, Bob"
    assert roster.missing([]) == ["Lovelace, Ada", "O'Neil Ng, Bob"]


def test_moodles_list_has_first_and_last_names_apart(tmp_path: Path) -> None:
    roster = roster_of(tmp_path, "First name;Last name;Email address\nAda;Lovelace;al@school.org\n")
    assert roster.student(["Ada Lovelace"]) == "al@school.org"
    roster = roster_of(tmp_path, "First name;Last name;student\nAda;Lovelace;al1\nAda;Byron;ab2\n")
    assert roster.student(["Ada Lovelace"]) == "al1"
    assert roster.student(["Ada"]) is None  # there are two


def test_moodles_worksheet_names_students_in_full_unless_two_are_called_alike(
    tmp_path: Path,
) -> None:
    head = "Identifier,Full name,Email address,Grade\n"
    ada, other = "Participant 4711,Ada L,al@x,\n", "Participant 4712,Ada L,other@x,\n"
    assert roster_of(tmp_path, head + ada).student(["Participant 4711"]) == "Ada L"
    roster = roster_of(tmp_path, head + ada + other)
    assert roster.student(["Participant 4712"]) == "other@x"
    assert roster.student(["Ada L"]) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ":1: the first line"),
        ("student,x\nada,1\nada,2\n", ":3: 'ada' stands there twice"),
        ("x,student\n1,\n", ":2: no 'student'"),
    ],
)
def test_a_faulty_list_is_told_by_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CourseError, match=says):
        roster_of(tmp_path, text)


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="does not exist"):
        read_roster(tmp_path / "none.csv")


def test_a_name_that_two_students_had_is_neithers(tmp_path: Path) -> None:
    """Results under it, from a call without the roster, may be of either."""
    roster = roster_of(tmp_path, "student,number\nAda,4711\nBob,4712\nCy,4713\n")
    found = Found([])
    named = (("smith", "4711"), ("smith", "4712"), ("cy3", "4713"), ("eve", "1"))
    map_names([HandIn(name, [], (number,)) for name, number in named], roster, found)
    assert found.names == {"cy3": "Cy"}
    assert found.strangers == ["eve"]
