"""Task 3.5: the network, and that every answer sits on its own prior."""

import math

import pytest
import torch
from torch import Tensor

from detcourse.cases import uniform
from detcourse.draws import draws
from detcourse.learning import expect_learning
from detcourse.week3.training import expect_own_priors
from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_list,
    fail,
)
from detlab.checking.own_work import expect_untouched
from detlab.checking.replies import expect_form, parameters_of, shapes_of
from detlab.checking.student import Handle, Student
from detlab.weeks.detection import expect_floats
from detlab.weeks.week3.assertions import (
    FEATURE_SIZES,
    FORBIDDEN,
    NUM_CLASSES,
    RATIOS,
    SIDE,
    expect_map,
    expect_outputs,
    expect_own_work,
    make_ssd,
)

pytestmark = [
    pytest.mark.task("3.5", points=12),
    # A deep network takes 3.3 s on a slow processor.
    pytest.mark.limits(cpu_s=20, wall_s=80),
    pytest.mark.forbid(*FORBIDDEN),
]

Answers = tuple[Tensor, Tensor]


def random_images(rng: torch.Generator, count: int) -> Tensor:
    """Return images as standardised ones are."""
    return torch.randn(count, 1, SIDE, SIDE, generator=rng)


def module(student: Student, name: str, **arguments: object) -> Handle:
    """Make one of the student's modules, in evaluation mode."""
    made = expect_handle(getattr(student, name)(**arguments), f"`{name}`", "an nn.Module")
    student.tool("set_training", made, False)
    return made


def awake(student: Student, net: Handle, rng: torch.Generator) -> Handle:
    """Give layers that begin at zero random weights: what they answer must depend on something."""
    shapes = shapes_of(student, net, "the network")
    first = parameters_of(student, net, "the network", len(shapes), first=100)
    for number, (shape, some) in enumerate(zip(shapes, first, strict=True)):
        if len(shape) > 1 and bool((some == some.flatten()[:1]).all()):
            values = torch.randn(shape, generator=rng) / math.prod(shape[1:]) ** 0.5
            student.tell("set_parameter", net, number, values)
    return net


class Heads:
    """A student's `PredictionConvolutions` of some size.

    Attributes:
        sizes: cells along a side of each map.
        per_cell: priors of a cell of each map.
    """

    def __init__(
        self,
        student: Student,
        sizes: list[int],
        per_cell: list[int],
        num_classes: int,
        channels: list[int] | None = None,
    ) -> None:
        self.sizes, self.per_cell, self.num_classes = sizes, per_cell, num_classes
        self.channels = channels or [3 + 2 * k for k in range(len(sizes))]
        arguments = {"channels": self.channels, "priors_per_cell": per_cell}
        net = module(student, "PredictionConvolutions", **arguments, num_classes=num_classes)
        net([torch.zeros(1, c, size, size) for c, size in zip(self.channels, sizes, strict=True)])
        self.net = awake(student, net, torch.Generator().manual_seed(len(sizes)))

    def features(self, rng: torch.Generator, count: int) -> list[Tensor]:
        """Return random feature maps."""
        return [
            torch.randn(count, channels, size, size, generator=rng)
            for channels, size in zip(self.channels, self.sizes, strict=True)
        ]

    def __call__(self, features: list[Tensor]) -> Answers:
        """Return offsets and logits, as checked for their shapes."""
        parts = expect_list(self.net(features), "The result (offsets, logits)", 2)
        count, priors = len(features[0]), self.first_prior(len(self.sizes), 0, 0)
        offsets = expect_floats(parts[0], "The offsets", (count, priors, 4))
        logits = expect_floats(parts[1], "The logits", (count, priors, self.num_classes))
        return offsets, logits

    def first_prior(self, k: int, i: int, j: int) -> int:
        """Return the index of the first prior of cell (i, j) of map k."""
        before = zip(self.sizes[:k], self.per_cell[:k], strict=True)
        row = sum(size * size * number for size, number in before)
        return row + (i * self.sizes[k] + j) * self.per_cell[k] if k < len(self.sizes) else row


@pytest.mark.weight(1)
def test_feature_maps(student: Student, rng: torch.Generator) -> None:
    """The feature maps of the base and of the auxiliary convolutions."""
    base, auxiliary = (module(student, f"{name}Convolutions") for name in ("Base", "Auxiliary"))
    for count in (3, 1):
        maps = expect_list(base(random_images(rng, count)), "`BaseConvolutions`'s result", 2)
        for value, size in zip(maps, FEATURE_SIZES, strict=False):
            expect_map(value, count, size)
        last = expect_list(auxiliary(maps[1]), "`AuxiliaryConvolutions`'s result", 1)
        expect_map(last[0], count, FEATURE_SIZES[2])


@pytest.mark.weight(1)
def test_shapes_of_heads(student: Student, rng: torch.Generator) -> None:
    """The shapes of the heads' answers, for any maps and number of classes."""
    for sizes, per_cell, classes in (
        ([5, 3], [4, 4], NUM_CLASSES),
        ([4, 2, 1], [2, 5, 3], 2),
        ([6], [1], 3),
    ):
        heads = Heads(student, sizes, per_cell, classes)
        for count in (2, 1):
            heads(heads.features(rng, count))


@pytest.mark.weight(4)
def test_answers_sit_on_their_priors(student: Student, rng: torch.Generator) -> None:
    """Which answers move when one cell of a map changes."""
    heads = Heads(student, [7, 5], [3, 2], 4)
    features = heads.features(rng, 2)
    before = heads(features)
    for k, (i, j) in ((0, (1, 4)), (0, (5, 0)), (1, (3, 1)), (1, (0, 4))):
        changed = [one.clone() for one in features]
        changed[k][1, :, i, j] += 5
        after = heads(changed)
        for name, old, new in zip(("offsets", "logits"), before, after, strict=True):
            moved = (new - old).abs().amax(-1) > 1e-6
            if bool(moved[0].any()):
                fail(f"A change in one image moves the {name} of another.")
            allowed = torch.zeros(moved.shape[1], dtype=torch.bool)
            for y in range(max(i - 1, 0), min(i + 2, heads.sizes[k])):
                for x in range(max(j - 1, 0), min(j + 2, heads.sizes[k])):
                    first = heads.first_prior(k, y, x)
                    allowed[first : first + heads.per_cell[k]] = True
            own = heads.first_prior(k, i, j)
            neighbour = heads.first_prior(k, i, j + 1 if j == 0 else j - 1)
            if not bool(moved[1, neighbour : neighbour + heads.per_cell[k]].all()):
                fail(f"The {name} of a cell do not depend on its neighbours: convolve by 3×3.")
            if not bool(moved[1, own : own + heads.per_cell[k]].all()):
                fail(
                    f"The {name} of a cell's own priors do not depend on that cell: map by map, "
                    "row by row, cell by cell, all priors of a cell together."
                )
            if bool((moved[1] & ~allowed).any()):
                fail(
                    f"A change in one cell moves the {name} of far priors: the answers of a cell, "
                    "all its channels, belong to the priors of that cell."
                )


@pytest.mark.weight(3)
def test_same_for_every_cell(student: Student, rng: torch.Generator) -> None:
    """The answers of cells with equal features."""
    heads = Heads(student, [9, 6], [3, 4], 5)
    for k, cells in ((0, ((2, 6), (6, 3), (4, 4))), (1, ((1, 4), (4, 2)))):
        patch = torch.randn(heads.channels[k], 3, 3, generator=rng)
        rows = []
        for i, j in cells:
            features = [torch.zeros_like(one) for one in heads.features(rng, 1)]
            features[k][0, :, i - 1 : i + 2, j - 1 : j + 2] = patch
            first = heads.first_prior(k, i, j)
            rows.append([part[0, first : first + heads.per_cell[k]] for part in heads(features)])
        for other in rows[1:]:
            for name, expected, value in zip(("offsets", "logits"), rows[0], other, strict=True):
                expect_close(value, expected, f"The {name} of a cell of equal features", 1e-4)
        offsets, logits = rows[0]
        for name, part in (("offsets", offsets), ("logits", logits)):
            if len(part) > 1 and float((part[0] - part[1]).abs().max()) < 1e-5:
                fail(f"All priors of a cell get the same {name}: each needs channels of its own.")


@pytest.mark.weight(1)
def test_heads_of_their_own(student: Student, rng: torch.Generator) -> None:
    """The heads of two maps that are alike."""
    heads = Heads(student, [5, 4], [2, 2], 4, channels=[6, 6])
    features = [torch.zeros(1, 6, size, size) for size in heads.sizes]
    patch = torch.randn(6, 3, 3, generator=rng)
    for one in features:
        one[0, :, :3, :3] = patch
    for name, part in zip(("offsets", "logits"), heads(features), strict=True):
        rows = [
            part[0, first : first + 2] for first in (heads.first_prior(k, 1, 1) for k in (0, 1))
        ]
        if torch.allclose(rows[0], rows[1], rtol=1e-4, atol=1e-6):
            fail(f"Two maps share the convolution for their {name}: each map has its own.")


@pytest.mark.weight(2)
def test_whole_network(student: Student, rng: torch.Generator) -> None:
    """The whole network's answers and priors, for any number of classes."""
    for num_classes in (NUM_CLASSES, 2, 5):
        net = make_ssd(student, num_classes)
        for count in (2, 1):
            expect_outputs(net(random_images(rng, count)), count, num_classes)
        expect_own_priors(net)
    expect_untouched(student, net, random_images(rng, 2))
    expect_own_work(student, "SSD", num_classes=NUM_CLASSES)


@pytest.mark.weight(2)
def test_network_looks_where_its_priors_are(student: Student, rng: torch.Generator) -> None:
    """Which answers move most when a place in the image changes."""
    net = awake(student, make_ssd(student), rng)
    images = 0.3 * random_images(rng, 1).repeat(25, 1, 1, 1)
    sides = some_places(rng)
    for image, i, j in zip(images[1:], *(side.tolist() for side in sides), strict=True):
        # 4×4 pixels in 8×8 of them
        image[:, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4] += uniform(rng, 2, 4, 1, 4, 4)
    offsets, logits, _ = expect_outputs(net(images), len(images), NUM_CLASSES)
    for name, part in (("offsets", offsets), ("logits", logits)):
        change = (part[1:] - part[:1]).abs().sum(-1)
        first = 0
        for size in FEATURE_SIZES:
            per_map = size * size * (len(RATIOS) + 1)
            cells = change[:, first : first + per_map].view(-1, size, size, len(RATIOS) + 1).sum(-1)
            first += per_map
            if not all(
                follows(middle, side) for middle, side in zip(middles(cells), sides, strict=True)
            ):
                fail(
                    f"A change in the image moves the {name} of priors elsewhere most: do the "
                    "answers lie in the order of the priors?"
                )


def some_places(rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the rows and the columns of 24 places, each row and each column four times.

    Neither grows with the other: an answer that follows one follows it alone.
    """
    for _ in draws():
        rows, columns = (torch.randperm(24, generator=rng) % 6 + 1 for _ in range(2))
        # Far below what `follows` asks for.
        if abs(float(torch.corrcoef(torch.stack([rows, columns]).double())[0, 1])) < 0.1:
            return rows, columns


def middles(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Return the row and the column around which most of some maps (N, size, size) lies."""
    weights = cells.double() - cells.double().amin((1, 2), keepdim=True)
    places, whole = torch.arange(cells.shape[1]), weights.sum((1, 2))
    return (weights.sum(2) * places).sum(1) / whole, (weights.sum(1) * places).sum(1) / whole


def follows(middle: Tensor, side: Tensor) -> bool:
    """Say whether one number grows with another.

    Where the answers lie in their order, the correlation is 0.64 at least of 1,440 maps of three
    fresh networks, a deep one without normalisation among them, and 0.99 in the median. In another
    order some map's is negative.
    """
    return float(torch.corrcoef(torch.stack([middle, side.double()]))[0, 1]) > 0.25


@pytest.mark.weight(1)
def test_steady(student: Student, rng: torch.Generator) -> None:
    """An image's answer alone and with others, in evaluation mode."""
    net = awake(student, make_ssd(student), rng)
    # Not alike, so that whatever is taken over all of them is another number for one.
    images = random_images(rng, 4) * torch.tensor([0.5, 1.0, 2.0, 4.0]).view(4, 1, 1, 1) + 1
    offsets, logits, features = expect_outputs(net(images), 4, NUM_CLASSES)
    for size, one in zip(FEATURE_SIZES, features, strict=True):
        if torch.equal(one[0], one[1]):
            fail(f"The feature map of {size}×{size} cells does not depend on the image.")
    alone = expect_outputs(net(images[2:3]), 1, NUM_CLASSES)
    for name, value, expected in zip(("offsets", "logits"), alone, (offsets, logits), strict=False):
        # Other kernels may be chosen for one image than for four.
        expect_close(value[0], expected[2], f"The {name} of an image by itself", 1e-3)
        if float((expected[0] - expected[1]).abs().max()) < 1e-6:
            fail(f"The {name} do not depend on the image.")


@pytest.mark.weight(3)
def test_can_learn(student: Student, rng: torch.Generator) -> None:
    """The gradients of all parameters, and the dtype of the answers."""
    net, images = awake(student, make_ssd(student), rng), random_images(rng, 4)
    told = student.tool("learning_of", net, images)  # leaves it in evaluation mode
    told = expect_form(told, {"dtypes": [str], "dead": int}, "The network's learning")
    if list(told["dtypes"]) != ["torch.float32"] * 2:
        fail("In training mode, too, offsets and logits must be float32.")
    if told["dead"]:
        fail(f"{told['dead']} parameters get no gradient: is a part cut off or never used?")
    priors = net.get("priors")  # which may be a parameter that never learns
    shapes = shapes_of(student, net, "the network")
    idle = {n for n, shape in enumerate(shapes) if shape == tuple(getattr(priors, "shape", ()))}

    def call(given: list[Tensor]) -> Answers:
        return expect_outputs(net(*given), len(images), NUM_CLASSES)[:2]

    expect_learning(
        student, net, call, [images], rng, "the network", idle=frozenset(idle), tried=20
    )
    # What the first and the last map learn from is the same in part: the layers before both.
    counts = [size**2 * (len(RATIOS) + 1) for size in FEATURE_SIZES]
    first, last = (
        expect_learning(
            student, net, call, [images], rng, "the network", only=only, least=1, tried=2
        )
        for only in (
            lambda _, weights: of_first(weights, counts[0]),
            lambda _, weights: of_last(weights, counts[2]),
        )
    )
    if not (first & last) - idle:
        fail("The last map's answers teach nothing before it: is a part cut off, or detached?")


def of_first(weights: Tensor, count: int) -> Tensor:
    """Let the first rows of answers count alone."""
    return torch.cat([weights[:, :count], torch.zeros_like(weights[:, count:])], 1)


def of_last(weights: Tensor, count: int) -> Tensor:
    """Let the last rows of answers count alone."""
    return torch.cat([torch.zeros_like(weights[:, :-count]), weights[:, -count:]], 1)


@pytest.mark.weight(4)
def test_raw(student: Student, rng: torch.Generator) -> None:
    """Whether logits and offsets are raw."""
    net = make_ssd(student)
    values = []
    for weights in parameters_of(student, net, "the network"):
        # A little more than what keeps the size of activations from layer to layer, so that
        # answers of either sign and of some size come about, however many layers there are.
        noise = torch.randn(weights.shape, generator=rng)
        inputs = weights[0].numel() if weights.dim() > 1 else 1
        values.append((1.6 * noise / inputs**0.5).to(weights.dtype))
    student.tool("set_parameters", net, values)
    _, logits, _ = expect_outputs(net(random_images(rng, 4)), 4, NUM_CLASSES)
    for sums in (logits.double().sum(-1), logits.double().logsumexp(-1)):
        if torch.allclose(sums, sums.mean(), rtol=1e-4, atol=1e-4):
            fail("The logits went through a softmax: they must be raw.")
    student.tool("set_parameters", net, [30 * value for value in values])
    parts = expect_list(net(random_images(rng, 4)), "The network's result", 3)
    for name, part in zip(("offsets", "logits"), parts, strict=False):
        # Not finite: so large that it says nothing, but surely not squeezed.
        if isinstance(part, Tensor) and not bool(torch.isfinite(part).all()):
            continue
        part = expect_floats(part, f"The {name}, with large weights,")
        if not part.numel():
            fail(f"The {name} are empty where the weights are large.")
        low, high = float(part.min()), float(part.max())
        if low > -20 or high < 20 or not 0.1 < -low / high < 10:
            fail(
                f"The {name} never leave the range from {low:.2f} to {high:.2f}, however large "
                "the weights: they must be raw, of either sign."
            )


@pytest.mark.weight(1)
def test_fresh_weights(student: Student) -> None:
    """The weights of two networks, and whether all are registered."""
    drawn = []
    for _ in range(2):
        drawn.append(parameters_of(student, make_ssd(student), "the network"))
    heads = Heads(student, [3, 2], [2, 2], 5)
    heads([torch.zeros(1, 3, 3, 3), torch.zeros(1, 5, 2, 2)])
    found = parameters_of(student, heads.net, "the heads")
    if sum(weights.dim() > 1 for weights in found) < 2:
        fail(
            "The heads are not among the parameters of `PredictionConvolutions`: keep them in an "
            "`nn.ModuleList`, not in a plain list."
        )
    if all(map(torch.equal, *drawn)):
        fail("Two networks have the same weights: set no seed in the class.")
