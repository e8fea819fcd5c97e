"""Which known mistake is told: the rule, on tables of what explains and contradicts what."""

from __future__ import annotations

import pytest

from detlab.checking.likeliest import likeliest

# Of each mistake: the checks that it fails, and whether as the answer did ("=") or otherwise ("!").
Table = dict[str, dict[str, str]]


def told(table: Table, failed: str, passed: str = "", weights: str = "") -> str | None:
    """Return the mistake that is told; checks are letters, those in `weights` weigh three."""
    return likeliest(
        list(table),
        {check: 3.0 if check in weights else 1.0 for check in failed},
        list(passed),
        lambda mistake, check: table[mistake].get(check) == "=",
        lambda mistake, check: check in table[mistake],
    )


@pytest.mark.parametrize(
    ("table", "failed", "passed", "expected"),
    [
        ({"m": {"a": "="}}, "a", "", "m"),
        ({"m": {"a": "!"}}, "a", "", None),
        ({"m": {}}, "a", "", None),
        ({"m": {"a": "="}}, "", "a", None),
        ({"m": {"a": "=", "b": "="}}, "a", "b", None),  # it fails what passed
        ({"m": {"a": "=", "b": "!"}}, "ab", "", None),  # as much speaks against it as for it
        ({"m": {"a": "=", "b": "="}, "n": {"a": "="}}, "ab", "", "m"),
        ({"n": {"a": "="}, "m": {"a": "=", "b": "="}}, "ab", "", "m"),  # explains more
        ({"n": {"a": "="}, "m": {"a": "="}}, "a", "", "n"),  # the first of equals
        ({"m": {"a": "=", "c": "="}, "n": {"a": "="}}, "a", "c", "n"),
        ({"m": {"a": "=", "b": "=", "c": "!"}}, "abc", "", "m"),
    ],
)
def test_the_mistake_that_explains_most_and_contradicts_nothing_is_told(
    table: Table, failed: str, passed: str, expected: str | None
) -> None:
    assert told(table, failed, passed) == expected


def test_checks_count_by_their_weights() -> None:
    table = {"one": {"a": "="}, "two": {"b": "=", "c": "="}}
    assert told(table, "abc") == "two"
    assert told(table, "abc", weights="a") == "one"
