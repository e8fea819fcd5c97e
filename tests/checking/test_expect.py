"""The assertions of checks: what they refuse, and that their messages name the cause."""

import math

import numpy as np
import pytest
import torch

from detlab.checking import expect
from detlab.checking.expect import CheckFailure
from detlab.checking.fingerprint import fingerprint, same_answer
from detlab.checking.student import Student
from detlab.checking.workbench import Workbench, call_by_name


def words(assertion, *arguments, **options) -> str:
    """Return the message of a failing assertion."""
    with pytest.raises(CheckFailure) as failure:
        assertion(*arguments, **options)
    return failure.value.message


EXPECTED = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).reshape(2, 3, 4, 4).sin()


def test_a_wrong_tensor_is_told_with_what_its_numbers_tell() -> None:
    message = words(expect.expect_close, -EXPECTED, EXPECTED, "The answers")
    assert message == "The answers are wrong in 95 of 96 elements. The sign is the wrong way round."
    message = words(expect.expect_close, torch.tensor(2.0), torch.tensor(1.0), "The answer")
    assert message == "The answer is wrong."


def test_values_stay_in_the_detail() -> None:
    with pytest.raises(CheckFailure) as failure:
        expect.expect_close(EXPECTED + 0.125, EXPECTED, "The answer")
    assert "expected" not in failure.value.message
    assert "expected 0, got 0.125" in failure.value.detail


def test_numbers_are_told_apart_and_have_an_end() -> None:
    for answer, right, told in (
        (1.0388487577164108e27, 1.0, "Expected 1, got 1.03885e+27."),
        (1.0 + 3e-8, 1.0, "Expected 1, got 1.00000003."),
    ):
        values = [torch.tensor(one, dtype=torch.float64) for one in (answer, right)]
        with pytest.raises(CheckFailure) as failure:
            expect.expect_close(*values, "x", tolerance=1e-9)
        assert failure.value.detail == told


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch: such tensors are of yesterday
def test_tensors_that_are_no_data_are_told_by_their_kind() -> None:
    kinds = {
        "a sparse tensor": torch.ones(3).to_sparse(),
        "a tensor without numbers (on the meta device)": torch.ones(3, device="meta"),
        "a quantized tensor": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8),
        "a nested tensor": torch.nested.nested_tensor([torch.ones(3)]),
    }
    bench = Workbench({"kinds": lambda: list(kinds.values())}, {})
    for name, answer in zip(kinds, Student(bench.perform_here).kinds(), strict=True):
        message = words(expect.expect_tensor, answer, "The answer", (3,))
        assert message == f"The answer must be a torch.Tensor, not {name}."


def test_one_wrong_element_is_enough() -> None:
    answer = EXPECTED.clone()
    answer[1, 2, 3, 3] += 1e-3
    assert "in 1 of 96 elements" in words(expect.expect_close, answer, EXPECTED, "x")


def test_roundings_pass() -> None:
    expect.expect_close(EXPECTED + 3e-6, EXPECTED, "x")
    expect.expect_close(EXPECTED.double(), EXPECTED, "x")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "is a `return` missing?"),
        ([1.0], "not list"),
        (np.ones(3), "not ndarray"),
        (torch.ones(1), "must have shape (3,), not (1,)"),
        (torch.tensor(1.0), "must have shape (3,), not ()"),
        (torch.tensor([1.0, math.nan, 1.0]), "not NaN"),
        (torch.tensor([1.0, math.inf, 1.0]), "not infinity"),
    ],
)
def test_what_is_not_the_tensor_asked_for_is_named(answer: object, message: str) -> None:
    assert message in words(expect.expect_close, answer, torch.ones(3), "x")


def test_a_permuted_shape_is_recognised() -> None:
    assert "`permute`" in words(expect.expect_tensor, torch.ones(2, 4, 4, 3), "x", (2, 3, 4, 4))
    padded = words(expect.expect_tensor, torch.ones(2, 3, 6, 7), "x", (2, 3, 4, 5))
    assert "are 2 too large: is something padded?" in padded
    assert "squeezed" in words(expect.expect_tensor, torch.ones(4), "x", (1, 4, 1))


@pytest.mark.parametrize("value", [True, None, "1", [1], math.nan, math.inf, torch.tensor(True)])
def test_what_is_not_a_number_is_refused(value: object) -> None:
    words(expect.expect_number, value, "x")


@pytest.mark.parametrize("value", [True, 1.0, None, "1", torch.tensor(1.0), torch.ones(2).int()])
def test_what_is_not_an_int_is_refused(value: object) -> None:
    words(expect.expect_int, value, "x")


def test_true_does_not_equal_one() -> None:
    words(expect.expect_equal, True, 1, "x")
    words(expect.expect_equal, 1.0, 1, "x")


class Agreeable:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class AgreeableTensor(torch.Tensor):
    """A tensor that answers every function with True."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


class AgreeableFloat(float):
    """A float that equals everything."""

    __eq__ = Agreeable.__eq__
    __hash__ = Agreeable.__hash__


@pytest.mark.parametrize(
    "value", [Agreeable(), torch.ones(3).as_subclass(AgreeableTensor), AgreeableFloat(1)]
)
def test_an_object_that_agrees_with_everything_stays_behind_a_handle(value: object) -> None:
    student = Student(Workbench({"answer": value}, {}).perform)
    handle = student.fetch("answer")
    for check in (expect.expect_number, expect.expect_int, expect.expect_tensor):
        assert type(value).__name__ in words(check, handle, "x")
    words(expect.expect_equal, handle, 1, "x")


def test_functions_are_called_by_name_or_in_order() -> None:
    arguments = {"images": 1, "size": 2, "stride": 3}

    def renamed(x, k, s):
        return x, k, s

    def keyword_only(images, *, stride, size=0):
        return images, size, stride

    def catch_all(*values):
        return values

    for function in (renamed, keyword_only, catch_all):
        assert call_by_name(function, arguments) == (1, 2, 3)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (EXPECTED, EXPECTED + 1e-7),
        ([1, (2.0, "x")], [1, (2.0, "x")]),
        ({"a": EXPECTED}, {"a": EXPECTED.clone()}),
        (math.nan, math.nan),
    ],
)
def test_equal_answers_have_equal_fingerprints(a: object, b: object) -> None:
    assert same_answer(fingerprint(a), fingerprint(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (EXPECTED, EXPECTED.flip(0)),
        (EXPECTED, EXPECTED.transpose(2, 3)),
        (EXPECTED, EXPECTED.reshape(2, 12, 4)),
        (EXPECTED, 1.01 * EXPECTED),
        (1, True),
        (1, 1.5),
        ([1, 2], [1, 2, 3]),
        (EXPECTED, EXPECTED / 0),
        ("a", "b"),
    ],
)
def test_different_answers_have_different_fingerprints(a: object, b: object) -> None:
    assert not same_answer(fingerprint(a), fingerprint(b))
