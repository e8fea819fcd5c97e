"""The measuring of task 4.12: weights that were handed in, on images of blood."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor
from torchvision.transforms.functional import hflip, to_tensor

from detcourse.trainings import once
from detcourse.week4.heart import priors_of
from detcourse.week4.pipeline import transform
from detgrader.course import Course
from detgrader.files import Missing, TooLarge, Unreadable, read_handed_in
from detlab.checking.expect import expect_handle, expect_int, expect_keys, expect_list, fail
from detlab.checking.student import Handle, Student
from detlab.fast import detect
from detlab.metrics import DetectionResult, mean_average_precision
from detlab.sets import voc
from detlab.sets.downloads import BCCD_SHA256
from detlab.weeks.detection import IOU_THRESHOLD, MIN_SCORE, TOP_K
from detlab.weeks.week4.assertions import expect_answers

NUM_CLASSES = len(voc.BCCD_CLASSES) + 1
MAX_BYTES = 160 * 10**6
MAX_HEADER, MAX_ENTRIES, MAX_DIMENSIONS = 1 << 20, 1000, 8
MAX_TENSOR = 60 << 20  # bytes that one message to a worker may hold
CHUNK = 8
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)


@dataclass(frozen=True)
class Score:
    """What was measured.

    Attributes:
        mean: average precision, all-point.
        per_class: the same, by the names of the cells, for the student.
    """

    mean: float
    per_class: str


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of weights that a student handed in; what is wrong with it is told to them."""
    try:
        data = read_handed_in(path, MAX_BYTES)
    except Missing:
        others = sorted(one.name for one in path.parent.glob("*.safetensors"))[:3]
        if len(list(path.parent.glob("*.ipynb"))) > 1:
            others = []  # they may be other students'
        found = f" There is {', '.join(others)}: rename it." if others else ""
        fail(f"There is no {path.name} beside the notebook: hand it in with it.{found}")
    except TooLarge as error:
        fail(
            f"{path.name} has {error.size / 10**6:.0f} MB, more than {MAX_BYTES // 10**6}: save "
            "the network's state_dict alone, in float32."
        )
    except Unreadable as error:
        fail(str(error).replace(str(path), path.name) + " Hand in an ordinary file.")
    try:
        check_header(data)
        return load(data)
    except (
        SafetensorError,
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        words = " ".join(str(error).split())[:100]
        fail(
            f"{path.name} cannot be read as weights ({words}): write it with safetensors, "
            "`save_file(net.state_dict(), …)`, and hand in the whole file."
        )


def check_header(data: bytes) -> None:
    """Look at a file's list of tensors before a library builds them.

    Raises:
        ValueError: it is longer than that of any network, or not what the format says.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MAX_HEADER, len(data) - 8):
        raise ValueError("its header is cut or too long")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict) or len(header) > MAX_ENTRIES:
        raise ValueError(f"its header is no list of at most {MAX_ENTRIES} tensors")
    shapes = [one.get("shape") for key, one in header.items() if key != "__metadata__"]
    if any(len(shape) > MAX_DIMENSIONS for shape in shapes):
        raise ValueError(f"a tensor has more than {MAX_DIMENSIONS} dimensions")


def check_finite(weights: dict[str, Tensor], name: str) -> None:
    """Check that all numbers of a file are finite."""
    for key, value in weights.items():
        what = f"{name}: {in_one_line(key)}"
        if value.dtype not in (*FLOATS, *WHOLE):
            fail(f"{what} is {value.dtype}: save float32.")
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            fail(f"{what} holds NaN or infinity. At some step the loss was not finite.")


def check_fits(weights: dict[str, Tensor], state: dict, name: str) -> None:
    """Check that a file's names and shapes are those of the network."""
    missing, foreign = sorted(state.keys() - weights.keys()), sorted(weights.keys() - state.keys())
    if missing or foreign:
        parts = []
        if missing:
            one = in_one_line(missing[0])
            parts.append(f"{len(missing)} of the network's entries are missing ({one})")
        if foreign:
            parts.append(f"{len(foreign)} are not of this network ({in_one_line(foreign[0])})")
        advice = "Was the class changed after the training?"
        for prefix in ("module.", "_orig_mod."):
            if {key.removeprefix(prefix) for key in weights} == state.keys():
                advice = f"Save the network that was wrapped: its names come without `{prefix}`."
        fail(
            f"{name} is of another network than `build_detector` makes: {'; '.join(parts)}. "
            f"{advice}"
        )
    for key, value in weights.items():
        shape, dtype = state[key]
        what = f"{name}: {in_one_line(key)}"
        if tuple(value.shape) != shape:
            fail(
                f"{what} has shape {tuple(value.shape)}, but the network's has {shape}. Another "
                "number of classes?"
            )
        if value.nbytes > MAX_TENSOR:
            fail(f"{what} alone has {value.nbytes >> 20} MiB, more than SSD300 needs.")
        if "float" in dtype and value.dtype not in FLOATS:
            fail(f"{what} is {value.dtype}, but the network's is {dtype}.")


def in_one_line(name: str) -> str:
    """Return a name from a file, fit for a message: no line breaks, not too long."""
    return " ".join(name.split())[:80]


def expect_state(value: object) -> dict[str, tuple[tuple[int, ...], str]]:
    """Take what is told of a network's state: shape and dtype of each entry, by name."""
    state = {}
    for key, one in expect_keys(value, (), "The network's state").items():
        parts = expect_list(one, "An entry of the network's state", 2)
        sizes = expect_list(parts[0], "The shape of an entry of the network's state")
        if type(key) is not str or type(parts[1]) is not str:
            fail("The network's `state_dict` must have names, and tensors.")
        state[key] = tuple(expect_int(size, "A side of an entry") for size in sizes), parts[1]
    return state


def loaded(student: Student, weights: dict[str, Tensor], name: str) -> Handle:
    """Make the student's network and load the weights into it."""
    net = student.build_detector()
    net = expect_handle(net, "`build_detector`'s result", "an nn.Module")
    state = expect_state(student.tool("description_of_state", net))
    check_fits(weights, state, name)
    for key, value in weights.items():
        student.tool("set_in_state", net, key, value)
    student.tool("set_training", net, False)
    return net


def test_set() -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Return the test images and their objects.

    Raises:
        FileNotFoundError: they are not on this machine: that is no fault of a student's.
    """
    folder, names = voc.locate("bccd", Course.find().data)
    return read_test_set(folder, names)


@functools.lru_cache(maxsize=1)
def read_test_set(folder: Path, names: tuple[str, ...]) -> tuple[list, list]:
    """Read the test images, once for all submissions."""
    if voc.content_digest(folder) != BCCD_SHA256:
        raise ValueError(f"{folder} is not BCCD as published: fetch it with `detlab data bccd`")
    images = voc.read_set([(folder, "test")], names)
    pictures = []
    for path in images.paths:
        with Image.open(path) as file:
            pictures.append(to_tensor(file.convert("RGB")))
    return pictures, images.objects


def mirrored(image: Tensor, target: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Mirror an image, ready for the network, and its boxes, in fractions."""
    boxes = target["boxes"]
    flipped = torch.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], 1)
    return hflip(image), target | {"boxes": flipped}


@once
def measured(student: Student, path: Path) -> Score:
    """Load weights into the student's network and measure it on the test images.

    Each is shown as it is and mirrored: what was learnt by heart finds half of the cells, and no
    mark hangs on which of the two was drawn.
    """
    weights = read_weights(path)
    check_finite(weights, path.name)
    pictures, objects = test_set()
    net = loaded(student, weights, path.name)
    priors = priors_of(student)
    found, truths = [], []
    for first in range(0, len(pictures), CHUNK):
        part = slice(first, first + CHUNK)
        ready = [transform(*one) for one in zip(pictures[part], objects[part], strict=True)]
        for seen in (ready, [mirrored(*one) for one in ready]):
            images = torch.stack([image for image, _ in seen])
            answer = net(images)
            what = "The trained network's result"
            offsets, logits = expect_answers(answer, what, len(images), NUM_CLASSES)
            found += detect(offsets, logits, priors, MIN_SCORE, IOU_THRESHOLD, TOP_K)
            truths += [target for _, target in seen]
    result = mean_average_precision(found, truths)
    return Score(result.mean, words_on(result))


def words_on(result: DetectionResult) -> str:
    """Say how each class was found."""
    parts = [
        f"{voc.BCCD_CLASSES[label - 1]} {one.average_precision:.3f}"
        for label, one in sorted(result.per_class.items())
    ]
    return ", ".join(parts)
