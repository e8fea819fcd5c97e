"""What the numbers alone tell of a wrong tensor.

Both tensors are float64, finite and of one shape. Each cause is a relation between the two that the
numbers bear out, so that nothing is guessed that they refute; they are ordered from the most to the
least telling. None says what the right numbers are.
"""

import itertools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from detlab.checking.wording import listed, number

TOLERANCE = 1e-4
# So few numbers agree with some relation or other by chance: too many are tried.
FEW = 3
# Axes this short hold the numbers of one thing, such as a box; longer ones hold many things.
SHORT = 6
SOME = 1 << 12
# In more numbers than these an order is not searched for: it would take seconds.
MOST = 1 << 18


def near(a: Tensor, b: Tensor) -> bool:
    """Say whether two tensors of one shape agree for the purpose of a cause."""
    return not bool(are_apart(a, b).any())


def are_apart(a: Tensor, b: Tensor) -> Tensor:
    """Say where two tensors differ, measured by the second: gradients may all be tiny."""
    size = float(b.abs().max()) if b.numel() else 0.0
    return ~torch.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * min(1.0, size))


def is_constant(tensor: Tensor) -> bool:
    """Say whether all elements are the same number."""
    return near(tensor, tensor.flatten()[0].expand_as(tensor))


def cause_constant(actual: Tensor, expected: Tensor) -> str:
    """Every element is the same number, and must not be."""
    if is_constant(actual) and not is_constant(expected):
        return "Every element is the same number."
    return ""


def cause_first_everywhere(actual: Tensor, expected: Tensor) -> str:
    """All items of the batch are the first one's."""
    if actual.dim() < 2 or len(actual) < 2 or is_constant(expected[0]):
        return ""
    if near(actual, expected[:1].expand_as(expected)):
        return "Every item along axis 0 is what the first one should be."
    return ""


def cause_swapped_axes(actual: Tensor, expected: Tensor) -> str:
    """Two axes are exchanged, or one is reversed."""
    for first, second in itertools.combinations(range(actual.dim()), 2):
        alike = actual.shape[first] == actual.shape[second] > 1
        if alike and near(actual.transpose(first, second), expected):
            last_two = (first, second) == (actual.dim() - 2, actual.dim() - 1)
            also = " (rows and columns?)" if last_two else ""
            return f"Axes {first} and {second} are exchanged{also}."
    for axis, length in enumerate(actual.shape):
        if length > 1 and actual.dim() > 1 and near(actual.flip(axis), expected):
            return f"Axis {axis} is reversed: what should come first comes last."
    return ""


def cause_places(actual: Tensor, expected: Tensor) -> str:
    """The numbers along a short last axis are exchanged, everywhere in the same way."""
    length = actual.shape[-1]
    if not 1 < length <= SHORT or len(expected.unique()) < FEW:
        return ""
    orders = sorted(itertools.permutations(range(length)), key=moved)
    for order in orders[1:]:
        if near(actual, expected[..., list(order)]):
            return (
                "The numbers are right but exchanged along the last axis: instead of "
                f"{listed(range(length))} stand {listed(order)}."
            )
    return ""


def moved(order: tuple[int, ...]) -> int:
    """Count what an order moves."""
    return sum(place != item for place, item in enumerate(order))


def cause_reshaped(actual: Tensor, expected: Tensor) -> str:
    """A reshape or a view took numbers in the order of other axes."""
    if not 1 < actual.dim() < 5 or not same_numbers(actual, expected):
        return ""
    # A few hundred comparisons: of many numbers the first thousands decide.
    orders = list(itertools.permutations(range(actual.dim())))
    lists = [[one.permute(axes).flatten()[:SOME] for axes in orders] for one in (actual, expected)]
    if any(near(a, b) for a, b in itertools.product(*lists)):
        return (
            "The numbers are right but sit in the wrong places, as when a `reshape` or `view` "
            "stands where a `permute` is needed."
        )
    return ""


def cause_order(actual: Tensor, expected: Tensor) -> str:
    """The same rows, or the same numbers, come in another order."""
    if not same_numbers(actual, expected):
        return ""
    for axis in range(min(2, actual.dim() - 1)):
        if same_items(actual.movedim(axis, 0), expected.movedim(axis, 0)):
            return f"The items along axis {axis} are right, but come in another order."
    if actual.dim() > 1 and near(actual.sort(-1).values, expected.sort(-1).values):
        if near(actual, expected.sort(-1).values):
            return "The numbers along the last axis are right but sorted; they must stay in place."
        return "The numbers along the last axis are right, but come in another order there."
    return "The numbers are right, but stand in other places."


def same_numbers(actual: Tensor, expected: Tensor) -> bool:
    """Say whether both hold the same numbers, enough of them to mean something."""
    if len(expected.unique()) < FEW:
        return False
    return near(actual.flatten().sort().values, expected.flatten().sort().values)


def same_items(actual: Tensor, expected: Tensor) -> bool:
    """Say whether both hold the same items along the first axis."""
    actual, expected = actual.flatten(1), expected.flatten(1)
    weights = torch.cos(torch.arange(1.0, actual.shape[1] + 1, dtype=torch.float64))
    return near(actual[(actual @ weights).argsort()], expected[(expected @ weights).argsort()])


def cause_precision(actual: Tensor, expected: Tensor) -> str:
    """All elements were rounded to a shorter kind of float."""
    for kind in (torch.bfloat16, torch.float16):
        rounded = expected.to(kind).to(torch.float64)
        short = torch.equal(actual, actual.to(kind).to(torch.float64))
        # A computation in that kind may round several times.
        alike = torch.isclose(actual, expected, rtol=4 * torch.finfo(kind).eps, atol=0)
        if short and bool(alike.all()) and not near(rounded, expected):
            return f"Every number is rounded to {str(kind).removeprefix('torch.')}."
    return ""


def cause_factor(actual: Tensor, expected: Tensor) -> str:
    """All elements are off by one factor."""
    sizes = expected[expected != 0].abs()
    if not sizes.numel() or is_constant(sizes):
        return ""  # of one number any other is a multiple, and the factor would betray it
    scale = float((expected * expected).sum())
    factor = float((actual * expected).sum()) / scale
    if factor == 0 or not near(actual / factor, expected):
        return ""
    if number(factor) == "1":
        return ""  # but for roundings
    if abs(factor + 1) < TOLERANCE:
        return "The sign is the wrong way round."
    return f"Every element is {number(factor)} times what it should be."


def cause_offset(actual: Tensor, expected: Tensor) -> str:
    """All elements, or all of a channel, are off by one number."""
    if is_constant(expected):
        return ""
    difference = actual - expected
    mean = float(difference.mean())
    if near(difference, torch.full_like(difference, mean)):
        by = "1" if abs(abs(mean) - 1) < TOLERANCE else "the same number"
        return f"Every element is too {'large' if mean > 0 else 'small'} by {by}."
    if difference.dim() < 3:
        return ""
    rest = [axis for axis in range(difference.dim()) if axis != 1]
    if near(difference, difference.mean(rest, keepdim=True).expand_as(difference)):
        return (
            "Each channel (axis 1) is off by a number of its own, the same everywhere: is a bias "
            "or a mean missing, or there twice?"
        )
    return ""


# What an answer may be of the right one, number by number.
DONE: dict[str, Callable[[Tensor], Tensor]] = {
    "Where a negative number is right there is 0: is a ReLU or a clamp too much?": torch.relu,
    "Every number is cut to the range from 0 to 1.": lambda x: x.clamp(0, 1),
    "Every number has lost its sign.": torch.abs,
    "Every number is the exponential of the right one.": torch.exp,
    "Every number is the square of the right one.": torch.square,
    "Every number is 1 minus the right one.": lambda x: 1 - x,
    "Every number is rounded.": torch.round,
    "Every number is rounded down.": torch.floor,
    "Every number went through a sigmoid.": torch.sigmoid,
}
# What would have to be done to an answer, number by number.
UNDONE: dict[str, Callable[[Tensor], Tensor]] = {
    "Where 0 is right there are negative numbers: is a ReLU or a clamp missing?": torch.relu,
    "The numbers are right but for those that should be cut to the range from 0 to 1.": (
        lambda x: x.clamp(0, 1)
    ),
    "Numbers are negative whose sign should be gone.": torch.abs,
    "Every number is the logarithm of the right one.": torch.exp,
    "Every number is the square root of the right one.": torch.square,
    "The sigmoid of every number is right: it is missing.": torch.sigmoid,
    "Numbers stay as they are that should be rounded.": torch.round,
}


def cause_function(actual: Tensor, expected: Tensor) -> str:
    """A function stands between the two."""
    if len(expected.unique()) < FEW or len(actual.unique()) < FEW:
        return ""
    for text, function in DONE.items():
        if near(actual, function(expected)):
            return text
    for text, function in UNDONE.items():
        if near(function(actual), expected):
            return text
    if bool((expected != 0).all()) and near(actual * expected, torch.ones_like(actual)):
        return "Every number is 1 divided by the right one."
    for axis in {actual.dim() - 1, min(1, actual.dim() - 1)}:
        if actual.shape[axis] > 1 and near(actual, expected.softmax(axis)):
            return f"The numbers went through a softmax (axis {axis})."
        if actual.shape[axis] > 1 and near(actual, expected.log_softmax(axis)):
            return f"The numbers went through a log-softmax (axis {axis})."
        if actual.shape[axis] > 1 and near(actual.softmax(axis), expected):
            return f"The softmax (axis {axis}) of the numbers is right: it is missing."
    return ""


def cause_columns(actual: Tensor, expected: Tensor) -> str:
    """Only some places of a short last axis are wrong, or each is off in a way of its own."""
    length = actual.shape[-1]
    several = actual.numel() >= FEW * length if actual.dim() > 1 else length <= 4  # one box
    if not 1 < length <= SHORT or not several:
        return ""
    wrong = [n for n in range(length) if not near(actual[..., n], expected[..., n])]
    if not wrong:
        return ""
    of_wrong = [one_relation(actual[..., n], expected[..., n]) for n in wrong]
    if len(set(of_wrong)) > 1 and all(of_wrong):
        ways = [f"In place {n}: {text}" for n, text in zip(wrong, of_wrong, strict=True)]
        return f"Along the last axis each place is off in its own way. {' '.join(ways)}"
    if len(wrong) == length:
        return ""
    places, verb = ("place", "is") if len(wrong) == 1 else ("places", "are")
    what = of_wrong[0] if len(set(of_wrong)) == 1 else ""
    return f"Along the last axis only {places} {listed(wrong)} {verb} wrong. {what}".rstrip()


def one_relation(actual: Tensor, expected: Tensor) -> str:
    """Return how a place's numbers are related to the right ones, if in some plain way."""
    causes = (cause_constant, cause_factor, cause_offset, cause_function)
    return next((text for cause in causes if (text := cause(actual, expected))), "")


def cause_items(actual: Tensor, expected: Tensor) -> str:
    """Some items along an axis are right in full, and others are not."""
    apart = are_apart(actual, expected)
    for axis, length in enumerate(actual.shape[:-1]):
        right = length - int(apart.movedim(axis, 0).flatten(1).any(1).sum())
        if length <= 2 * right < 2 * length:
            verb = "is" if right == 1 else "are"
            return f"{right} of the {length} items along axis {axis} {verb} right in full."
    return ""


def cause_side(actual: Tensor, expected: Tensor) -> str:
    """All that is wrong is too large, or too small."""
    difference = actual - expected
    wrong = difference[difference.abs() > TOLERANCE * (1 + expected.abs())]
    if wrong.numel() < FEW:
        return ""
    if bool((wrong > 0).all()):
        return "What is wrong is too large, everywhere."
    return "What is wrong is too small, everywhere." if bool((wrong < 0).all()) else ""


CAUSES: tuple[Callable[[Tensor, Tensor], str], ...] = (
    cause_constant,
    cause_precision,
    cause_factor,
    cause_offset,
    cause_places,
    cause_swapped_axes,
    cause_first_everywhere,
    cause_reshaped,
    cause_order,
    cause_function,
    cause_columns,
    cause_items,
    cause_side,
)


def likely_cause(actual: Tensor, expected: Tensor) -> str:
    """Return the first relation that holds, or the empty string.

    Args:
        actual: (any shape) float64, finite.
        expected: the same shape, float64, finite.
    """
    if actual.numel() < 2 or near(actual, expected):
        return ""  # a single number stands in every relation to another
    causes = CAUSES if actual.numel() <= MOST else CAUSES[:4]
    return next((text for cause in causes if (text := cause(actual, expected))), "")


def explained_by(actual: Tensor, candidates: Mapping[str, Tensor | Callable[[], Tensor]]) -> str:
    """Return the words for what an answer is, if it is one of these, or the empty string.

    Args:
        actual: a student's answer.
        candidates: by their words, what wrong ways that a check thinks of would answer, or
            functions that compute it. Words for none that is right, or for two that are alike, are
            of no use: the check knows that the answer is wrong, and the first that fits is told.
    """
    if actual.is_complex() or not bool(torch.isfinite(actual).all()):
        return ""
    actual = actual.detach().to(torch.float64)
    if actual.numel() > 1 and is_constant(actual):  # whatever went wrong, all zeros look alike
        return ""
    for words, candidate in candidates.items():
        other = candidate() if callable(candidate) else candidate
        other = other.detach().to(torch.float64)
        if other.shape == actual.shape and near(actual, other):
            return words
    return ""
