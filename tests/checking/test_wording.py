"""Numbers and names in messages."""

import pytest

from detlab.checking import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (14, "14"),
        (10**11, "100000000000"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (1038848757716410774600024064.0, "1.039e+27"),
        (10**30, "1e+30"),
        (10**400, "a number of hundreds of places"),
    ],
)
def test_a_number_has_an_end(value: float, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("what", "verb"),
    [
        ("The labels", "are"),
        ("The boxes, `xyxy`,", "are"),
        ("Item 3: the boxes", "are"),
        ("The scores of (0, 1)", "are"),
        ("The gradients by the box", "are"),
        ("`detect`'s result", "is"),
        ("`extract_windows`' result", "is"),
        ("The twin's output after some steps", "is"),
        ("The number of parameters", "is"),
        ("The loss", "is"),
        ("The gradient by the logits", "is"),
        ("Channel 1, the label,", "is"),
        ("`unseen(14, 15)`", "is"),
    ],
)
def test_the_verb_goes_with_the_name(what: str, verb: str) -> None:
    assert wording.is_or_are(what) == verb


def test_lists_are_read_aloud() -> None:
    assert [wording.listed(range(n)) for n in (1, 2, 3)] == ["0", "0 and 1", "0, 1 and 2"]
