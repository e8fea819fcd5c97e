"""The scenes: what is in the file, and what the generator behind it does."""

from pathlib import Path

import pytest
import torch

from detcourse.scenes import FILLED, SIDE, make_scene, make_scenes
from detlab import scenes
from detlab.digits import DataError, load_digits
from detlab.scenes import load_scenes


@pytest.mark.parametrize(("part", "count"), [("train", 4000), ("validation", 500)])
def test_each_part_is_what_its_docstring_says(part: str, count: int) -> None:
    images, boxes, labels = load_scenes(part)
    assert (images.shape, images.dtype) == ((count, 1, SIDE, SIDE), torch.float32)
    assert (images.min(), images.max()) == (0, 1)
    assert len(boxes) == len(labels) == count
    every_box, every_label = torch.cat(boxes), torch.cat(labels)
    assert (every_box.dtype, every_label.dtype) == (torch.float32, torch.int64)
    assert every_box.min() >= 0
    assert every_box.max() <= 1
    assert (every_box[:, 2:] > every_box[:, :2]).all()
    assert all(b.shape == (len(c), 4) for b, c in zip(boxes, labels, strict=True))
    # Four regions a scene, of which each is filled or not: five standard deviations.
    spread = (FILLED * (1 - FILLED) / (4 * count)) ** 0.5
    assert abs(len(every_label) / (4 * count) - FILLED) < 5 * spread
    share = every_label.bincount(minlength=11) / len(every_label)
    assert share[0] == 0
    assert ((share[1:] - 0.1).abs() < 5 * (0.09 / len(every_label)) ** 0.5).all()


def test_boxes_hold_the_ink_and_touch_it() -> None:
    """No ink lies outside the boxes, and each side of each box touches some."""
    for image, boxes, _ in zip(*load_scenes("train"), strict=True):
        ink, covered = image[0] > 0, torch.zeros(SIDE, SIDE, dtype=torch.bool)
        for left, top, right, bottom in (boxes * SIDE).round().int().tolist():
            covered[top:bottom, left:right] = True
            part = ink[top:bottom, left:right]
            assert all(side.any() for side in (part[0], part[-1], part[:, 0], part[:, -1]))
        assert not (ink & ~covered).any()


def test_a_seed_makes_the_same_scenes_again() -> None:
    digits, labels = load_digits("validation")
    torch.manual_seed(1)
    first = make_scenes(digits, labels, 5, seed=7)
    torch.manual_seed(2)
    again = make_scenes(digits, labels, 5, seed=7)
    other = make_scenes(digits, labels, 5, seed=8)
    assert torch.equal(first[0], again[0])
    assert all(map(torch.equal, first[1] + first[2], again[1] + again[2]))
    assert not torch.equal(first[0], other[0])


def test_labels_go_with_their_digits() -> None:
    """With one digit to choose from, every object is that digit's class."""
    digits, labels = load_digits("validation")
    rng = torch.Generator().manual_seed(0)
    for n in range(10):
        _, _, classes = make_scene(digits[n : n + 1], labels[n : n + 1], rng)
        assert (classes == labels[n] + 1).all()


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(scenes.SCENES.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "scenes.npz"
    damaged.write_bytes(content)
    monkeypatch.setattr(scenes, "SCENES", damaged)
    with pytest.raises(DataError, match=f"is damaged.*{scenes.SCENES_SHA256}"):
        load_scenes()
    damaged.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        load_scenes()


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(ValueError, match="no part 'test'; known: train, validation"):
        load_scenes("test")
