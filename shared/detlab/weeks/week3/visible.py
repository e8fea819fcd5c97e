"""Visible checks of week 3. They test what the statements say on small public inputs."""

import math

import torch
from torch import Tensor

from detlab.checking.expect import (
    expect_close,
    expect_floats,
    expect_handle,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.own_work import expect_untouched
from detlab.checking.replies import expect_form, parameters_of
from detlab.checking.student import Handle, Student
from detlab.checking.visible import visible
from detlab.weeks.detection import (
    TERMS,
    expect_detections,
    expect_indices,
    expect_priors,
    expect_terms,
)
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.week3.assertions import (
    FEATURE_SIZES,
    NUM_CLASSES,
    NUM_PRIORS,
    SIDE,
    Scene,
    check_dataset,
    check_loop_history,
    check_standardised,
    expect_map,
    expect_outputs,
    expect_own_work,
    expect_scene,
    expect_tight_boxes,
    make_ssd,
    pixels_of,
)
from detlab.weeks.week3.visible_scenes import greys_and_labels, shifts, sizes, upright

__all__ = ["greys_and_labels", "shifts", "sizes", "upright"]  # beside those below
LN11 = math.log(11)


def public_images(*shape: int) -> Tensor:
    """Return the same random images each time, in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def two_digits() -> tuple[Tensor, Tensor]:
    """Return patches of a tall and of a wide block, off the middle, and their labels."""
    digits = torch.zeros(2, 1, 28, 28)
    digits[0, :, 2:24, 15:23] = 1
    digits[1, :, 9:17, 3:25] = 0.5
    return digits, torch.tensor([3, 8])


def public_scenes(count: int) -> list[Scene]:
    """Return small scenes with 0, 1, 2, … objects."""
    boxes = torch.tensor([[0.1, 0.2, 0.5, 0.8], [0.4, 0.1, 0.9, 0.4], [0.0, 0.5, 0.3, 1.0]])
    labels = torch.tensor([4, 9, 1])
    images = public_images(count, 1, SIDE, SIDE)
    return [(image, boxes[:n], labels[:n]) for n, image in enumerate(images)]


@visible("3.1")
def scenes(student: Student) -> None:
    """The boxes, labels and differences of some scenes."""
    digits, labels = two_digits()
    generator, counts, middles = student.tool("generator", 5), set(), []
    for _ in range(40):
        given = {"digits": digits, "labels": labels, "generator": generator}
        image, boxes, classes = expect_scene(student.make_scene(**given))
        expect_tight_boxes(image, boxes)
        counts.add(len(boxes))
        for (left, top, right, bottom), label in zip(
            pixels_of(boxes), classes.tolist(), strict=True
        ):
            middles.append((left + right, top + bottom))
            if not is_near_a_region(left, right) or not is_near_a_region(top, bottom):
                fail("A digit lies farther than 3 pixels from the centre of every region.")
            tall = bottom - top > right - left
            if label != (4 if tall else 9):
                fail("A label is not its digit's plus 1, or x and y are exchanged.")
    # 160 regions, of which 128 are filled on average, give or take five.
    if not 100 <= len(middles) <= 152:
        fail(f"In forty scenes {len(middles)} of 160 regions are filled, where 80 % should be.")
    if len(counts) < 3 or len(set(middles)) < 20:
        fail("Forty scenes hardly differ in the number or in the places of their digits.")


def is_near_a_region(first: int, last: int) -> bool:
    """Say whether ink from one pixel to another lies about 8 or 24, or was moved to a border."""
    middle = (first + last) / 2
    return first == 0 or last == SIDE or min(abs(middle - 8), abs(middle - 24)) <= 3.5


@visible("3.1")
def seeds(student: Student) -> None:
    """The scenes of equal seeds."""
    digits, labels = two_digits()
    made = []
    for _ in range(2):
        generator = student.tool("generator", 9)
        given = {"digits": digits, "labels": labels, "generator": generator}
        made.append([expect_scene(student.make_scene(**given)) for _ in range(3)])
    for first, second in zip(*made, strict=True):
        cause = "All chance must come from `generator`."
        expect_close(second[0], first[0], "The image of an equal seed", cause=cause)


@visible("3.2")
def items(student: Student) -> None:
    """The items of the data set, against what it was given."""
    some = public_scenes(3)
    images, boxes, labels = zip(*some, strict=True)
    given = {"images": torch.stack(images), "boxes": list(boxes), "labels": list(labels)}
    dataset = expect_handle(student.SceneDataset(**given), "`SceneDataset(…)`", "a data set")
    check_dataset(student, some, dataset)
    small = torch.linspace(0.2, 0.7, 30).view(1, 5, 6)
    check_standardised(student.standardize(image=small), small, "A small image")
    equal = torch.full((1, 8, 8), 0.5)
    check_standardised(student.standardize(image=equal), equal, "An image of equal pixels")


@visible("3.2")
def batch(student: Student) -> None:
    """What `collate` makes of images, boxes and labels."""
    some = public_scenes(4)
    parts = expect_list(student.collate(scenes=some), "`collate`'s result", 3)
    expect_close(parts[0], torch.stack([image for image, _, _ in some]), "The images")
    for n, what in ((1, "boxes"), (2, "labels")):
        if not isinstance(parts[n], list):
            fail(f"The {what} of a batch must be a list of tensors, one for each image.")
        values = expect_list(parts[n], f"The {what} of a batch", len(some))
        for value, scene in zip(values, some, strict=True):
            expect_close(value, scene[n], f"The {what} of an image")


@visible("3.3")
def forms(student: Student) -> None:
    """A box as centre and size, and as corners again."""
    corners = torch.tensor([[0.1, 0.2, 0.5, 0.8], [-0.2, 0.0, 1.2, 0.5]])
    centred = torch.tensor([[0.3, 0.5, 0.4, 0.6], [0.5, 0.25, 1.4, 0.5]])
    expect_close(student.xyxy_to_cxcywh(boxes=corners), centred, "The centres and sizes")
    expect_close(student.cxcywh_to_xyxy(boxes=centred), corners, "The corners")


@visible("3.3")
def ious(student: Student) -> None:
    """The IoU of boxes that overlap, touch, lie apart or have no area."""
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [3.0, 3.0, 3.0, 5.0]])
    b = [[1, 1, 3, 3], [2, 0, 4, 2], [3, 3, 6, 6], [0, 0, 1, 2], [4, 1, 5, 3], [3, 3, 3, 3]]
    b = torch.tensor(b, dtype=torch.float32)
    expected = torch.tensor([[1 / 7, 0, 0, 1 / 2, 0, 0], [0.0] * 6])
    expect_close(student.box_iou(boxes_a=a, boxes_b=b), expected, "The IoU", 1e-4)
    # A small number may be added to the union, so that nothing is divided by 0.
    small = {"boxes_a": a / 25, "boxes_b": b / 25}
    expect_close(student.box_iou(**small), expected, "The IoU of small boxes", 1e-2)
    none = student.box_iou(boxes_a=torch.zeros(0, 4), boxes_b=b)
    expect_tensor(none, "The IoU of no box with six", (0, 6))
    expect_own_work(student, "box_iou", boxes_a=a, boxes_b=b)


@visible("3.4")
def two_maps(student: Student) -> None:
    """The priors of a map of 2×2 cells and of one cell."""
    answer = student.make_priors(feature_sizes=[2, 1], scales=[0.25, 0.64], ratios=[1.0, 0.25])
    sides = torch.tensor([[0.25, 0.25], [0.125, 0.5], [0.4, 0.4]])
    centres = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])
    first = torch.cat([centres[:, None].expand(4, 3, 2), sides.expand(4, 3, 2)], -1)
    last = [[0.5, 0.5, 0.64, 0.64], [0.5, 0.5, 0.32, 1.28], [0.5, 0.5, 0.8, 0.8]]
    cells = torch.cat([first.double(), torch.tensor([last]).double()])
    expect_priors(answer, cells, "The priors")


@visible("3.5")
def shapes(student: Student) -> None:
    """The shapes of the parts' answers, and of the whole network's."""
    base = expect_handle(student.BaseConvolutions(), "`BaseConvolutions()`", "an nn.Module")
    maps = expect_list(base(public_images(2, 1, SIDE, SIDE)), "`BaseConvolutions`'s result", 2)
    for value, size in zip(maps, FEATURE_SIZES, strict=False):
        expect_map(value, 2, size)
    for classes in (NUM_CLASSES, 3):
        net = make_ssd(student, classes)
        expect_outputs(net(public_images(2, 1, SIDE, SIDE)), 2, classes)
        priors = expect_tensor(net.get("priors"), "The network's priors", (NUM_PRIORS, 4))
        expect_close(priors[0, :2], torch.full((2,), 1 / 32), "The first prior's centre", 1e-3)
    images = public_images(3, 1, SIDE, SIDE) - 0.5
    student.tool("set_training", net, True)
    expect_outputs(net(images), 3, 3)  # of the same types while it learns
    student.tool("set_training", net, False)
    told = expect_form(student.tool("learning_of", net, images), {"dead": int}, "The learning")
    if told["dead"]:
        fail(f"{told['dead']} parameters get no gradient: is a part cut off or never used?")
    (_, one, _), (_, three, features) = (
        expect_outputs(net(x), len(x), 3) for x in (images[:1], images)
    )
    expect_close(one[0], three[0], "The logits of an image by itself", 1e-3)
    expect_untouched(student, net, images)
    if float((three.sum(-1) - 1).abs().max()) < 1e-3:
        fail("The logits of each prior add up to 1: are they probabilities already?")
    if not all(bool(one.any()) for one in features):
        fail("A feature map is all zeros: the network returns the maps that its heads look at.")


@visible("3.5")
def places_of_answers(student: Student) -> None:
    """Which answers move when cell (1, 3) of a map changes."""
    given = {"channels": [4, 3], "priors_per_cell": [2, 1], "num_classes": 3}
    made = student.PredictionConvolutions(**given)
    heads = expect_handle(made, "`PredictionConvolutions(…)`", "an nn.Module")
    expect_parameters(student, heads)
    features = [public_images(1, 4, 5, 5), public_images(1, 3, 2, 2)]
    changed = [features[0].clone(), features[1]]
    changed[0][:, :, 1, 3] += 3
    before, after = (expect_list(heads(maps), "The result", 2) for maps in (features, changed))
    # 5×5 cells of two priors each, then 2×2 of one.
    near = torch.zeros(5, 5, 2, dtype=torch.bool)
    near[0:3, 2:5] = True
    near = torch.cat([near.flatten(), torch.zeros(4, dtype=torch.bool)])
    for name, old, new in zip(("offsets", "logits"), before, after, strict=True):
        old = expect_floats(old, f"The {name}", (1, 54, 4 if name == "offsets" else 3))
        moved = (expect_floats(new, f"The {name}", old.shape) - old)[0].abs().amax(-1) > 1e-6
        if not bool(moved[[16, 17]].all()) or bool((moved & ~near).any()):
            fail(f"The {name} do not sit on their own priors: look at the order of the axes.")
        if not bool(moved[near].all()):
            fail(f"The {name} of the cells around do not move: the heads look at 3×3 cells.")
        if torch.allclose(old[0, 16], old[0, 17]):
            fail(f"Both priors of a cell get the same {name}: each needs channels of its own.")


def expect_parameters(student: Student, module: Handle) -> None:
    """Check that a module's layers are registered."""
    if not parameters_of(student, module, "the heads"):
        fail("The heads have no parameters: layers in a plain list are not registered.")


@visible("3.6")
def offsets(student: Student) -> None:
    """The offsets of two boxes, both ways."""
    priors = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.2, 0.3, 0.1, 0.1], [0.9, 0.9, 0.4, 0.4]])
    boxes = [[0.52, 0.48, 0.2 * math.e, 0.4], [0.2, 0.3, 0.1, 0.1 / math.e], [1.1, 0.9, 0.4, 0.4]]
    boxes = torch.tensor(boxes)
    expected = torch.tensor([[1, -0.5, 5, 0], [0, 0, 0, -5], [5, 0, 0, 0]])
    answer = student.encode_offsets(boxes=boxes, priors=priors)
    expect_close(answer, expected, "The offsets", 1e-4)
    answer = student.decode_offsets(offsets=expected, priors=priors)
    expect_close(answer, boxes, "The boxes", 1e-4)


def six_priors() -> Tensor:
    """Return two priors in each of two places, one in a third, one in a fourth."""
    return torch.tensor(
        [
            *([0.3, 0.3, 0.4, 0.4], [0.3, 0.3, 0.4, 0.3]),
            *([0.8, 0.8, 0.2, 0.2], [0.8, 0.8, 0.2, 0.15]),
            *([0.1, 0.9, 0.1, 0.1], [0.5, 0.05, 0.1, 0.1]),
        ]
    )


@visible("3.7")
def matches(student: Student) -> None:
    """The matching of priors with objects, and with a small one."""
    boxes = [[0.1, 0.1, 0.5, 0.5], [0.7, 0.7, 0.9, 0.9], [0.1, 0.85, 0.12, 0.88]]
    given = {"boxes": torch.tensor(boxes), "labels": torch.tensor([7, 2, 5])}
    given["priors"] = six_priors()
    cases = {0.5: [7, 7, 2, 2, 5, 0], 0.8: [7, 0, 2, 0, 5, 0]}
    for threshold, expected in cases.items():
        parts = student.match_priors(**given, iou_threshold=threshold)
        parts = expect_list(parts, "`match_priors`'s result", 2)
        classes = expect_indices(parts[0], "The classes", (6,)).tolist()
        objects = expect_indices(parts[1], "The objects", (6,)).tolist()
        right = all(objects[n] == n // 2 for n in range(6) if expected[n])
        if classes != expected or not right:
            fail(
                "The first two priors overlap the first object by 1 and 0.75, the next two the "
                "second object by 1 and 0.75; the fifth overlaps the third object by 0.06, which "
                f"is that object's best; the sixth overlaps none. (The threshold is {threshold}.)",
                f"The classes are {classes}, the objects {objects}.",
            )
    given |= {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    parts = expect_list(student.match_priors(**given), "`match_priors`'s result", 2)
    if bool(expect_indices(parts[0], "The classes", (6,)).any()):
        fail("Without objects all priors are background.")


@visible("3.7")
def claims(student: Student) -> None:
    """The claims of objects whose best prior overlaps another object more."""
    large, small = [0.1, 0.1, 0.5, 0.5], [0.5, 0.1, 0.7, 0.5]
    given = {"boxes": torch.tensor([large, small]), "labels": torch.tensor([3, 6])}
    # The second prior is the small object's best, by 0.43 and 0.14, though it overlaps the large
    # one by 0.55 and 0.33; the third overlaps the large object by 0.47.
    own, third = [0.3, 0.3, 0.4, 0.4], [0.3, 0.3, 0.4, 0.4 * 0.47]
    for width, what in ((0.5, "more than half"), (0.26, "a third")):
        shared = [0.34 if width == 0.5 else 0.5, 0.3, width, 0.4]
        priors = torch.tensor([own, shared, third])
        parts = student.match_priors(**given, priors=priors)
        parts = expect_list(parts, "`match_priors`'s result", 2)
        classes = expect_indices(parts[0], "The classes", (3,)).tolist()
        objects = expect_indices(parts[1], "The objects", (3,)).tolist()
        if classes != [3, 6, 0] or objects[:2] != [0, 1]:
            fail(
                "The second prior is the best that the second object has, so it answers for it, "
                f"though it overlaps the first object by {what}. The third overlaps the first "
                "object by 0.47, less than the default of `iou_threshold`.",
                f"The classes are {classes}, the objects {objects}.",
            )


@visible("3.7")
def two_at_one_prior(student: Student) -> None:
    """The matching of priors that two objects reach, in either order of these."""
    boxes = torch.tensor([[0.1, 0.2, 0.5, 0.6], [0.14, 0.2, 0.54, 0.6]])
    labels, priors = torch.tensor([3, 6]), torch.full((3, 4), 0.4)
    priors[:, 0] = torch.tensor([0.332, 0.24, 0.34])
    for turn in ([0, 1], [1, 0]):
        given = {"boxes": boxes[turn], "labels": labels[turn], "priors": priors}
        parts = expect_list(student.match_priors(**given), "`match_priors`'s result", 2)
        classes = expect_indices(parts[0], "The classes", (3,)).tolist()
        if classes != [3, 3, 6]:
            fail(
                "The three priors overlap the object of class 3 by 0.85, 0.74 and 0.82, and that "
                "of class 6 by 0.96, 0.60 and 1. So the first is the best that class 3 has.",
                f"The classes are {classes}.",
            )


def batch_by_hand() -> dict[str, object]:
    """Return an image with two objects, each on its own prior, and two without any.

    Ten priors: two for the objects, eight far from them.
    """
    far = torch.tensor([[0.1 * n + 0.1, 0.9, 0.05, 0.05] for n in range(8)])
    near = torch.tensor([[0.3, 0.3, 0.4, 0.4], [0.8, 0.2, 0.2, 0.2]])
    predicted, logits = torch.zeros(3, 10, 4), torch.zeros(3, 10, NUM_CLASSES)
    predicted[0, 0] = torch.tensor([0.5, 0.0, -2.0, 0.0])
    logits[0, 0, 4] = 2
    # Six of eight background priors count: those that are least sure of the background.
    logits[0, 2:, 0] = torch.tensor([5.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    logits[1:, :, 0] = -5  # hard, but in images without positives
    boxes = [torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.7, 0.1, 0.9, 0.3]]), *[torch.zeros(0, 4)] * 2]
    labels = [torch.tensor([4, 9]), *[torch.zeros(0, dtype=torch.int64)] * 2]
    priors = torch.cat([near, far])
    names = ("offsets", "logits", "boxes", "labels", "priors")
    return dict(zip(names, (predicted, logits, boxes, labels, priors), strict=True))


@visible("3.8")
def terms(student: Student) -> None:
    """The terms of two positives among ten priors."""
    given = batch_by_hand()
    answer = expect_terms(student.multibox_terms(**given))
    # Smooth L1 or L1, the mean over four numbers or their sum; over two positives.
    distances = [(0.125 + 1.5) / 8, (0.125 + 1.5) / 2, 2.5 / 8, 2.5 / 2]
    if all(abs(answer["localization"] - distance) > 1e-4 for distance in distances):
        fail(
            'The term "localization" is not the mean smooth L1 of offsets (0.5, 0, -2, 0) and '
            "(0, 0, 0, 0).",
            f"Expected {distances[0]:.4f}, got {answer['localization']:.4f}.",
        )
    expected = (math.log(10 + math.exp(2)) - 2 + 7 * LN11) / 2
    if abs(answer["confidence"] - expected) > 1e-3:
        fail(
            'The term "confidence" must count the two positives and six hard negatives of the '
            "first image, and be divided by two.",
            f"Expected {expected:.4f}, got {answer['confidence']:.4f}.",
        )
    loss = expect_number(student.multibox_loss(**given), "`multibox_loss`'s result")
    if abs(loss - sum(answer.values())) > 1e-4:
        fail("`multibox_loss` is not the sum of the terms.")
    function = student.fetch("multibox_loss")
    gradients = expect_list(
        student.tool("gradients", function, list(given.values()), 2), "The gradients", 2
    )
    for gradient, name in zip(gradients, ("offsets", "logits"), strict=True):
        what = f"The gradient by the {name}"
        if gradient is not None:
            gradient = expect_floats(gradient, what, given[name].shape)
        if gradient is None or not bool(gradient[0, 0].any()):
            fail(f"No gradient reaches the {name} of a positive prior.")


@visible("3.8")
def mining(student: Student) -> None:
    """The terms of two images, and which of their background priors count."""
    near = torch.tensor([[0.3, 0.3, 0.4, 0.4], [0.8, 0.2, 0.2, 0.2]])
    far = torch.tensor([[0.1 * n + 0.1, 0.9, 0.05, 0.05] for n in range(6)])
    logits, offsets = torch.zeros(2, 8, 3), torch.zeros(2, 8, 4)
    # Of the background priors three count in each image: the largest logit of an object is not
    # what makes one hard, and the positives are harder than all of them.
    logits[:, :2] = torch.tensor([9.0, 0, 0])
    logits[0, 0], logits[1, 1] = torch.tensor([4.0, 0, 0]), torch.tensor([0.0, 0, 6])
    hard = [[0.0, 2, -9], [5.0, 4, 4], [0, 1, -9], [7.0, 5, 5], [0, 0, -9], [0, -1, -9]]
    logits[:, 2:] = torch.tensor(hard)
    logits[1, 2:] += 300  # the same for all classes of a prior, so nothing changes
    offsets[1, 1, 0] = 3.0
    boxes = [torch.tensor([[0.1, 0.1, 0.5, 0.5]]), torch.tensor([[0.7, 0.1, 0.9, 0.3]])]
    labels, priors = [torch.tensor([1]), torch.tensor([1])], torch.cat([near, far])
    given = [offsets, logits, boxes, labels, priors]
    expect_untouched(student, "multibox_terms", *given)
    names = ("offsets", "logits", "boxes", "labels", "priors")
    answer = expect_terms(student.multibox_terms(**dict(zip(names, given, strict=True))))
    # Smooth L1 or L1, the mean over four numbers or their sum; over two positives.
    if all(abs(answer["localization"] - one) > 1e-3 for one in (2.5 / 8, 2.5 / 2, 3 / 8, 3 / 2)):
        fail(
            "The offsets are all right but for one number of the second image, off by 3.",
            f'Expected {2.5 / 8:.4f}, got {answer["localization"]:.4f} for "localization".',
        )
    positives = math.log(2 + math.exp(4)) + math.log(2 + math.exp(6))
    negatives = 2 * sum(math.log(sum(map(math.exp, hard[n]))) - hard[n][0] for n in (0, 2, 4))
    if abs(answer["confidence"] - (positives + negatives) / 2) > 1e-3:
        fail(
            "In each image one positive counts, and of the background priors those three with the "
            "largest cross-entropy. It is right for large logits, too.",
            f"Expected {(positives + negatives) / 2:.4f}, got {answer['confidence']:.4f} for "
            '"confidence".',
        )


@visible("3.8")
def no_objects(student: Student) -> None:
    """The terms and gradients of a batch without objects."""
    arguments = [torch.ones(2, 3, 4), torch.ones(2, 3, 5), [torch.zeros(0, 4)] * 2]
    arguments += [[torch.zeros(0, dtype=torch.int64)] * 2, six_priors()[:3]]
    names = ("offsets", "logits", "boxes", "labels", "priors")
    expect_terms(student.multibox_terms(**dict(zip(names, arguments, strict=True))))
    gradients = student.tool("gradients", student.fetch("multibox_loss"), arguments, 2)
    gradients = expect_list(gradients, "The gradients", 2)
    if all(one is None for one in gradients):
        fail("Without objects the loss is a constant, which `backward()` refuses.")
    for gradient in gradients:
        if gradient is not None:
            expect_tensor(gradient, "The gradient without objects")


@visible("3.9")
def suppression(student: Student) -> None:
    """What suppression keeps of a chain of three boxes and one apart."""
    left = torch.tensor([0.6, 0.3, 3.0, 0.0])
    boxes = torch.stack([left, torch.zeros(4), left + 1, torch.ones(4)], 1)
    scores = torch.tensor([0.7, 0.8, 0.6, 0.9])
    answer = student.nms(boxes=boxes, scores=scores, iou_threshold=0.5)
    expect_close(answer, torch.tensor([3, 0, 2]), "The indices that remain")
    expect_own_work(student, "nms", boxes=boxes, scores=scores, iou_threshold=0.5)


@visible("3.9")
def suppression_of_others(student: Student) -> None:
    """What is kept at other thresholds, of equal boxes, and in which order."""
    left = torch.tensor([0.0, 5.0, 0.5, 5.0, 9.0])
    boxes = torch.stack([left, torch.zeros(5), left + 1, torch.ones(5)], 1)
    boxes[4] = boxes[0] + 0.2  # overlaps the first by 0.47
    scores = torch.tensor([0.6, 0.8, 0.5, 0.8, 0.4])
    # The first and the third overlap by 1/3, the second and the fourth are one box twice.
    for threshold, expected in ((0.3, [[1, 3], [0]]), (0.4, [[1, 3], [0], [2]])):
        answer = student.nms(boxes=boxes, scores=scores, iou_threshold=threshold)
        answer = expect_indices(answer, "`nms`'s result", (len(expected),)).tolist()
        if not all(n in some for n, some in zip(answer, expected, strict=True)):
            fail(
                "Boxes of 0.8 come first, one of two equal ones; the next is dropped only if it "
                f"overlaps one that was kept by more than {threshold}.",
                f"The indices are {answer}.",
            )


def of_two_classes(*priors: tuple[float, float, float], side: float = 0.1) -> dict[str, Tensor]:
    """Return what one image's priors say of two classes.

    Args:
        priors: of each its left edge, and its logits over the background's.
        side: of all of them.
    """
    rows = torch.tensor(priors)
    boxes = torch.full((len(rows), 4), side)
    boxes[:, 0], boxes[:, 1] = rows[:, 0] + side / 2, 0.5
    logits = torch.cat([torch.zeros(len(rows), 1), rows[:, 1:]], 1)[None]
    return {"offsets": torch.zeros(1, len(rows), 4), "logits": logits, "priors": boxes}


def expect_found(
    student: Student,
    given: dict[str, Tensor],
    expected: list[tuple[int, float]],
    why: str,
    **settings: float,
) -> None:
    """Check which labels are found, and at which right edges."""
    (found,) = expect_detections(student.detect(**given, **settings), 1)
    edges = [round(right, 4) for right in found["boxes"][:, 2].tolist()]
    answer = [*zip(found["labels"].tolist(), edges, strict=True)]
    if answer != [(label, round(right, 4)) for label, right in expected]:
        few = answer if len(answer) <= 6 else f"{len(answer)} detections"
        fail(why, f"As (label, x_max), by falling score: {few}.")


@visible("3.9")
def classes_and_counts(student: Student) -> None:
    """Which detections of two classes remain, and in which order."""
    # Two boxes that overlap by 0.54, class 1 and class 2 of each, and one apart.
    given = of_two_classes((0.0, 2.0, 1.0), (0.03, 1.5, 3.0), (0.5, 0.5, -30))
    all_of_them = [(2, 0.13), (1, 0.1), (1, 0.6)]
    why = "Classes are suppressed each by itself, and what remains of all is sorted by score."
    expect_found(student, given, all_of_them, why, min_score=0.1)
    why = "`top_k` counts what remains of all classes together, after the suppression."
    expect_found(student, given, all_of_them[:2], why, min_score=0.1, top_k=2)
    crowd = of_two_classes((0.0, 3.0, -30), (0.01, 2.5, -30), (0.5, 2.0, -30))
    expect_found(student, crowd, [(1, 0.1), (1, 0.6)], why, min_score=0.1, top_k=2)
    outside = of_two_classes((-0.06, 3.0, -30), (0.0, 2.0, -30))
    outside["priors"][1] = torch.tensor([-0.075, 0.5, 0.25, 0.1])
    why = "These boxes overlap by 0.4, and by 0.8 only if they are cut to the image before."
    expect_found(student, outside, [(1, 0.04), (1, 0.05)], why, min_score=0.1)


@visible("3.9")
def defaults(student: Student) -> None:
    """What is found where the settings are left out, and of many priors."""
    # The second overlaps the first by 0.47, and the third shows its class at 0.015.
    given = of_two_classes((0.0, 3.0, -30), (0.036, 2.0, -30), (0.5, math.log(0.015 / 0.985), -30))
    why = "The defaults are a score above 0.01, an IoU of 0.45 and 200 detections."
    expect_found(student, given, [(1, 0.1), (1, 0.6)], why)
    lefts = [0.0022 * n for n in range(430)]
    many = of_two_classes(*[(x, 3 - x, -30) for x in lefts], side=0.002)
    why = "Of 430 boxes that lie apart all are found, where `top_k` allows it."
    expect_found(student, many, [(1, x + 0.002) for x in lefts], why, top_k=1000)


@visible("3.9")
def detections(student: Student) -> None:
    """The detections of three priors and two classes, at most `top_k`."""
    logits = torch.tensor([[0.0, 3.0, 2.0], [2.0, 2.5, -9.0], [4.0, 0.0, 0.0]])
    logits = torch.stack([torch.tensor([9.0, 0.0, 0.0]).expand(3, 3), logits])
    offsets = torch.zeros(2, 3, 4)
    offsets[1, 0, 0] = 1  # to the right by a tenth of the prior's width
    given = {"offsets": offsets, "logits": logits, "priors": six_priors()[:3]}
    settings = {"min_score": 0.1, "iou_threshold": 0.45, "top_k": 200}
    nothing, found = expect_detections(student.detect(**given, **settings), 2)
    if len(nothing["labels"]):
        fail("In the first image all is background, but something is found there.")
    if found["labels"].tolist() != [1, 2]:
        fail(
            "In the second image the first prior is found as class 1 and as class 2, the second is "
            "suppressed, the third is background.",
            f"The labels are {found['labels'].tolist()}.",
        )
    expect_close(found["scores"], logits[1].softmax(-1)[0, 1:], "The scores")
    box = torch.tensor([[0.14, 0.1, 0.54, 0.5]]).repeat(2, 1)
    expect_close(found["boxes"], box, "The boxes", 1e-4)
    one = expect_detections(student.detect(**given, **settings | {"top_k": 1}), 2)[1]
    if one["labels"].tolist() != [1]:
        fail("With `top_k` 1 only the best detection remains.")


def public_batch() -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return a batch of three small scenes with 0, 1 and 2 objects."""
    images, boxes, labels = zip(*public_scenes(3), strict=True)
    return torch.stack(images) - 0.5, list(boxes), list(labels)


@visible("3.10")
def loop(student: Student) -> None:
    """The history of `train`, and the loss on three scenes."""
    net = expect_handle(student.SSD(num_classes=NUM_CLASSES), "`SSD(…)`", "an nn.Module")
    history = check_loop_history(student.train(net=net, loader=[public_batch()], epochs=20), 20)
    first, last = (sum(row[name] for name in TERMS) for row in (history[0], history[-1]))
    if not last < first:
        fail(f"After 20 steps on one batch the loss is {last:.2f}, at first it was {first:.2f}.")


@visible("3.11")
def short_training(student: Student) -> None:
    """`train_ssd` for two passes over three scenes."""
    loader = BudgetedLoader(batch_size=2, max_steps=4, cpu_s=60.0, seed=0)
    loader.add(*public_batch())
    net = student.train_ssd(loader=offer(student, loader), epochs=2)
    net = expect_handle(net, "The result", "the network")
    student.tool("set_training", net, False)
    expect_outputs(net(public_batch()[0]), 3, NUM_CLASSES)
    if not loader.progress.steps:
        fail("The loader offered batches, of which none was taken.")
