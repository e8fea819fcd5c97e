"""Which hint is shown: that of a mistake which explains a failed check and fits all that passed."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from detgrader.grading.diagnosis import Answers, Diagnosis, Known, KnownMistake, Outcomes
from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status
from detgrader.grading.tasks import Check
from detgrader.overlays import Overlay

WRONG = "The sum is wrong in 3 of 4 elements."


def mistake(name: str, under: str = "") -> KnownMistake:
    """Return a mistake whose hint is its name."""
    return KnownMistake(Overlay(name, "1.1", "", name), None, (), under)


def check(name: str, weight: float = 1.0, costly: bool = False) -> Check:
    """Return a check of task 1.1."""
    return Check(SimpleNamespace(path=Path("a.py"), name=name), "1.1", weight, costly)


def failed(answer: float, message: str = WRONG) -> Outcome:
    """Return the outcome of a check that one answer failed."""
    return Outcome(Status.FAILED, message, transcript=[answer])


PASSED = Outcome(Status.PASSED)


class Answering:
    """What mistakes answer to the checks that they fail: by name, under a variant, by check."""

    def __init__(self, answers: dict[tuple[str, str], dict[str, float | tuple[float, str]]]):
        self.answers = answers
        self.asked: list[tuple[str, str, str]] = []

    def ask(self, known: KnownMistake, check: Check, expected: list | None, again: bool) -> Answers:
        """Answer like a `MistakesBench`."""
        self.asked.append((*known.key, check.name))
        answer = self.answers.get(known.key, {}).get(check.name)
        if answer is None:
            return Answers([0.0], True, False)
        value, told = answer if isinstance(answer, tuple) else (answer, WRONG)
        return Answers([value], expected is None or expected == [value], True, told)


def hint(course: Answering, outcomes: Outcomes, known: Known | None = None) -> str:
    """Return the hint for some outcomes."""
    known = known or Known([mistake(name) for name, under in course.answers if not under])
    return Diagnosis({"1.1": known}, course.ask).hint("1.1", outcomes, 0)


def test_a_mistake_need_not_explain_every_failed_check() -> None:
    """Who makes two mistakes is told of the one that is known."""
    course = Answering({("minus", ""): {"sum": 1.0}})
    assert hint(course, [(check("sum"), failed(1.0)), (check("other"), failed(7.0))]) == "minus"
    assert hint(course, [(check("sum"), failed(2.0)), (check("other"), failed(7.0))]) == ""


def test_what_was_quick_is_asked_first() -> None:
    """Most mistakes answer otherwise in the first check that they are asked."""
    names = [("one", ""), ("two", ""), ("minus", "")]
    course = Answering({name: {"slow": 2.0, "quick": 3.0} for name in names[:2]})
    course.answers[names[2]] = {"slow": 1.0, "quick": 1.0}
    slow, quick = failed(1.0), failed(1.0)
    slow.seconds, quick.seconds = 3.0, 0.1
    assert hint(course, [(check("slow"), slow), (check("quick"), quick)]) == "minus"
    asked = [(name, "", "quick") for name in ("one", "two", "minus")]
    assert course.asked == [*asked, ("minus", "", "slow")]


def test_a_mistake_that_fails_what_passed_is_none() -> None:
    course = Answering({("minus", ""): {"sum": 1.0, "small": 5.0}})
    assert hint(course, [(check("sum"), failed(1.0)), (check("small"), PASSED)]) == ""
    assert hint(course, [(check("sum"), failed(1.0)), (check("small"), failed(5.0))]) == "minus"


def test_a_mistake_that_fails_most_otherwise_is_none() -> None:
    """In an easy check different mistakes may answer alike."""
    course = Answering({("minus", ""): {"easy": 1.0, "sum": 5.0, "large": 5.0}})
    easy, others = (check("easy"), failed(1.0)), [(check("sum"), failed(6.0))]
    assert hint(course, [easy, *others, (check("large"), failed(5.0))]) == "minus"
    assert hint(course, [easy, *others]) == ""
    assert hint(course, [easy, *others, (check("large"), failed(6.0))]) == ""


def test_what_passed_unasked_contradicts_nothing() -> None:
    course = Answering({("minus", ""): {"sum": 1.0, "small": 5.0}})
    unasked = Outcome(Status.PASSED, asked=False)
    assert hint(course, [(check("sum"), failed(1.0)), (check("small"), unasked)]) == "minus"


def test_the_mistake_that_explains_most_is_told() -> None:
    course = Answering({("little", ""): {"sum": 1.0}, ("more", ""): {"sum": 1.0, "heavy": 3.0}})
    light, heavy = check("sum"), check("heavy", 3.0)
    assert hint(course, [(light, failed(1.0)), (heavy, failed(3.0))]) == "more"
    assert hint(course, [(light, failed(1.0)), (heavy, failed(4.0))]) == "little"


def test_equal_answers_that_fail_for_another_reason_explain_nothing() -> None:
    """A network that answers rightly may be too slow, or lack a name: its answers say nothing."""
    course = Answering({("minus", ""): {"sum": (1.0, "`add` takes 3.2 s: a loop is left.")}})
    assert hint(course, [(check("sum"), failed(1.0))]) == ""
    slow = failed(1.0, "`add` takes 2.9 s: a loop is left.")
    assert hint(course, [(check("sum"), slow)]) == "minus"


def test_under_a_variant_a_mistake_answers_otherwise_and_is_still_known() -> None:
    """The statement lets the sum be a mean; then a wrong sum is a wrong mean."""
    answers = {
        ("minus", ""): {"sum": 4.0},
        ("minus", "mean"): {"sum": 1.0},
        ("minus", "order"): {"sum": 1.0},
        ("mean", "itself"): {"sum": 9.0},  # answers otherwise than the reference
    }
    right = [mistake(name, "itself") for name in ("reference", "order", "mean")]
    under = {name: [mistake("minus", name)] for name in ("mean", "order")}
    course = Answering(answers)
    outcomes = [(check("sum"), failed(1.0)), (check("small"), PASSED)]
    assert hint(course, outcomes, Known([mistake("minus")], under, right)) == "minus"
    assert ("minus", "mean", "sum") in course.asked
    # What answers as the reference does need not be asked under its name.
    assert ("minus", "order", "sum") not in course.asked
    answers["minus", "mean"]["small"] = 5.0
    assert hint(Answering(answers), outcomes, Known([mistake("minus")], under, right)) == ""


def test_known_mistakes_are_not_asked_what_takes_long() -> None:
    course = Answering({("uphill", ""): {"quick": 1.0, "long": 2.0}})
    long = [(check("long", costly=True), failed(2.0))]
    assert hint(course, long) == ""
    assert hint(course, [*long, (check("quick"), failed(1.0))]) == "uphill"
    assert {name for _, _, name in course.asked} == {"quick"}


def test_a_mistake_is_asked_once() -> None:
    course = Answering({("minus", ""): {"sum": 1.0}})
    diagnosis = Diagnosis({"1.1": Known([mistake("minus")])}, course.ask)
    outcomes = [(check("sum"), failed(1.0)), (check("small"), PASSED)]
    for _ in range(3):
        assert diagnosis.hint("1.1", outcomes, 0) == "minus"
    assert len(course.asked) == 2
    diagnosis.hint("1.1", outcomes, 1)  # other inputs
    assert len(course.asked) == 4


def test_a_mistake_is_asked_as_the_student_was() -> None:
    """Where stand-ins took the place of earlier cells, an error of theirs has other words."""
    asked = []

    def ask(known: KnownMistake, check: Check, expected: list | None, again: bool) -> Answers:
        asked.append((check.name, again))
        return Answers([1.0], True, True, WRONG)

    diagnosis = Diagnosis({"1.1": Known([mistake("minus")])}, ask)
    outcomes = [(check("sum"), failed(1.0)), (check("other"), replace(failed(1.0), again=True))]
    assert diagnosis.hint("1.1", outcomes, 0) == "minus"
    assert sorted(asked) == [("other", True), ("sum", False)]
