"""Visible checks of week 4. They test what the statements say on small public inputs."""

import math

import torch
from torch import Tensor, nn

from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_int,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.replies import expect_form, parameters_of
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.imagenet import IMAGENET_MEAN, IMAGENET_STD
from detlab.weeks.detection import (
    TERMS,
    expect_detections,
    expect_floats,
    expect_indices,
    expect_priors,
    expect_terms,
)
from detlab.weeks.loaders import RepeatingLoader, offer
from detlab.weeks.week4.assertions import (
    CHANNELS,
    FEATURE_SIZES,
    NUM_PRIORS,
    SIDE,
    check_fresh,
    check_groups,
    check_label_map,
    check_settings,
    check_target,
    expect_answers,
    expect_any_image,
    expect_convolutions,
    expect_image,
    expect_maps,
    expect_own_work,
    expect_precisions,
    expect_refusal,
    expect_target,
    make_module,
    steps_taken,
    weights_called,
)

XML = """<annotation>
  <filename>1.jpg</filename>
  <size><width>80</width><height>60</height><depth>3</depth></size>
  <object>
    <name> dog </name>
    <part><name>cat</name>
      <bndbox><xmin>12</xmin><ymin>13</ymin><xmax>14</xmax><ymax>15</ymax></bndbox></part>
    <difficult>1</difficult>
    <bndbox><xmax>31</xmax><ymax>52</ymax><xmin>11</xmin><ymin>2.5</ymin></bndbox>
  </object>
  <object>
    <name>cat</name>
    <bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>30</ymax></bndbox>
  </object>
  <object>
    <name>cat</name>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>80</xmax><ymax>60</ymax></bndbox>
  </object>
</annotation>"""


def public_image(height: int = 30, width: int = 40) -> Tensor:
    """Return an image whose red grows to the right and whose green grows downwards."""
    rows = torch.linspace(0.1, 0.9, height)[:, None].expand(height, width)
    columns = torch.linspace(0.1, 0.9, width).expand(height, width)
    return torch.stack([columns, rows, torch.full((height, width), 0.5)])


def public_target() -> dict[str, Tensor]:
    """Return two objects of an image of 30×40 pixels."""
    return {
        "boxes": torch.tensor([[4.0, 6.0, 14.0, 26.0], [20.0, 3.0, 38.0, 13.0]]),
        "labels": torch.tensor([2, 1]),
        "difficult": torch.tensor([False, True]),
    }


def no_target() -> dict[str, Tensor]:
    """Return the target of an image without objects."""
    return {name: values[:0] for name, values in public_target().items()}


@visible("4.1")
def label_map(student: Student) -> None:
    """The label map."""
    for names in (["dog", "cat", "zebra"], ("dog", "cat")):
        check_label_map(student.make_label_map(names=names), names)


@visible("4.1")
def annotation(student: Student) -> None:
    """What is read of a file with a part and an object without area."""
    answer = student.parse_annotation(xml=XML, label_map={"background": 0, "cat": 1, "dog": 2})
    expected = {
        "boxes": torch.tensor([[10.0, 1.5, 30.0, 51.0], [0.0, 0.0, 79.0, 59.0]]),
        "labels": torch.tensor([2, 1]),
        "difficult": torch.tensor([True, False]),
    }
    check_target(answer, expected, "`parse_annotation`'s result")
    empty = student.parse_annotation(xml="<annotation></annotation>", label_map={"background": 0})
    check_target(empty, no_target(), "`parse_annotation`'s result for no object")
    arguments = {"xml": XML, "label_map": {"background": 0, "cat": 1}}
    expect_refusal(student, "parse_annotation", "ValueError", ["dog"], **arguments)


@visible("4.2")
def distortion(student: Student) -> None:
    """Distorted images: their form and range, and whether they differ."""
    generator = student.tool("generator", 3)
    images = [
        expect_image(
            student.distort(image=public_image(), generator=generator), "The image", (3, 30, 40)
        )
        for _ in range(40)
    ]
    if min(float(x.min()) for x in images) < 0 or max(float(x.max()) for x in images) > 1:
        fail("`distort`'s images must stay between 0 and 1.")
    untouched = sum(torch.equal(image, public_image()) for image in images)
    # One of sixteen on average.
    if untouched > 15:
        fail(f"Of forty images {untouched} are as before: each distortion has a probability of ½.")


@visible("4.2")
def canvas(student: Student) -> None:
    """A zoomed-out image: its place, its boxes, the colour of its canvas."""
    generator, image, boxes = student.tool("generator", 4), public_image(), public_target()["boxes"]
    for _ in range(8):
        answer = student.zoom_out(image=image, boxes=boxes, generator=generator)
        wider, moved = expect_list(answer, "`zoom_out`'s result (image, boxes)", 2)
        wider = expect_any_image(wider, "`zoom_out`'s image")
        moved = expect_floats(moved, "`zoom_out`'s boxes", (2, 4))
        left, top, *_ = (moved[0] - boxes[0]).round().int().tolist()
        tall, wide = wider.shape[1:]
        if not (0 <= left <= wide - 40 and 0 <= top <= tall - 30 and tall < 121 and wide < 161):
            fail("The canvas must hold the whole image, and be at most four times as large.")
        expect_close(moved, boxes + torch.tensor([left, top, left, top]), "The boxes", 1e-4)
        expected = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
        expected[:, top : top + 30, left : left + 40] = image
        expect_close(wider, expected, "The canvas", 1e-4)


@visible("4.2")
def crop(student: Student) -> None:
    """The objects of some crops, and whether all are the whole image."""
    generator, image, target = student.tool("generator", 5), public_image(), public_target()
    target["boxes"] += 0.3  # no centre lies between two pixels, where it may be in or out
    whole = 0
    for _ in range(30):
        answer = student.random_crop(image=image, target=target, generator=generator)
        piece, kept = expect_list(answer, "`random_crop`'s result (image, target)", 2)
        piece = expect_any_image(piece, "`random_crop`'s image")
        kept = expect_target(kept, "`random_crop`'s target")
        if not len(kept["labels"]):
            fail("A crop must keep at least one object.")
        tall, wide = piece.shape[1:]
        whole += (tall, wide) == (30, 40)
        # The image tells by its colours where the piece comes from.
        left, top = ((float(piece[n, 0, 0]) - 0.1) / 0.8 * (39, 29)[n] for n in (0, 1))
        left, top = round(left), round(top)
        centres = {2: (9.3, 16.3), 1: (29.3, 8.3)}
        inside = [
            label
            for label, (x, y) in centres.items()
            if left < x < left + wide and top < y < top + tall
        ]
        if kept["labels"].tolist() != inside:
            fail("The objects of a crop are not those whose centres lie inside.")
        limits = torch.tensor([wide, tall, wide, tall])
        if bool((kept["boxes"] < 0).any() | (kept["boxes"] > limits).any()):
            fail("A crop's boxes must be clipped to it, and count from its corner.")
    if not 1 <= whole <= 20:
        fail(f"Of thirty crops {whole} are the whole image; one of seven should be or a few more.")
    answer = student.random_crop(image=image, target=no_target(), generator=generator)
    piece, _ = expect_list(answer, "`random_crop`'s result (image, target)", 2)
    expect_close(piece, image, "`random_crop`'s image without objects", 1e-6)


@visible("4.2")
def mirror_image(student: Student) -> None:
    """A flipped image and its boxes."""
    image, target = public_image(), public_target()
    flipped, boxes = expect_list(student.flip(image=image, boxes=target["boxes"]), "`flip`", 2)
    expect_close(flipped, image.flip(2), "`flip`'s image", 1e-6)
    right = torch.tensor([[26.0, 6.0, 36.0, 26.0], [2.0, 3.0, 20.0, 13.0]])
    expect_close(boxes, right, "`flip`'s boxes", 1e-4)


@visible("4.2")
def ready(student: Student) -> None:
    """An image and its boxes, made ready for evaluation."""
    for colour in (0.0, 0.7):
        image, target = torch.full((3, 30, 40), colour), public_target()
        answer = student.transform(image=image, target=target)
        made, kept = expect_list(answer, "`transform`'s result (image, target)", 2)
        made = expect_image(made, "`transform`'s image", (3, SIDE, SIDE))
        mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        values = (torch.full((3,), colour) - mean) / deviation
        expect_close(made.mean((1, 2)), values, "The mean of `transform`'s channels", 0.02)
        right = public_target()
        right["boxes"] = torch.tensor([[0.1, 0.2, 0.35, 26 / 30], [0.5, 0.1, 0.95, 13 / 30]])
        check_target(kept, right, "`transform`'s target")
    generator = student.tool("generator", 6)
    for _ in range(6):
        given = {"image": public_image(), "target": public_target(), "generator": generator}
        made, kept = expect_list(student.transform(**given), "`transform`'s result", 2)
        expect_image(made, "`transform`'s image for training", (3, SIDE, SIDE))
        boxes = expect_target(kept, "`transform`'s target for training")["boxes"]
        if bool((boxes < -1e-4).any() | (boxes > 1.0001).any()):
            fail("`transform`'s boxes must be fractions of the image's sides.")


@visible("4.3")
def every_third(student: Student) -> None:
    """Which of eight values `decimate` keeps when it takes every fourth."""
    values = torch.arange(8 * 7.0).reshape(8, 7)
    answer = student.decimate(values=values, steps=[4, 3])
    expect_close(answer, torch.tensor([[0.0, 3.0, 6.0], [28.0, 31.0, 34.0]]), "`decimate`", 0.0)
    answer = student.decimate(values=values, steps=[None, 7])
    expect_close(answer, values[:, :1], "`decimate`'s result for steps (None, 7)", 0.0)


@visible("4.3")
def base(student: Student) -> None:
    """The base's maps of 38×38 and 19×19 cells; conv6 and conv7."""
    net = make_module(student, "VGGBase")
    told = student.tool("convolutions_of", net, [torch.zeros(1, 3, SIDE, SIDE)])
    result, layers = expect_convolutions(told, 15, "`VGGBase`")
    shapes = [(1, 512, 38, 38), (1, 1024, 19, 19)]
    expect_maps(result, "`VGGBase`'s result (conv4_3, conv7)", shapes)
    check_settings(layers[13], "conv6", kernel_size=3, padding=6, dilation=6, out_channels=1024)
    check_settings(layers[14], "conv7", kernel_size=1, padding=0, out_channels=1024)
    check_fresh(layers, "`VGGBase`")


@visible("4.3")
def weights_of_a_file(student: Student) -> None:
    """The thirteen convolutions that a file without classifier fills."""
    net, images = make_module(student, "VGGBase"), torch.zeros(1, 3, 64, 64)
    before = weights_called(student, net, images, 13, "conv6")
    student.load_vgg16(base=net, state=student.tool("vgg_weights", 1, False))
    state = expect_handle(student.tool("vgg_weights", 1, False), "The file", "a dict")
    weight, bias = weights_called(student, net, images, 12, "conv5_3")
    pick = expect_handle(state.get("__getitem__"), "The file's `__getitem__`", "a method")
    own = (expect_tensor(pick(f"features.28.{name}"), "The file's") for name in ("weight", "bias"))
    for found, given, what in zip((weight, bias), own, ("weights", "biases"), strict=True):
        expect_close(found, given, f"The {what} of conv5_3", 0.0)
    after = weights_called(student, net, images, 13, "conv6")
    expect_close(after[0], before[0], "The weights of conv6, of which the file says nothing,", 0.0)


@visible("4.4")
def auxiliary(student: Student) -> None:
    """The four maps of the eight auxiliary convolutions."""
    net = make_module(student, "AuxiliaryConvolutions")
    told = student.tool("convolutions_of", net, [torch.rand(2, CHANNELS[1], 19, 19)])
    result, layers = expect_convolutions(told, 8, "`AuxiliaryConvolutions`")
    shapes = [(2, c, f, f) for c, f in zip(CHANNELS[2:], FEATURE_SIZES[2:], strict=True)]
    maps = expect_maps(result, "`AuxiliaryConvolutions`' result", shapes)
    widths = [layer["out_channels"] for layer in layers]
    if widths != [256, 512, 128, 256, 128, 256, 128, 256]:
        fail(f"The channels of the eight convolutions are {widths}: see the table.")
    if any(float(one.min()) < 0 for one in maps):
        fail("A ReLU follows every convolution: the maps must not be negative.")
    check_fresh(layers, "`AuxiliaryConvolutions`")


def public_maps(count: int) -> list[Tensor]:
    """Return six feature maps, each cell of all ones times its index."""
    maps = []
    for channels, size in zip(CHANNELS, FEATURE_SIZES, strict=True):
        cells = torch.arange(size * size, dtype=torch.float32).reshape(1, 1, size, size)
        maps.append((cells / size**2 / channels).expand(count, channels, size, size).contiguous())
    return maps


@visible("4.5")
def heads(student: Student) -> None:
    """The answers for 8,732 priors, and where those of the first cells stand."""
    net = make_module(student, "PredictionConvolutions", num_classes=5)
    maps = public_maps(2)
    told = student.tool("convolutions_of", net, [maps])
    result, layers = expect_convolutions(told, 12, "`PredictionConvolutions`")
    offsets, logits = expect_answers(result, "`PredictionConvolutions`' result", 2, 5)
    check_fresh(layers, "`PredictionConvolutions`")
    maps[0][:, :, 20:] += 1
    changed, _ = expect_answers(net(maps), "`PredictionConvolutions`' result", 2, 5)
    moved = (changed - offsets).abs().amax((0, 2)) > 1e-6
    rows = moved.nonzero().flatten()
    # From row 19 of the first map on, which sees row 20, to its end.
    first, last = 19 * 38 * 4, 38 * 38 * 4 - 1
    if len(rows) == 0 or int(rows[0]) != first or int(rows[-1]) != last:
        fail(
            "Changed were the lower rows of the first map, and other answers changed than theirs. "
            "Answers come map by map, row by row, cell by cell, prior by prior."
        )
    expect_tensor(logits, "The logits")


@visible("4.6")
def rescaling(student: Student) -> None:
    """A vector (3, 4), rescaled to length 20, and zeros."""
    net = make_module(student, "Rescale", channels=2, factor=20.0)
    features = torch.tensor([[3.0, 0.0], [4.0, 0.0]]).reshape(1, 2, 1, 2)
    expected = torch.tensor([[12.0, 0.0], [16.0, 0.0]]).reshape(1, 2, 1, 2)
    expect_close(net(features), expected, "`Rescale`'s result", 1e-4)
    parameters = parameters_of(student, net, "`Rescale`", 1)
    if parameters[0].numel() != 2:
        fail("`Rescale` must learn one factor for each channel.")


@visible("4.6")
def whole_network(student: Student) -> None:
    """The offsets and logits of an image of 300×300."""
    net = make_module(student, "SSD300", num_classes=4)
    image = public_image(SIDE, SIDE)[None]
    expect_answers(net(image), "`SSD300`'s result", 1, 4)
    count = sum(p.numel() for p in parameters_of(student, net, "the network"))
    if count != 24_013_232:
        fail(f"With four classes the network has 24,013,232 parameters, not {count:,}.")


@visible("4.7")
def priors(student: Student) -> None:
    """The number of the priors, and those of some cells."""
    answer = expect_floats(student.make_priors(), "`make_priors`'s result", (NUM_PRIORS, 4))
    small = [[0.1, 0.1], [0.1414214, 0.0707107], [0.0707107, 0.1414214], [0.1414214] * 2]
    wide = [[0.55, 0.55], [0.7778175, 0.3889087], [0.3889087, 0.7778175]]
    wide += [[0.9526279, 0.3175426], [0.3175426, 0.9526279], [0.6314665] * 2]
    for start, centre, sides, place in (
        (4, [1.5 / 38, 0.5 / 38], small, "row 0 and column 1 of the first map"),
        (4 * 38, [0.5 / 38, 1.5 / 38], small, "row 1 and column 0 of the first map"),
        (8542 + 6 * 12, [0.5, 0.5], wide, "the middle of the map of 5×5 cells"),
    ):
        cell = torch.tensor([[*centre, *side] for side in sides], dtype=torch.float64)
        part = answer[start : start + len(sides)]
        expect_priors(part, cell[None], f"The priors in {place}")
    expect_own_work(student, "make_priors")


def four_priors() -> Tensor:
    """Return four priors, `cxcywh`."""
    return torch.tensor(
        [[0.3, 0.3, 0.4, 0.4], [0.32, 0.3, 0.4, 0.4], [0.8, 0.8, 0.2, 0.2], [0.5, 0.9, 0.1, 0.1]]
    )


@visible("4.8")
def offsets(student: Student) -> None:
    """The offsets of a box to the right of its prior, and twice as high."""
    boxes = torch.tensor([[0.14, -0.1, 0.54, 0.7]])
    expected = torch.tensor([[1.0, 0.0, 0.0, math.log(2) / 0.2]])
    priors = four_priors()[:1]
    expect_close(student.encode_offsets(boxes=boxes, priors=priors), expected, "The offsets", 1e-4)
    back = student.decode_offsets(offsets=expected, priors=priors)
    expect_close(back, boxes, "The boxes of these offsets", 1e-4)


@visible("4.8")
def matching(student: Student) -> None:
    """The matching of a prior with IoU 0.9, and of an object far away."""
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.0, 0.85, 0.46, 0.95]])
    labels = torch.tensor([3, 7])
    answer = student.match_priors(boxes=boxes, labels=labels, priors=four_priors())
    classes, objects = expect_list(answer, "`match_priors`'s result (classes, objects)", 2)
    classes = expect_indices(classes, "The classes", (4,))
    if classes.tolist() != [3, 3, 0, 7]:
        fail("The classes of the four priors must be 3, 3, 0 and 7.", f"{classes.tolist()}")
    objects = expect_indices(objects, "The objects", (4,))
    if [objects.tolist()[n] for n in (0, 1, 3)] != [0, 0, 1]:
        fail("The objects of the positive priors must be 0, 0 and 1.", f"{objects.tolist()}")


@visible("4.8")
def loss(student: Student) -> None:
    """The loss where two of four priors are positive, and without objects."""
    given = {
        "offsets": torch.zeros(1, 4, 4),
        "logits": torch.zeros(1, 4, 5),
        "boxes": [torch.tensor([[0.1, 0.1, 0.5, 0.5]])],
        "labels": [torch.tensor([2])],
        "priors": four_priors(),
    }
    given["offsets"][0, 0, 0] = 3.0
    terms = expect_terms(student.multibox_terms(**given))
    # The first prior is the object; the second lies to its right, by a half in these offsets.
    expected = {"localization": (2.5 + 0.125) / 8, "confidence": 2 * math.log(5)}
    sums = (2.5 + 0.125) / 2, (3 + 0.5) / 8, (3 + 0.5) / 2
    near = [abs(terms["localization"] - one) for one in (expected["localization"], *sums)]
    if min(near) > 1e-4:
        fail('The term "localization" is not the mean smooth L1.', f"{terms['localization']:.4f}")
    if abs(terms["confidence"] - expected["confidence"]) > 1e-4:
        fail(
            'The term "confidence" must count two positives and two negatives, divided by two.',
            f"Expected {expected['confidence']:.4f}, got {terms['confidence']:.4f}.",
        )
    given["boxes"], given["labels"] = [torch.zeros(0, 4)], [torch.zeros(0, dtype=torch.int64)]
    expect_terms(student.multibox_terms(**given))
    expect_own_work(student, "multibox_terms", **given)


@visible("4.8")
def detections(student: Student) -> None:
    """The detections of three priors, of which one is suppressed."""
    logits = torch.tensor([[[0.0, 3.0, 2.0], [2.0, 2.5, -9.0], [0.0, 1.0, 0.0], [9.0, 0.0, 0.0]]])
    given = {"offsets": torch.zeros(1, 4, 4), "logits": logits, "priors": four_priors()}
    found = expect_detections(student.detect(**given, min_score=0.25, top_k=2), 1)[0]
    scores = logits[0].softmax(-1)
    expect_close(found["scores"], torch.stack([scores[0, 1], scores[2, 1]]), "The scores", 1e-4)
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.7, 0.7, 0.9, 0.9]])
    expect_close(found["boxes"], boxes, "The boxes", 1e-4)
    if found["labels"].tolist() != [1, 1]:
        fail("Both detections must be of class 1.", f"{found['labels'].tolist()}")
    many = torch.zeros(1, NUM_PRIORS, 4), torch.zeros(1, NUM_PRIORS, 3)
    centres = torch.rand(NUM_PRIORS, 2, generator=torch.Generator().manual_seed(1))
    crowd = torch.cat([centres, torch.full((NUM_PRIORS, 2), 0.01)], 1)
    given = dict(zip(("offsets", "logits"), many, strict=True))
    found = expect_detections(student.detect(**given, priors=crowd), 1)[0]
    if len(found["scores"]) != 200:
        fail(f"Of thousands of equal candidates 200 must remain, not {len(found['scores'])}.")


def small_net(student: Student) -> tuple:
    """Make a small network there and here."""
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1))
    return mirror(student, net), net


@visible("4.9")
def optimizer(student: Student) -> None:
    """The rates of weights and biases, and when they fall."""
    there, here = small_net(student)
    made = expect_handle(student.make_optimizer(net=there), "The optimizer", "an optimizer")
    names = {name for name, _ in here.named_parameters()}
    biases = {name for name in names if name.endswith("bias")}
    check_groups(student.tool("groups_of", made, there), biases, names - biases)
    schedule = expect_handle(student.make_schedule(optimizer=made), "The schedule", "a schedule")
    rates = student.tool("rates_during", made, schedule, [0, 79_999, 80_000])
    rates = expect_form(rates, ([float],) * 3, "The rates")
    for before, almost, after in zip(*rates, strict=False):
        if abs(almost - before) > 1e-9 or abs(after - before / 10) > 1e-9:
            fail("The rates must stay for 80,000 iterations, and then fall to a tenth.")


@visible("4.9")
def resuming(student: Student) -> None:
    """A checkpoint that is loaded into fresh parts."""
    nets = [small_net(student)[0] for _ in range(2)]
    makers = [student.make_optimizer(net=net) for net in nets]
    schedules = [student.tool("short_schedule", one, 2) for one in makers]
    parts = [
        dict(zip(("net", "optimizer", "schedule"), one, strict=True))
        for one in zip(nets, makers, schedules, strict=True)
    ]
    first, second = (list(one.values()) for one in parts)
    steps_taken(student, first, 3)
    file = student.tool("open_file")
    student.save_checkpoint(file=file, iteration=3, **parts[0])
    expected = steps_taken(student, first, 3)
    iteration = student.load_checkpoint(file=student.tool("reopened", file), **parts[1])
    if expect_int(iteration, "`load_checkpoint`'s result") != 3:
        fail("`load_checkpoint` must return the iteration.")
    found = steps_taken(student, second, 3)
    if len(found) != len(expected):
        fail("The network has other parameters after `load_checkpoint` than before.")
    for one, other in zip(found, expected, strict=True):
        expect_close(one, other, "A weight three steps after the checkpoint", 1e-7)


@visible("4.10")
def epoch(student: Student) -> None:
    """The steps, terms and losses of an epoch of three batches."""
    net = student.tool("tiny_detector", NUM_PRIORS, 4, 1)
    box, label = torch.tensor([[0.2, 0.3, 0.6, 0.8]]), torch.tensor([1])
    batch = (torch.zeros(2, 3, 8, 8), [box, box], [label, label])
    made = student.tool("sgd_for", net, 2.0)
    schedule = student.tool("short_schedule", made, 1)
    given = {"net": net, "loader": [batch] * 3, "optimizer": made, "schedule": schedule}
    history = expect_list(student.train_one_epoch(**given), "`train_one_epoch`'s history", 3)
    for row in history:
        row = expect_keys(row, TERMS, "each step of the history")
        if any(type(row[name]) is not float for name in TERMS):
            fail("The history must hold Python floats: use `.item()`.")
    sums = [sum(row[name] for name in TERMS) for row in history]
    if not sums[2] < sums[1] < sums[0]:
        fail("On equal batches the loss must fall from step to step.", f"{sums}")
    rate = expect_number(student.tool("rate_of", made), "The rate")
    if abs(rate - 2 * 0.7**3) > 1e-6:
        fail("The schedule takes a step after each batch.")


@visible("4.10")
def by_heart(student: Student) -> None:
    """`learn_by_heart` after one step on two images (this takes a while)."""
    box, label = torch.tensor([[0.2, 0.3, 0.6, 0.8]]), torch.tensor([1])
    image = public_image(SIDE, SIDE)
    batch = (torch.stack([image, image]), [box, box], [label, label])
    loader = RepeatingLoader(batch, 1, 60.0)
    net = student.learn_by_heart(loader=offer(student, loader), num_classes=4)
    net = expect_handle(net, "The result", "a net")
    student.tool("set_training", net, False)
    expect_answers(net(image[None]), "The network's result", 1, 4)
    steps = loader.progress.steps
    if steps != 1:
        fail("The loader offered one batch, which was not taken.")


def public_detections() -> tuple[list, list]:
    """Return two images: in class 1 a hit, a double, a miss and a hit that is difficult."""
    boxes = torch.tensor([[0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9], [0.0, 0.6, 0.3, 0.9]])
    found = [
        {
            "boxes": torch.cat([boxes[:1], boxes[:1] + 0.01, boxes[2:]]),
            "labels": torch.tensor([1, 1, 1]),
            "scores": torch.tensor([0.7, 0.8, 0.9]),
        },
        {"boxes": boxes[1:2], "labels": torch.tensor([2]), "scores": torch.tensor([0.5])},
    ]
    truths = [
        {
            "boxes": boxes,
            "labels": torch.tensor([1, 1, 1]),
            "difficult": torch.tensor([False, False, True]),
        },
        {"boxes": boxes[:2], "labels": torch.tensor([2, 2]), "difficult": torch.tensor([True] * 2)},
    ]
    return found, truths


@visible("4.11")
def evaluation(student: Student) -> None:
    """The precision with a hit, a double, a miss, and a difficult object."""
    found, truths = public_detections()
    # The difficult one, surest of all, counts for nothing; then a hit, then a false positive.
    for way, expected in (("all-point", 0.5), ("11-point", 6 / 11)):
        given = {"detections": found, "truths": truths, "interpolation": way}
        answer = expect_precisions(student.average_precisions(**given), [1])
        if abs(answer[1] - expected) > 1e-6:
            fail(f"The {way} AP must be {expected:.4f}, but is {answer[1]:.4f}.")
    perfect = [
        {"boxes": t["boxes"], "labels": t["labels"], "scores": torch.ones(len(t["labels"]))}
        for t in truths
    ]
    plain = [t | {"difficult": torch.zeros(len(t["labels"]), dtype=torch.bool)} for t in truths]
    answer = student.average_precisions(detections=perfect, truths=plain)
    if expect_precisions(answer, [1, 2]) != {1: 1.0, 2: 1.0}:
        fail("Perfect detections have AP 1 in every class.", f"{answer}")


@visible("4.11")
def table(student: Student) -> None:
    """The table: a line for each class, and the mean."""
    given = {"precisions": {1: 0.25, 3: 0.75}, "names": ["dog", "cat", "hen"]}
    text = student.precision_table(**given)
    if type(text) is not str:
        fail("`precision_table` must return a string.")
    rows = [line.split() for line in text.splitlines()]
    if rows != [["dog", "0.250"], ["cat", "-"], ["hen", "0.750"], ["mean", "0.500"]]:
        fail("The table is not dog 0.250, cat -, hen 0.750, mean 0.500, line by line.", text)


@visible("4.12")
def detector(student: Student) -> None:
    """The network of `build_detector`: three classes and the background, fit to be handed in."""
    net = make_module(student, "build_detector")
    expect_answers(net(torch.zeros(1, 3, SIDE, SIDE)), "The network's result", 1, 4)
    if problem := student.tool("why_not_handed_in", net):
        fail(f"`save_detector` cannot write this network. {problem}")
