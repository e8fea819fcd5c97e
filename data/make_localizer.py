"""Make the answers of a small localizer that week 2's pictures show. Staff run this once.

    uv run python data/make_localizer.py

It trains a network of its own, of 40-pixel windows 4 pixels apart, on as many images as task 2.9
does, some minutes' work, and writes the file that `detlab.localizer` reads. It prints
the checksum that this and `data/README.md` must hold. Another version of torch may make other
numbers.
"""

import hashlib

import numpy as np
import torch
import torchvision.transforms.functional as TF
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from detcourse.week2.scenes import place, prediction_of, targets_of, terms_of
from detlab.digits import load_digits
from detlab.grid import WindowGrid
from detlab.half import has_fast_half
from detlab.localizer import LOCALIZER
from detlab.metrics import label_accuracy, mean_iou

GRID = WindowGrid(40, 4, (7, 7))
COPIES, EPOCHS, BATCH_SIZE, SHOWN = 8, 4, 64, 24
SNAPSHOTS = (50, 2000)  # steps after which the answers are kept
SEED = 2
ANGLE, SCALE, CORNER = 25.0, 1.2, (22, 7)  # of the digit that is shown being made


class Localizer(nn.Module):
    """Two branches, what and where, on one stem; both look at windows of `GRID`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*block(1, 16, 6, 2), *block(16, 32, 3), nn.MaxPool2d(2))
        self.what = nn.Sequential(
            *block(32, 48, 3), *block(48, 64, 3), *block(64, 96, 4), nn.Conv2d(96, 11, 1)
        )
        self.where = nn.Sequential(*block(32, 48, 5), *block(48, 96, 4), nn.Conv2d(96, 4, 1))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, 1, 64, 64) to (N, 15, 7, 7)."""
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_half() and self.training):
            features = self.stem(images.contiguous(memory_format=torch.channels_last))
            return torch.cat([self.what(features), self.where(features)], 1).float()


def block(channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Return a convolution, its normalisation and a ReLU."""
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, bias=False)
    return [conv, nn.BatchNorm2d(channels_out), nn.ReLU()]


def main() -> None:
    """Train, and write what was learned and answered on the way."""
    rng = torch.Generator().manual_seed(SEED)
    torch.manual_seed(SEED)
    digits, labels = load_digits("train")
    images, boxes = place(digits.repeat(COPIES, 1, 1, 1), rng)
    targets = targets_of(boxes, labels.repeat(COPIES), GRID)
    loader = DataLoader(TensorDataset(images, targets), BATCH_SIZE, shuffle=True, drop_last=True)
    unseen, true_labels = load_digits("validation")
    tests, true_boxes = place(unseen, rng)

    net = Localizer()
    steps = EPOCHS * len(loader)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    history, told = [], []
    for _ in range(EPOCHS):
        for batch, wanted in loader:
            net.train()
            answers = net(batch.float() / 255)
            terms = terms_of(answers, wanted)
            optimizer.zero_grad()
            (sum(terms.values()) / len(batch)).backward()
            optimizer.step()
            schedule.step()
            numbers = (*terms.values(), found_in(answers, wanted).sum())
            history.append([one.item() / len(batch) for one in numbers])
            if len(history) in SNAPSHOTS:
                told.append(tell(net, tests, true_boxes, true_labels))
    measures = told[-1].pop("measures")
    arrays = {
        **stages(unseen[true_labels == 7][0]),
        **{name: torch.stack([one[name] for one in told]) for name in told[-1]},
        "images": tests[:SHOWN],
        "boxes": (64 * true_boxes[:SHOWN]).round().to(torch.uint8),
        "labels": true_labels[:SHOWN].to(torch.uint8),
        "targets": targets_of(true_boxes[:SHOWN], true_labels[:SHOWN], GRID),
        "history": torch.tensor(history),
        "positives": targets[:, 0].sum((1, 2)).mean(),
        "steps": torch.tensor(SNAPSHOTS),
        "measures": measures,
        "grid": torch.tensor([GRID.size, GRID.stride, *GRID.count]),
    }
    np.savez_compressed(LOCALIZER, **{name: one.numpy() for name, one in arrays.items()})
    print(hashlib.sha256(LOCALIZER.read_bytes()).hexdigest(), LOCALIZER)


def found_in(outputs: Tensor, targets: Tensor) -> Tensor:
    """Say in which windows a digit is there and was found: (N, rows, columns) bool."""
    return (outputs[:, 0] > 0) & (targets[:, 0] == 1)


@torch.no_grad()
def tell(net: nn.Module, images: Tensor, boxes: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Measure a network, and tell what it says of the first images.

    Args:
        images: (N, 1, 64, 64) uint8.
        boxes: (N, 4) float32, fractions.
        labels: (N,) int64.

    Returns:
        The columns of the file (see `data/README.md`) that depend on the snapshot.
    """
    net.eval()
    outputs = torch.cat([net(some.float() / 255) for some in images.split(100)])
    found_labels, found_boxes = prediction_of(outputs, GRID)
    measures = label_accuracy(found_labels, labels), mean_iou(found_boxes, boxes)
    print(f"accuracy {measures[0]:.3f}, mean IoU {measures[1]:.3f}", flush=True)
    outputs, boxes, labels = outputs[:SHOWN], boxes[:SHOWN], labels[:SHOWN]
    targets = targets_of(boxes, labels, GRID)
    scores, digits = outputs[:, 1:11].log_softmax(1).max(1)
    pairs = zip(outputs.split(1), targets.split(1), strict=True)
    terms = [[*terms_of(*pair).values()] for pair in pairs]
    return {
        "measures": torch.tensor(measures),
        "p": outputs[:, 0].sigmoid(),
        "found": found_in(outputs, targets),
        "scores": scores,
        "digits": digits.to(torch.uint8),
        "window_boxes": outputs[:, 11:].half(),
        "predicted": found_labels[:SHOWN].to(torch.uint8),
        "predicted_boxes": found_boxes[:SHOWN],
        "terms": torch.tensor(terms),
    }


def stages(digit: Tensor) -> dict[str, Tensor]:
    """Return one digit on its way to a canvas: as it is, turned, scaled, placed; all uint8."""
    patch = TF.pad(digit, [18])
    size, bilinear = [0, 0], TF.InterpolationMode.BILINEAR
    turned = TF.affine(patch, ANGLE, size, 1.0, [0.0], bilinear)
    scaled = TF.affine(patch, ANGLE, size, SCALE, [0.0], bilinear)
    rows, columns = (scaled[0] > 0).any(1).nonzero(), (scaled[0] > 0).any(0).nonzero()
    ink = scaled[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    placed, (left, top) = torch.zeros(1, 64, 64), CORNER
    placed[:, top : top + ink.shape[1], left : left + ink.shape[2]] = ink
    corner = torch.tensor([left, top, left + ink.shape[2], top + ink.shape[1]])
    return {
        "stages": (255 * torch.stack([patch, turned, scaled, placed])).round().to(torch.uint8),
        "turn": torch.tensor([ANGLE, SCALE]),
        "placed_box": corner.to(torch.uint8),
    }


if __name__ == "__main__":
    main()
