"""What several checks of week 2 need: images with one digit, and the right answers about them."""

import torch
import torch.nn.functional as F
import torchvision.transforms.functional as TF
from torch import Tensor

from detlab.checking.expect import expect_close, fail
from detlab.checking.student import Handle
from detlab.grid import WindowGrid
from detlab.weeks.week2.assertions import SIDE, cause_outside, expect_output, ink_box

CLASSES = 10


def uniform(rng: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    """Return uniform random numbers in [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=rng)


def randint(rng: torch.Generator, low: int, high: int) -> int:
    """Return a random int from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def random_boxes(rng: torch.Generator, count: int) -> Tensor:
    """Return boxes in 64×64 images: (count, 4) float32, `xyxy` in fractions.

    Their sides, from 5 to 36 pixels, differ. No side and no centre comes nearer than a twentieth of
    a pixel to a whole one, where windows begin and end: there rounding would decide.
    """
    sides = torch.randint(5, 36, (count, 2), generator=rng) + uniform(rng, 0.1, 0.4, count, 2)
    corners = (SIDE - sides) * uniform(rng, 0, 1, count, 2)
    corners = corners.floor() + uniform(rng, 0.1, 0.25, count, 2)
    return torch.cat([corners, corners + sides], 1) / SIDE


def random_grid(rng: torch.Generator) -> WindowGrid:
    """Return windows on 64×64 images."""
    size, stride = randint(rng, 24, 44), randint(rng, 3, 6)
    count = (SIDE - size) // stride + 1
    return WindowGrid(size, stride, (count, count))


def targets_of(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    """Encode boxes, one window after another: (N, 6, rows, columns) float32.

    A window sees the digit if the centre of its box lies in it, or on its left or upper edge.
    """
    rows, columns = grid.count
    targets = torch.zeros(len(boxes), 6, rows, columns)
    pixels = SIDE * boxes
    centres = (pixels[:, :2] + pixels[:, 2:]) / 2
    for i in range(rows):
        for j in range(columns):
            corner = torch.tensor([j, i, j, i]) * float(grid.stride)
            inside = (pixels - corner) / grid.size
            seen = ((centres >= corner[:2]) & (centres < corner[:2] + grid.size)).all(1)
            targets[seen, 0, i, j] = 1
            targets[seen, 1, i, j] = labels[seen].float()
            targets[seen, 2:, i, j] = inside[seen]
    return targets


def terms_of(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Compute the loss's terms as the statement has them, in the dtype of the outputs."""
    positive = (torch.sigmoid(outputs[:, 0]) > 0.5) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="none")
    logs = F.log_softmax(outputs[:, 1:11], 1)
    picked = logs.gather(1, targets[:, 1:2].long())[:, 0]
    squares = (outputs[:, 11:] - targets[:, 2:]).square().mean(1)
    return {
        "detection": detection.sum(),
        "classification": -(picked * positive).sum(),
        "regression": (squares * positive).sum(),
    }


def prediction_of(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """Read labels (N,) and boxes (N, 4) out of outputs, image by image."""
    labels, boxes = [], []
    for output in outputs:
        scores, digits = F.log_softmax(output[1:11], 0).max(0)
        i, j = divmod(int(scores.argmax()), scores.shape[1])
        corner = torch.tensor([j, i, j, i]) * float(grid.stride)
        labels.append(digits[i, j])
        boxes.append((corner + grid.size * output[11:, i, j]) / SIDE)
    return torch.stack(labels), torch.stack(boxes)


def answer(net: Handle, images: Tensor, cell: tuple[int, int]) -> Tensor:
    """Return the 15 outputs of one cell for each image, as float64."""
    output, (i, j) = expect_output(net(images), images), cell
    if i >= output.shape[2] or j >= output.shape[3]:
        fail("The output has fewer cells than `localization_grid` says.")
    return output[:, :, i, j].double()


def corner_cells(grid: WindowGrid) -> list[tuple[int, int]]:
    """Return cells of a grid, four at its rim, whose windows are worth a look."""
    rows, columns = grid.count
    return [(0, 0), (rows - 1, columns - 1), (0, columns // 2), (rows // 2, 0)]


def check_windows(net: Handle, images: Tensor, grid: WindowGrid, rng: torch.Generator) -> None:
    """Check that cells of a network in evaluation mode look at nothing outside their windows."""
    for i, j in corner_cells(grid):
        before = answer(net, images, (i, j))
        outside = uniform(rng, -3, 3, *images.shape)
        top, left = i * grid.stride, j * grid.stride
        window = slice(top, top + grid.size), slice(left, left + grid.size)
        outside[:, :, window[0], window[1]] = images[:, :, window[0], window[1]]
        scale = 1 + float(before.abs().max())
        what = f"Cell ({i}, {j}), when only pixels outside its window change,"
        expect_close(
            answer(net, outside, (i, j)) / scale,
            before / scale,
            what,
            1e-4,
            lambda _, cell=(i, j): cause_outside(net, images, grid, cell),
        )


def place(digits: Tensor, rng: torch.Generator, free: int = 0) -> tuple[Tensor, Tensor]:
    """Turn, scale and place digits at random.

    Args:
        digits: (N, 1, 28, 28) float32 in [0, 1].
        free: pixels at each border that stay without ink.

    Returns:
        (N, 1, 64, 64) uint8 images, and their tight boxes: (N, 4) float32, `xyxy` in fractions.
    """
    images = torch.zeros(len(digits), 1, SIDE, SIDE)
    margin = (SIDE - digits.shape[-1]) // 2
    for image, digit in zip(images, F.pad(digits, [margin] * 4), strict=True):
        angle, scale = float(uniform(rng, -30, 30)), float(uniform(rng, 0.75, 1.25))
        turned = TF.affine(
            digit, angle, [0, 0], scale, [0.0], interpolation=TF.InterpolationMode.BILINEAR
        )
        left, top, right, bottom = ink_box((turned * 255).round())
        height, width = bottom - top, right - left
        y, x = (randint(rng, free, SIDE - side - free) for side in (height, width))
        image[:, y : y + height, x : x + width] = turned[:, top:bottom, left:right]
    images = (255 * images).round().clamp(0, 255).to(torch.uint8)
    boxes = torch.tensor([ink_box(image) for image in images]) / SIDE
    return images, boxes
