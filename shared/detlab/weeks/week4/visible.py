"""Visible checks of week 4. They test what the statements say on small public inputs."""

import torch
from torch import Tensor

from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_keys,
    expect_tensor,
    fail,
)
from detlab.checking.replies import parameters_of
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.weeks.detection import expect_floats, expect_priors, is_fit, with_last_square
from detlab.weeks.week4.assertions import (
    CHANNELS,
    FEATURE_SIZES,
    NUM_PRIORS,
    SIDE,
    all_weights_called,
    apply,
    check_fresh,
    check_label_map,
    check_settings,
    check_target,
    expect_answers,
    expect_convolutions,
    expect_maps,
    expect_own_work,
    expect_refusal,
    make_module,
    weights_called,
)
from detlab.weeks.week4.visible_chance import overlaps_of_crops, sizes_of_crops, training
from detlab.weeks.week4.visible_detection import (
    behind_many,
    detections,
    loss,
    matching,
    mined,
    neighbours,
    offsets,
    rival_objects,
    steps_of_loss,
)
from detlab.weeks.week4.visible_evaluation import (
    across_images,
    evaluation,
    many_objects,
    overlaps,
    rivals,
    table,
)
from detlab.weeks.week4.visible_training import by_heart, detector, epoch, optimizer, resuming
from detlab.weeks.week4.visible_transforms import (
    canvas,
    colours,
    crop,
    distortion,
    mirror_image,
    no_target,
    of_one_seed,
    public_image,
    ready,
)

# Checks that have files of their own: a check of the week is found by its name here.
ELSEWHERE = (
    *(distortion, colours, canvas, crop, sizes_of_crops, overlaps_of_crops),
    *(mirror_image, ready, of_one_seed, training),
    *(
        offsets,
        matching,
        rival_objects,
        loss,
        mined,
        steps_of_loss,
        detections,
        neighbours,
        behind_many,
    ),
    *(evaluation, across_images, rivals, overlaps, many_objects, table),
    *(optimizer, resuming, epoch, by_heart, detector),
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
    <bndbox><xmin>9</xmin><ymin>9</ymin><xmax>8</xmax><ymax>30</ymax></bndbox>
  </object>
  <object>
    <name>cat</name>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>80</xmax><ymax>60</ymax></bndbox>
  </object>
</annotation>"""

SECOND_XML = """<annotation>
  <object>
    <name>dog</name>
    <bndbox><xmin>30</xmin><ymin>40</ymin><xmax>20</xmax><ymax>35</ymax></bndbox>
  </object>
  <object>
    <name>cat</name>
    <difficult>0</difficult>
    <bndbox><xmin>3</xmin><ymin>5</ymin><xmax>60</xmax><ymax>50</ymax></bndbox>
    <part><name>dog</name>
      <bndbox><xmin>7</xmin><ymin>8</ymin><xmax>9</xmax><ymax>12</ymax></bndbox></part>
  </object>
  <object>
    <name>dog</name>
    <difficult>1</difficult>
    <bndbox><xmin>2</xmin><ymin>3</ymin><xmax>42</xmax><ymax>23</ymax></bndbox>
  </object>
  <object>
    <name>cat</name>
    <bndbox><xmin>70</xmin><ymin>10</ymin><xmax>70</xmax><ymax>31</ymax></bndbox>
  </object>
</annotation>"""


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
        "boxes": torch.tensor([[10.0, 1.5, 31.0, 52.0], [0.0, 0.0, 80.0, 60.0]]),
        "labels": torch.tensor([2, 1]),
        "difficult": torch.tensor([True, False]),
    }
    check_target(answer, expected, "`parse_annotation`'s result")
    empty = student.parse_annotation(xml="<annotation></annotation>", label_map={"background": 0})
    check_target(empty, no_target(), "`parse_annotation`'s result for no object")
    arguments = {"xml": XML, "label_map": {"background": 0, "cat": 1}}
    expect_refusal(student, "parse_annotation", "ValueError", ["dog"], **arguments)


@visible("4.1")
def second_annotation(student: Student) -> None:
    """What is read of exchanged corners, a part at the end, `difficult` 0, and a thin box."""
    answer = student.parse_annotation(
        xml=SECOND_XML, label_map={"background": 0, "cat": 1, "dog": 2}
    )
    expected = {
        "boxes": torch.tensor(
            [[2.0, 4.0, 60.0, 50.0], [1.0, 2.0, 42.0, 23.0], [69.0, 9.0, 70.0, 31.0]]
        ),
        "labels": torch.tensor([1, 2, 1]),
        "difficult": torch.tensor([False, True, False]),
    }
    check_target(answer, expected, "`parse_annotation`'s result")


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
    told = student.tool("convolutions_of", net, [public_image(SIDE, SIDE)[None]])
    result, layers = expect_convolutions(told, 15, "`VGGBase`")
    shapes = [(1, 512, 38, 38), (1, 1024, 19, 19)]
    maps = expect_maps(result, "`VGGBase`'s result (conv4_3, conv7)", shapes)
    check_settings(layers[13], "conv6", kernel_size=3, padding=6, dilation=6, out_channels=1024)
    check_settings(layers[14], "conv7", kernel_size=1, padding=0, out_channels=1024)
    check_fresh(layers, "`VGGBase`")
    for one, what in zip(maps, ("conv4_3", "conv7"), strict=True):
        if float(one.min()) < 0:
            fail(f"The map of {what} has negative values: it is taken after its ReLU.")


@visible("4.3")
def weights_of_a_file(student: Student) -> None:
    """The thirteen convolutions that a file without classifier fills."""
    net, images = make_module(student, "VGGBase"), torch.zeros(1, 3, 64, 64)
    before = weights_called(student, net, images, 13, "conv6")
    student.load_vgg16(base=net, state=student.tool("vgg_weights", 1, False))
    state = expect_handle(student.tool("vgg_weights", 1, False), "The file", "a dict")
    pick = expect_handle(state.get("__getitem__"), "The file's `__getitem__`", "a method")
    for number, place, layer in ((12, 28, "conv5_3"), (9, 21, "conv4_3")):
        called = weights_called(student, net, images, number, layer)
        for found, name, what in zip(
            called, ("weight", "bias"), ("weights", "biases"), strict=True
        ):
            given = expect_tensor(pick(f"features.{place}.{name}"), "The file's")
            expect_close(found, given, f"The {what} of {layer}", 0.0)
    after = weights_called(student, net, images, 13, "conv6")
    expect_close(after[0], before[0], "The weights of conv6, of which the file says nothing,", 0.0)


@visible("4.4")
def auxiliary(student: Student) -> None:
    """The four maps of the eight auxiliary convolutions."""
    net = make_module(student, "AuxiliaryConvolutions")
    conv7 = torch.rand(2, CHANNELS[1], 19, 19, generator=torch.Generator().manual_seed(3))
    told = student.tool("convolutions_of", net, [conv7])
    result, layers = expect_convolutions(told, 8, "`AuxiliaryConvolutions`")
    shapes = [(2, c, f, f) for c, f in zip(CHANNELS[2:], FEATURE_SIZES[2:], strict=True)]
    maps = expect_maps(result, "`AuxiliaryConvolutions`' result", shapes)
    widths = [layer["out_channels"] for layer in layers]
    if widths != [256, 512, 128, 256, 128, 256, 128, 256]:
        fail(f"The channels of the eight convolutions are {widths}: see the table.")
    if any(float(one.min()) < 0 for one in maps):
        fail("A ReLU follows every convolution: the maps must not be negative.")
    check_fresh(layers, "`AuxiliaryConvolutions`")
    for number, layer in zip((8, 9, 10, 11), layers[1::2], strict=True):
        settings = {"kernel_size": 3, "stride": 2 - (number > 9), "padding": int(number < 10)}
        check_settings(layer, f"The 3×3 convolution of conv{number}", **settings)
    check_settings(layers[0], "The 1×1 convolution of conv8", kernel_size=1, in_channels=1024)
    check_settings(layers[1], "The 3×3 convolution of conv8", in_channels=256)
    pairs = all_weights_called(student, net, [conv7], [0, 1], "conv8")
    right = conv7
    for layer, pair in zip(layers, pairs, strict=False):
        right = apply(layer, pair, right).relu()
    expect_close(maps[0], right, "The map of conv8, with a ReLU after both convolutions,", 1e-3)


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
    if float(logits.min()) >= 0 and float((logits.sum(-1) - 1).abs().max()) < 1e-3:
        fail("The logits of each prior are probabilities: the softmax comes later, in the loss.")
    sides = [(layer["in_channels"], layer["out_channels"]) for layer in layers]
    if (512, 16) in sides:  # the offsets of the first map, which no other convolution is like
        number = sides.index((512, 16))
        (pair,) = all_weights_called(student, net, [maps], [number], "the first map's offsets")
        own = apply(layers[number], pair, maps[0]).movedim(1, 3).reshape(2, -1, 4)
        words = "In each cell first come the four numbers of the first prior, then the second's."
        expect_close(offsets[:, : own.shape[1]], own, "The offsets of the first map", 1e-3, words)
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


@visible("4.6")
def rescaling(student: Student) -> None:
    """Vectors (3, 4) and (1, 0), rescaled to length 20, and zeros."""
    net = make_module(student, "Rescale", channels=2, factor=20.0)
    features = torch.tensor([[3.0, 0.0, 1.0], [4.0, 0.0, 0.0]]).reshape(1, 2, 1, 3)
    expected = torch.tensor([[12.0, 0.0, 20.0], [16.0, 0.0, 0.0]]).reshape(1, 2, 1, 3)
    expect_close(net(features), expected, "`Rescale`'s result", 1e-4)
    parameters = parameters_of(student, net, "`Rescale`", 1)
    if parameters[0].numel() != 2:
        fail("`Rescale` must learn one factor for each channel.")
    told = student.tool("gradients_of_map", net, features, torch.ones_like(features))
    told = expect_keys(told, ("inputs",), "The gradients")
    expect_tensor(told["inputs"], "The gradient where all is zero", features.shape)


@visible("4.6")
def whole_network(student: Student) -> None:
    """The offsets and logits of an image of 300×300."""
    net = make_module(student, "SSD300", num_classes=4)
    image = public_image(SIDE, SIDE)[None]
    expect_answers(net(image), "`SSD300`'s result", 1, 4)
    count = sum(p.numel() for p in parameters_of(student, net, "the network"))
    if count != 24_013_232:
        fail(f"With four classes the network has 24,013,232 parameters, not {count:,}.")


LAST_SIDES = [[0.9, 0.9], [1.2727922, 0.6363961], [0.6363961, 1.2727922], [0.9486833] * 2]


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
    last = torch.tensor([[[0.5, 0.5, *side] for side in LAST_SIDES]], dtype=torch.float64)
    if not is_fit(answer[-4:], with_last_square(last, 1, 1.0), "The last priors"):
        expect_priors(answer[-4:], last, "The priors of the last map")
    expect_own_work(student, "make_priors")
