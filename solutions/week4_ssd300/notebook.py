# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Week 4 · The real thing: SSD300
#
# Last week's detector was small enough to train in half a minute. This week you build the network
# of the paper (Liu et al., [*SSD: Single Shot MultiBox
# Detector*](https://arxiv.org/abs/1512.02325), 2016) at its full size: VGG-16 as its base, six
# feature maps, 8,732 priors, the data pipeline with its random crops, and the evaluation of Pascal
# VOC. In the end you train it on blood cells, and hand in the weights.
#
# **In the end you can** build SSD300 as published, from annotations to mean average precision;
# carry trained weights over from one architecture to another; and train a detector on photographs,
# with a schedule, checkpoints and augmentation.
#
# **You need** week 3's ideas (you may bring your code of it along, but need not), and patience, or
# a GPU, for one training of an hour or more, whose weights you hand in.
#
# | task | | points | minutes |
# | --- | --- | --: | --: |
# | 4.1 | Annotations | 6 | 25 |
# | 4.2 | Transforms | 14 | 90 |
# | 4.3 | The base | 12 | 75 |
# | 4.4 | Auxiliary convolutions | 6 | 20 |
# | 4.5 | Prediction convolutions | 8 | 45 |
# | 4.6 | Rescaling, and the whole network | 5 | 25 |
# | 4.7 | The 8,732 priors | 8 | 40 |
# | 4.8 | Loss and detection at full size | 10 | 60 |
# | 4.9 | Optimizer, schedule, checkpoints | 6 | 40 |
# | 4.10 | Two images by heart | 8 | 40 |
# | 4.11 | Evaluation as Pascal VOC does it | 7 | 75 |
# | 4.12 | Trained on blood cells | 10 | 60 |
#
# The minutes are an estimate for those who did week 3: reading, writing and one round of mistakes,
# ten hours in all. Those of 4.12 are yours; the machine needs an hour or more besides.

# %% [markdown]
# **How it works.** Replace each `raise NotImplementedError` by your code and leave signatures and
# cell names as they are. The check cell below a task answers within seconds, on public inputs; the
# grader asks with others, so pass the checks for the right reasons. In a shell, `detlab check`
# with the notebook's name runs all checks from the top, in a fresh process; add `--submission`
# before you hand in. The pictures before a task need nothing of yours: look at them first. At the
# end of the notebook stand questions that come up often, with answers.
#
# **What the grader takes.** Your answer cells, and of code cells that you add the definitions:
# functions, classes, imports, plain constants. It runs the setup cell as it was handed out. It
# takes no outputs, no other cells, and of other files only `week4_ssd300.safetensors` beside the
# notebook. Do not delete, copy or split answer cells, and keep lines for Jupyter (`%…`, `!…`) out
# of them. Tasks do not drag each other down: where a task needs an earlier one, the grader hands
# in a right one. Only task 4.10, which trains your own network, rests on your own answers.
#
# **Limits.** One core of a CPU, no network, no files to write. A task has 10 seconds of processor
# time and 2 GB of memory on top of what the libraries take; tasks with the network at its full
# size have up to a minute, and 4.10 seven minutes.
#
# **Conventions.** Images are float32, (3, H, W) or (N, 3, H, W), RGB from 0 to 1 until they are
# normalised. Boxes are `xyxy`, `(x_min, y_min, x_max, y_max)`, or `cxcywh`, `(c_x, c_y, w, h)`: in
# pixels up to task 4.2, in fractions of the image's sides from its `transform` on. Class 0 is the
# background; `num_classes` counts it. Functions leave their arguments as they are. All chance comes
# from the generator that a function is given. An image may hold no object at all: then its boxes
# have shape (0, 4) and its labels (0,), and nothing may fail. Convolutions are `nn.Conv2d`, with
# biases.
#
# **What you may use.** Torch, numpy, Python's own modules, and of torchvision `transforms` and
# `ops`: you have written IoU and suppression yourself by now. Not `torchvision.models`, which has
# this network ready-made, nor other parts of `detlab`: the names `models` and `detlab` must not
# appear in answer cells, nor may your answers run their code.

# %% nbgrader={"grade_id": "install"}
def install_detlab() -> None:
    """Say whether the package of the checks is here; on Colab install it, elsewhere say how."""
    import importlib.util
    import subprocess
    import sys
    import zipfile
    from pathlib import Path

    if importlib.util.find_spec("detlab"):
        print("detlab is here: go on.")
    elif "google.colab" not in sys.modules:
        print("No detlab in this Python: choose the kernel of .venv, or see README.md.")
    else:
        from google.colab import files

        print("Choose the zip of your repository (on GitHub: Code, then Download ZIP).")
        for name in filter(zipfile.is_zipfile, files.upload()):
            zipfile.ZipFile(name).extractall()
        found = next(Path().glob("*/shared/pyproject.toml"), None)
        if found is None:
            print("The package is in none of these: run this cell again, and choose that zip.")
            return
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, found.parent], check=True)
        print("detlab is installed: go on.")


install_detlab()

# %% nbgrader={"grade_id": "setup"}
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Any, BinaryIO
from xml.etree import ElementTree

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from torchvision import ops
from torchvision.transforms import functional as TF
from tqdm import tqdm

from detlab.half import has_fast_half
from detlab.weeks import check

torch.manual_seed(0)

SIDE = 300  # of the images that the network sees, pixels
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

HALF = has_fast_half()  # whether this machine learns faster in half precision (bfloat16)

FEATURE_SIZES = (38, 19, 10, 5, 3, 1)  # cells along a side of the six feature maps
CHANNELS = (512, 1024, 512, 256, 256, 256)  # of the six feature maps
SCALES = (0.1, 0.2, 0.375, 0.55, 0.725, 0.9)  # of their priors, fractions of the image
FEW, MANY = (1.0, 2.0, 1 / 2), (1.0, 2.0, 1 / 2, 3.0, 1 / 3)
RATIOS = (FEW, MANY, MANY, MANY, FEW, FEW)  # width / height


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Draw a number from [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def whole(most: int, generator: torch.Generator) -> int:
    """Draw a whole number from 0 to `most`, both included."""
    return int(torch.randint(most + 1, (), generator=generator))


def give_fresh_weights(module: nn.Module) -> None:
    """Initialise all convolutions of a module: weights Xavier uniform, biases zero."""
    for layer in (part for part in module.modules() if isinstance(part, nn.Conv2d)):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


# %% [markdown]
# The whole notebook runs on a small set of scenes that comes with the course: digits in colour, in
# Pascal VOC's format. As it stands, the trainings below stop after a few steps, so that you can run
# everything in ten minutes. To work with blood cells (`detlab data bccd` fetches them, into a
# folder `data` where you run it) and to train in earnest, which takes an hour or more on two cores,
# add a cell below the next one, with `DATA = "bccd"` and `FULL = True`.

# %%
DATA = "digits"  # or "bccd"
FULL = False

# %%
from PIL import Image

from detlab import augmentation_plots, cell_plots, ssd300_plots, suppression_plots
from detlab.detection_plots import (
    annotate,
    draw_cases,
    draw_curves,
    draw_history,
    draw_matches,
    draw_priors,
)
from detlab.metrics import mean_average_precision
from detlab.picture import Described
from detlab.sets import voc

folder, names = voc.locate(DATA)
print(f"{folder.name}: {', '.join(names)}")

# %% [markdown]
# ## The whole network in one picture
#
# An image runs through the **base**, a VGG-16 that is cut and mended (task 4.3), and on through
# four **auxiliary** blocks (4.4). On the way it shrinks from 300×300 places to a single one. Six of
# the maps are kept, those with a thick outline: a fine one sees small objects, a coarse one large
# ones. Over every cell of the six stand some **priors**, boxes of fixed size and shape (4.7), and
# for each prior two small convolutions answer (4.5): by how much is the object's box not this
# prior, and of which class is it?

# %%
ssd300_plots.draw_ssd300(FEATURE_SIZES, RATIOS)

# %% [markdown]
# The number of priors is a sum of six products: priors in a cell times cells. Two thirds of them
# stand on the finest map. The last column says which rows of the network's answer belong to which
# map; a program that gets only this order wrong has the right shapes everywhere, and learns
# nothing.

# %%
print(ssd300_plots.table_of_maps(FEATURE_SIZES, SCALES, RATIOS))

# %% [markdown]
# ## Before task 4.1: what an annotation says
#
# The files are laid out as those of the
# [Pascal VOC challenges](http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html):
# an image, and beside it a text that names each object and the first and the last pixel of its box,
# both of them inside, counted from 1. Here is how such a file begins, and the scene that it belongs
# to, with the numbers of the first box at its corners.

# %%
print((voc.DIGITS / "Annotations" / f"{augmentation_plots.STEM}.xml").read_text()[:700])
augmentation_plots.draw_scene()

# %% [markdown]
# **A pixel is a square, not a point.** Pixel n of a row, counted from 1, lies between two edges,
# and counted from 0 these are n − 1 and n. So a box from pixel `xmin` to pixel `xmax` reaches from
# the left edge of the one, `xmin` − 1, to the right edge of the other, `xmax`: it is as wide as it
# has pixels. If you take 1 from both, you lose a pixel of each width and height, a tenth of one
# that has ten.
#
# In this course boxes are their edges. Then a width is a difference, a box may be resized or lie
# between pixels, and a mirror maps edges to edges: x becomes W − x, and no pixel is lost.

# %%
augmentation_plots.draw_pixels()

# %% [markdown]
# ## Task 4.1 · Annotations (6 points)
#
# Pascal VOC keeps an XML file for each image. The objects are `<object>` elements directly under
# the root; each has a `<name>`, perhaps a `<difficult>` (0 or 1; without one it is 0) and a
# `<bndbox>` with `<xmin>`, `<ymin>`, `<xmax>` and `<ymax>`, in any order, sometimes with decimals.
# An object may hold `<part>` elements with names and boxes of their own (a person's head and
# hands): they are not objects.
#
# - `make_label_map` numbers the names from 1, in their order; `"background"` is 0.
# - `parse_annotation` returns the objects in the file's order. VOC names the first and the last
#   pixel, counted from 1; the box is its edges, counted from 0: 1 is subtracted from **the minima
#   only**. Blanks around a name do not count. An object whose box has no area (width or height not
#   positive) is left out, while one whose `xmin` and `xmax` are the same is a pixel wide, and
#   stays. A name that is not in the map is a `ValueError` that says which.


# %% nbgrader={"grade_id": "task_4_1", "solution": true}
def make_label_map(names: Sequence[str]) -> dict[str, int]:
    """Number the classes: "background" is 0, the names follow from 1."""
    ### BEGIN SOLUTION
    return {"background": 0} | {name: n for n, name in enumerate(names, 1)}
    ### END SOLUTION


def parse_annotation(xml: str, label_map: Mapping[str, int]) -> dict[str, Tensor]:
    """Read the objects of one annotation file.

    Args:
        xml: the file's text.
        label_map: the number of each name.

    Returns:
        "boxes": (n, 4) float32, `xyxy`, edges in pixels from 0; "labels": (n,) int64;
        "difficult": (n,) bool.

    Raises:
        ValueError: an object's name is not in the map.
    """
    ### BEGIN SOLUTION
    boxes, labels, difficult = [], [], []
    for element in ElementTree.fromstring(xml).findall("object"):
        name = (element.findtext("name") or "").strip()
        if name not in label_map:
            raise ValueError(f"there is no class {name!r}")
        left, top, right, bottom = (
            float(element.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")
        )
        # From the first pixel's outer edge to the last one's.
        box = [left - 1, top - 1, right, bottom]
        if box[2] > box[0] and box[3] > box[1]:
            boxes.append(box)
            labels.append(label_map[name])
            difficult.append(int(element.findtext("difficult") or 0) == 1)
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "difficult": torch.tensor(difficult, dtype=torch.bool),
    }
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_1", "points": 6}
check("4.1")

# %%
label_map = make_label_map(names)
stems = voc.read_split(folder, "train")


def load(stem: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Read an image, (3, H, W) float32 from 0 to 1, and its objects."""
    image = TF.to_tensor(Image.open(folder / "JPEGImages" / f"{stem}.jpg").convert("RGB"))
    return image, parse_annotation((folder / "Annotations" / f"{stem}.xml").read_text(), label_map)


examples = [load(stem) for stem in stems[:8]]
Described(
    draw_cases(dict(zip(stems[:3], examples[:3], strict=True)), names),
    "The first three images of the set with the boxes and names that your function has read.",
)

# %% [markdown]
# ## Before task 4.2: why change the images at all?
#
# The network has 24 million weights, and blood cells come in 292 images. Shown the same pixels a
# hundred times, it learns the pixels. So it never sees the same image twice: each time the colours
# are a little different, the objects smaller or larger, elsewhere, cut off or mirrored, and the
# boxes follow. In the paper nothing else that was tried gave as much:
# [table 2](https://arxiv.org/abs/1512.02325) has an mAP of 65.5 on VOC 2007 with mirroring alone,
# and 74.3 with colours and crops as well; zooming out, which makes small objects, brought it to
# 77.2.
#
# **Colours.** Light and stain differ from image to image, and mean nothing. These are the ends of
# the four ranges; the boxes stay.

# %%
augmentation_plots.draw_distortions()

# %% [markdown]
# **Zooming out** puts the image on a canvas of up to four times its sides. Resized to 300×300
# again, it holds objects that only the finest map can meet, and their boxes move by as much as the
# image's corner did.

# %%
augmentation_plots.draw_zoom_out()

# %% [markdown]
# **Cropping** makes objects large and cuts some off, as the edge of a photograph does. A crop taken
# blindly would hold no object, or slivers of some; so most tries are refused. Six of them, at
# places chosen by hand, with what the rule of the task says to each. A circle marks the centre of
# an object that is kept (tinted is what the crop keeps of it), a cross that of any other. The last
# try shows that the IoU is taken **with the crop**: the whole digit is inside, and still it is not
# enough for 0.9.

# %%
augmentation_plots.draw_tries()

# %% [markdown]
# **Mirroring** exchanges the edges of a box. Which of them is `x_min` afterwards?

# %%
augmentation_plots.draw_flip()

# %% [markdown]
# ## Task 4.2 · Transforms (14 points)
#
# A few hundred images are few. Before each use an image is changed at random, and its boxes with
# it. A target is a dict as `parse_annotation` returns it.
#
# - `distort` changes brightness, contrast and saturation, each by a factor drawn from [0.5, 1.5],
#   and the hue, by a shift drawn from [−18/255, 18/255] of the colour circle: all four uniform,
#   **each with probability ½, in a random order** (all 24 equally likely). Torchvision's `adjust_…`
#   do the work.
# - `zoom_out` draws a scale from [1, 4], uniform, and puts the H×W image on a canvas of
#   ⌊scale·H⌋×⌊scale·W⌋ pixels, at a place drawn uniformly (whole pixels). The rest has the colour
#   of the ImageNet mean.
# - `random_crop` leaves an image without objects as it is. For any other it goes like this:
#
#   1. Draw a **least overlap** from 0, 0.1, 0.3, 0.5, 0.7, 0.9 and "no crop", all equally likely.
#      "No crop" ends it, with everything as it was.
#   2. Make **up to 50 tries** at a crop. A try has three hurdles; at the first that it does not
#      take, it is over, and the next one begins:
#      - draw height and width, each from [0.3, 1] of the image's (uniform, then rounded down to
#        pixels): their ratio, height / width, must be between ½ and 2;
#      - draw the place uniformly (whole pixels, inside the image): some box must have at least the
#        least overlap as its IoU **with the crop**;
#      - keep the objects whose **centre** lies inside: there must be one.
#   3. The first try that takes all three is the **result**: the kept boxes are clipped to the crop
#      and counted from its corner, and that is it.
#   4. After 50 tries without one, go back to 1 and draw another least overlap.
#
#   (What lies exactly on an edge, or has a ratio of exactly ½ or 2, may go either way.)
# - `flip` mirrors left and right: x becomes W − x.
# - `transform` puts them together for training: `distort`; `zoom_out` with probability ½;
#   `random_crop`; `flip` with probability ½. Without a generator, for evaluation, it does none of
#   these. Then, always: boxes become fractions, the image is resized to 300×300 (bilinear, with or
#   without antialiasing), and normalised: minus the ImageNet mean, divided by the ImageNet standard
#   deviation, channel by channel.


# %% nbgrader={"grade_id": "task_4_2", "solution": true}
def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    """Change an image's colours at random: (3, H, W) float32 in [0, 1], and so is the result."""
    ### BEGIN SOLUTION
    adjustments = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    for n in torch.randperm(4, generator=generator).tolist():
        adjust, low, high = adjustments[n]
        if uniform(0, 1, generator) < 0.5:
            image = adjust(image, uniform(low, high, generator))
    return image
    ### END SOLUTION


def zoom_out(image: Tensor, boxes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Put an image on a larger canvas.

    Args:
        image: (3, H, W) float32 in [0, 1].
        boxes: (n, 4) float32, `xyxy` in pixels.
        generator: the only source of chance.

    Returns:
        image: (3, ⌊scale·H⌋, ⌊scale·W⌋) float32.
        boxes: (n, 4) float32, `xyxy` in pixels of the canvas.
    """
    ### BEGIN SOLUTION
    height, width = image.shape[1:]
    scale = uniform(1, 4, generator)
    tall, wide = int(scale * height), int(scale * width)
    top, left = whole(tall - height, generator), whole(wide - width, generator)
    canvas = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes + torch.tensor([left, top, left, top])
    ### END SOLUTION


def random_crop(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cut a piece out of an image, with the objects whose centres lie in it.

    Args:
        image: (3, H, W) float32.
        target: "boxes" (n, 4) float32, `xyxy` in pixels, "labels" (n,), "difficult" (n,).
        generator: the only source of chance.

    Returns:
        The piece, and the objects in it, boxes in its own pixels.
    """
    ### BEGIN SOLUTION
    height, width = image.shape[1:]
    boxes = target["boxes"]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    while len(boxes):
        least = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, None)[whole(6, generator)]
        if least is None:
            break
        for _ in range(50):
            tall = int(uniform(0.3, 1, generator) * height)
            wide = int(uniform(0.3, 1, generator) * width)
            if not 0.5 < tall / wide < 2:
                continue
            top, left = whole(height - tall, generator), whole(width - wide, generator)
            crop = torch.tensor([left, top, left + wide, top + tall], dtype=torch.float32)
            if ops.box_iou(crop[None], boxes).max() < least:
                continue
            inside = ((centres > crop[:2]) & (centres < crop[2:])).all(1)
            if not inside.any():
                continue
            kept = {name: values[inside] for name, values in target.items()}
            kept["boxes"] = ops.clip_boxes_to_image(
                kept["boxes"] - crop[[0, 1, 0, 1]], (tall, wide)
            )
            return image[:, top : top + tall, left : left + wide], kept
    return image, dict(target)
    ### END SOLUTION


def flip(image: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror an image (3, H, W) left and right, and its boxes (n, 4), `xyxy` in pixels."""
    ### BEGIN SOLUTION
    width = image.shape[2]
    x_min, y_min, x_max, y_max = boxes.unbind(1)
    return image.flip(2), torch.stack([width - x_max, y_min, width - x_min, y_max], 1)
    ### END SOLUTION


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Make an image ready for the network.

    Args:
        image: (3, H, W) float32 in [0, 1].
        target: "boxes" (n, 4) float32, `xyxy` in pixels, "labels" (n,), "difficult" (n,).
        generator: the only source of chance; None for evaluation.

    Returns:
        (3, 300, 300) float32, normalised; and the target, boxes in fractions.
    """
    ### BEGIN SOLUTION
    target = dict(target)
    if generator is not None:
        image = distort(image, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, target = random_crop(image, target, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
    height, width = image.shape[1:]
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_2", "points": 14}
check("4.2")

# %% [markdown]
# Each step by itself, on one image. Do the boxes still hold their objects?

# %%
generator = torch.Generator().manual_seed(1)
image, target = examples[2]
steps = {"as it was": (image, target), "distorted": (distort(image, generator), target)}
wider, moved = zoom_out(image, target["boxes"], generator)
steps["zoomed out"] = wider, target | {"boxes": moved}
for n in (1, 2):
    steps[f"cropped {n}"] = random_crop(image, target, generator)
mirrored, moved = flip(image, target["boxes"])
steps["flipped"] = mirrored, target | {"boxes": moved}
Described(
    draw_cases(steps, names),
    "One image as it was, distorted, zoomed out, cropped twice and flipped, by your functions.",
)

# %% [markdown]
# And all of them together, six times, as the network gets to see it (normalisation undone):

# %%
Described(
    draw_cases({f"{n}": transform(image, target, generator) for n in range(1, 7)}, names),
    "The same image six times as your transform hands it on for training, each time different.",
)

# %% [markdown]
# ## Before task 4.3: a base that has seen a million photographs
#
# Edges, textures, parts of things: what a network needs first is the same in every photograph, and
# a few hundred images are too few to find it. So SSD begins with the weights of a network that
# learned to name the objects of ImageNet, the [VGG-16](https://arxiv.org/abs/1409.1556) of Simonyan
# and Zisserman
# ([torchvision](https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg16.html)
# has them), and learns detection on top. Of the 24.0 million weights that find blood cells, 20.5
# million come from there; the 3.5 million that are new stand at the end of the network.

# %%
ssd300_plots.draw_inheritance()

# %% [markdown]
# **Decimation.** The classifier's first fully connected layer, fc6, sees a map of 7×7 places with
# 512 channels and gives 4,096 numbers. Week 1 has shown that this *is* a convolution with a kernel
# of 7×7. But it has 103 million weights, and would have to run at each of 19×19 places. So only
# some of it is kept, at equal distances: that is decimation. Of 7×7 places the 3×3 in every third
# row and column, of the 4,096 outputs every fourth. The next layer, fc7, reads these outputs; three
# of four are gone, and with them the columns that would have read them. Of fc6's 102.8 million
# weights conv6 keeps 4.7, a coarse copy from which the detector learns on. The paper does so, too,
# and found the whole of VGG-16 about as good, and a fifth slower (section 3.2, "atrous is faster").

# %%
ssd300_plots.draw_decimation()

# %% [markdown]
# **Dilation.** The nine weights that were kept had learned to look at places far apart: three steps
# of fc6, which are 3·32 = 96 pixels, since VGG-16 has halved the image five times by then. In
# SSD300 pool5 no longer halves, so a step is 16 pixels only. Side by side the nine would look at a
# patch of 48 pixels, and find nothing there that they know. Six steps apart they are where they
# were: 6·16 = 96. Hence the dilation of 6: a factor of 3 for the decimation, and one of 2 for the
# pooling that does not halve. So the map stays fine, and the view wide. All of it comes from
# [DeepLab](https://arxiv.org/abs/1412.7062), which labels every pixel and could not do with a
# coarse map; [`Conv2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html) has
# the holes built in.

# %%
ssd300_plots.draw_dilation(augmentation_plots.scene()[0])

# %% [markdown]
# ## Task 4.3 · The base (12 points)
#
# VGG-16 has thirteen 3×3 convolutions with padding 1, each with a ReLU, in five blocks, each with a
# pooling after it: 64, 64, pool1; 128, 128, pool2; 256 ×3, pool3; 512 ×3, pool4; 512 ×3, pool5. For
# detection some of it changes:
#
# - pool1, pool2, pool3 and pool4 halve (2×2, stride 2); pool3 **rounds up** (`ceil_mode`), so that
#   75 becomes 38;
# - pool5 is 3×3 with stride 1 and padding 1: it keeps the size;
# - the first fully connected layer becomes conv6, 3×3, 1,024 channels, with **dilation 6** and
#   padding 6, and the second conv7, 1×1, 1,024 channels; both with a ReLU. The third layer goes.
#
# `VGGBase` returns the maps after the ReLUs of conv4_3 (38×38) and conv7 (19×19). It takes images
# of any size from 64×64 on. Fresh weights: Xavier uniform, zero biases.
#
# `load_vgg16` takes a `state_dict` of torchvision's VGG-16 (`features.0.weight`, …,
# `features.28.bias`, `classifier.0.…`, `classifier.3.…`; other entries are of no use). The two
# fully connected layers are reshaped into convolutions and **decimated**, always beginning with the
# first:
#
# | | reshaped to | outputs kept | inputs kept | places kept |
# | --- | --- | --- | --- | --- |
# | `classifier.0`: conv6 | (4096, 512, 7, 7) | every fourth | all | every third, both directions |
# | `classifier.3`: conv7 | (4096, 4096, 1, 1) | every fourth | those that conv6 gives | the one |
#
# Where the `classifier` is not in the file, conv6 and conv7 keep the weights that they have.


# %% nbgrader={"grade_id": "task_4_3", "solution": true}
def decimate(values: Tensor, steps: Sequence[int | None]) -> Tensor:
    """Keep every m-th value along each dimension, from the first.

    Args:
        values: of any shape.
        steps: m for each dimension; None keeps all.

    Returns:
        The values kept.
    """
    ### BEGIN SOLUTION
    return values[tuple(slice(None, None, step) for step in steps)]
    ### END SOLUTION


class VGGBase(nn.Module):
    """VGG-16 as the base of a detector."""

    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        layers: list[nn.Module] = []
        channels = 3
        for block, (width, count) in enumerate(
            [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1
        ):
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            if block == 4:
                split = len(layers)
            halving = nn.MaxPool2d(2, 2, ceil_mode=block == 3)
            layers.append(halving if block < 5 else nn.MaxPool2d(3, 1, 1))
        self.to_conv4_3 = nn.Sequential(*layers[:split])
        self.to_pool5 = nn.Sequential(*layers[split:])
        self.conv6 = nn.Conv2d(512, 1024, 3, padding=6, dilation=6)
        self.conv7 = nn.Conv2d(1024, 1024, 1)
        give_fresh_weights(self)
        ### END SOLUTION

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, 3, H, W) to conv4_3 (N, 512, …) and conv7 (N, 1024, …)."""
        ### BEGIN SOLUTION
        conv4_3 = self.to_conv4_3(images)
        conv6 = F.relu(self.conv6(self.to_pool5(conv4_3)))
        return conv4_3, F.relu(self.conv7(conv6))
        ### END SOLUTION


def load_vgg16(base: VGGBase, state: Mapping[str, Tensor]) -> None:
    """Give a base the weights of a VGG-16 classifier, in place.

    Args:
        base: what `VGGBase` makes.
        state: torchvision's names and tensors.
    """
    ### BEGIN SOLUTION
    convolutions = [m for m in base.modules() if isinstance(m, nn.Conv2d)][:13]
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    with torch.no_grad():
        for layer, number in zip(convolutions, numbers, strict=True):
            layer.weight.copy_(state[f"features.{number}.weight"])
            layer.bias.copy_(state[f"features.{number}.bias"])
        if "classifier.0.weight" in state:
            fc6 = state["classifier.0.weight"].view(4096, 512, 7, 7)
            fc7 = state["classifier.3.weight"].view(4096, 4096, 1, 1)
            base.conv6.weight.copy_(decimate(fc6, (4, None, 3, 3)))
            base.conv6.bias.copy_(decimate(state["classifier.0.bias"], (4,)))
            base.conv7.weight.copy_(decimate(fc7, (4, 4, None, None)))
            base.conv7.bias.copy_(decimate(state["classifier.3.bias"], (4,)))
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_3", "points": 12}
check("4.3")

# %% [markdown]
# ## Task 4.4 · Auxiliary convolutions (6 points)
#
# Four more maps for larger objects, each from a 1×1 convolution that narrows the channels and a 3×3
# one that shrinks the map, all with ReLU. Fresh weights: Xavier uniform, zero biases.
#
# | | 1×1 | 3×3 | stride | padding | size |
# | --- | --- | --- | --- | --- | --- |
# | conv8 | 256 | 512 | 2 | 1 | 10 |
# | conv9 | 128 | 256 | 2 | 1 | 5 |
# | conv10 | 128 | 256 | 1 | 0 | 3 |
# | conv11 | 128 | 256 | 1 | 0 | 1 |


# %% nbgrader={"grade_id": "task_4_4", "solution": true}
class AuxiliaryConvolutions(nn.Module):
    """The four maps after conv7."""

    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        rows = [(1024, 256, 512, 2, 1), (512, 128, 256, 2, 1)] + 2 * [(256, 128, 256, 1, 0)]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *(nn.Conv2d(channels, narrow, 1), nn.ReLU(inplace=True)),
                *(nn.Conv2d(narrow, wide, 3, stride, padding), nn.ReLU(inplace=True)),
            )
            for channels, narrow, wide, stride, padding in rows
        )
        give_fresh_weights(self)
        ### END SOLUTION

    def forward(self, conv7: Tensor) -> list[Tensor]:
        """Map (N, 1024, 19, 19) to conv8_2, conv9_2, conv10_2 and conv11_2."""
        ### BEGIN SOLUTION
        maps = [conv7]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps[1:]
        ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_4", "points": 6}
check("4.4")

# %% [markdown]
# ## Before task 4.5: from channels to rows
#
# A convolution answers with channels, the loss wants a row for each prior. Take one cell of
# conv9_2: its six priors need four offsets each, and these 24 numbers lie on top of each other, as
# its channels. As rows they follow each other, and after them come those of the next cell. In
# memory a map lies the other way round, a whole channel after the other, and a program that only
# changes the shape hands each cell the numbers of others.

# %%
ssd300_plots.draw_answers_of_a_cell(FEATURE_SIZES, RATIOS)

# %% [markdown]
# ## Task 4.5 · Prediction convolutions (8 points)
#
# Two 3×3 convolutions with padding 1 for each of the six maps: one for the offsets, one for the
# logits. A map with k priors in a cell (the ratios of its list, and one more) gets 4·k and
# `num_classes`·k channels: first the numbers of the cell's first prior, then those of its second,
# and so on. The results are flattened, **cell by cell in rows**, and the maps follow each other, so
# that row p of the result belongs to prior p of task 4.7. Fresh weights: Xavier uniform, zero
# biases.


# %% nbgrader={"grade_id": "task_4_5", "solution": true}
class PredictionConvolutions(nn.Module):
    """Offsets and logits for every prior."""

    def __init__(self, num_classes: int) -> None:
        """Make twelve convolutions, for maps of CHANNELS and priors of RATIOS."""
        super().__init__()
        ### BEGIN SOLUTION
        self.num_classes = num_classes
        sizes = [(c, len(ratios) + 1) for c, ratios in zip(CHANNELS, RATIOS, strict=True)]
        self.offsets = nn.ModuleList(nn.Conv2d(c, 4 * k, 3, padding=1) for c, k in sizes)
        self.logits = nn.ModuleList(nn.Conv2d(c, num_classes * k, 3, padding=1) for c, k in sizes)
        give_fresh_weights(self)
        ### END SOLUTION

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Answer for every prior.

        Args:
            features: six maps, (N, channels, size, size) float32, the largest first.

        Returns:
            offsets: (N, 8732, 4) float32.
            logits: (N, 8732, num_classes) float32.
        """

        ### BEGIN SOLUTION
        def flatten(layers: nn.ModuleList, numbers: int) -> Tensor:
            maps = [layer(x).permute(0, 2, 3, 1) for layer, x in zip(layers, features, strict=True)]
            return torch.cat([x.reshape(len(x), -1, numbers) for x in maps], 1)

        return flatten(self.offsets, 4), flatten(self.logits, self.num_classes)
        ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_5", "points": 8}
check("4.5")

# %% [markdown]
# ## Task 4.6 · Rescaling, and the whole network (5 points)
#
# conv4_3 has much larger values than the other maps, as
# [ParseNet](https://arxiv.org/abs/1506.04579) found. So at **each place** its vector of 512 numbers
# is divided by its length (the root of the sum of squares over the channels), and each channel is
# then multiplied by a number of its own, which is learned and starts at 20. A vector of zeros stays
# zeros, with finite gradients. (A tiny number may be added under the root; added after it, it
# leaves the root's slope at 0 infinite.)
#
# `SSD300` puts everything together: base, rescaling of conv4_3, auxiliary and prediction
# convolutions. The auxiliary convolutions see conv7 as it is.


# %% nbgrader={"grade_id": "task_4_6", "solution": true}
class Rescale(nn.Module):
    """Scale each place's vector to length 1, then each channel by a learned factor."""

    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.factors = nn.Parameter(torch.full((channels, 1, 1), factor))
        ### END SOLUTION

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, channels, H, W) to the same shape."""
        ### BEGIN SOLUTION
        return F.normalize(features) * self.factors
        ### END SOLUTION


class SSD300(nn.Module):
    """The detector of the paper, with fresh random weights."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.base = VGGBase()
        self.rescale = Rescale()
        self.auxiliary = AuxiliaryConvolutions()
        self.prediction = PredictionConvolutions(num_classes)
        ### END SOLUTION

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Detect in normalised images (N, 3, 300, 300) float32.

        Returns:
            offsets: (N, 8732, 4) float32.
            logits: (N, 8732, num_classes) float32, raw.
        """
        ### BEGIN SOLUTION
        conv4_3, conv7 = self.base(images)
        return self.prediction([self.rescale(conv4_3), conv7, *self.auxiliary(conv7)])
        ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_6", "points": 5}
check("4.6")

# %%
net = SSD300(num_classes=len(label_map))
with torch.no_grad():
    offsets, logits = net(torch.zeros(1, 3, SIDE, SIDE))
print("offsets", tuple(offsets.shape), "logits", tuple(logits.shape))
print(f"{sum(p.numel() for p in net.parameters()):,} parameters")

# %% [markdown]
# ## Before task 4.7: what does a kernel of 3×3 see?
#
# On conv4_3 a kernel of 3×3 cells covers 24 pixels, and yet it answers for priors of 42×21. How can
# it know where an object ends that is larger than itself? By what lies below it: week 1's two
# numbers, the **size** of what a cell sees (its *receptive field*) and the **jump** from one cell
# to the next, say how much of the image gets there. Follow them through the base; the table is
# measured, by asking which pixels change an answer. The formula of task 1.9 gives the same numbers,
# though your `window_grid` does not take all of these layers: they have padding, and pool5 is 3×3.
# Padding changes neither size nor jump, only where the first window begins: no longer at the
# image's edge, but outside of it. And in the formula a pooling is a kernel like any other.

# %%
print(ssd300_plots.table_of_growth())

# %% [markdown]
# A prediction on conv4_3 sees 108 pixels, and all its priors lie well inside. From conv7 on it sees
# more than the whole image. But not all pixels count alike: from those in the middle many more
# paths lead to the answer than from those at the edge, as [Luo et
# al.](https://arxiv.org/abs/1701.04128) found for networks in general. Nine tenths of the paths to
# conv4_3 begin in the middle 49 pixels, so it knows its own place best. This is also why a kernel
# does not need its prior's shape: it sees enough for all of them, and learns for each which part
# matters.

# %%
ssd300_plots.draw_reaches(augmentation_plots.scene()[0], SCALES, RATIOS)

# %% [markdown]
# ## Task 4.7 · The 8,732 priors (8 points)
#
# As last week, but each map has its own ratios. The cell in row i and column j of a map of f×f
# cells has its centre at $c_x = (j + 0.5)/f$, $c_y = (i + 0.5)/f$. For each ratio a of the map's
# list it has a prior of width s·√a and height s/√a, s being the map's scale, and after them one
# more, a square of side √(s·s′), s′ being the next map's scale, and 1 after the last. (For the last
# square side 1 is accepted, too, as in many programs.)
#
# **Order**: map by map; in a map row by row, in a row cell by cell; in a cell the ratios in their
# order, then the extra square (inside a cell any other order is accepted). Priors that stick out of
# the image may stay so, or be clipped.


# %% nbgrader={"grade_id": "task_4_7", "solution": true}
def make_priors() -> Tensor:
    """Lay out the priors of FEATURE_SIZES, SCALES and RATIOS.

    Returns:
        (8732, 4) float32, `cxcywh` in fractions of the image.
    """
    ### BEGIN SOLUTION
    maps = []
    following = (*SCALES[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [sqrt(scale * after)] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_7", "points": 8}
check("4.7")

# %%
priors = make_priors()
ready = [transform(image, target) for image, target in examples]
Described(
    draw_priors(
        ready[1][0], ready[1][1]["boxes"], priors, FEATURE_SIZES, [len(one) + 1 for one in RATIOS]
    ),
    "For each of the six maps the centres of its cells on an image, and your priors of one cell.",
)

# %% [markdown]
# ## Task 4.8 · Loss and detection at full size (10 points)
#
# The MultiBox loss and the detection are those of week 3. You may bring your own `multibox_terms`
# and `detect` over, with the functions that they need, or write them anew. Mind that
# `encode_offsets` takes and `decode_offsets` returns **corners** here, `xyxy`; priors are `cxcywh`
# as before. What changes besides is the size. There are 8,732 priors, and an untrained network
# finds each of them worth a look, for every class. So
#
# - no Python loop may run over priors (one over the boxes that a suppression keeps is fine): the
#   grader counts the operations of a call, and its memory is limited to 3 GB;
# - a table of the IoU of all candidates with each other would have 76 million entries: suppress
#   without one, or use `ops.nms`.
#
# To recall the rules. **Matching**: a prior is positive for the object that it overlaps most, if
# their IoU is at least 0.5; each object also claims its own best prior, whatever the first rule
# said. **Localization**: smooth L1 (β = 1) between offsets and encoded offsets (centres divided by
# 0.1 of the prior's sides, logarithms by 0.2), the mean over the positives of the batch and their
# four numbers. **Confidence**: cross-entropy, of positives and, in each image, of the 3·k
# background priors with the largest cross-entropy (k positives; all, if there are fewer); the sum,
# divided by the number of positives in the batch. Without any object both are finite.
# **Detection**: softmax; for each class but the background the priors whose score exceeds
# `min_score`, suppressed where their IoU with a kept one exceeds `iou_threshold`; of all classes
# together the `top_k` best, by falling score; boxes `xyxy`, which may be clipped to the image in
# the very end.


# %% nbgrader={"grade_id": "task_4_8", "solution": true}
def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    """Say how boxes (n, 4), `xyxy`, differ from their priors (n, 4), `cxcywh`: (n, 4) offsets."""
    ### BEGIN SOLUTION
    boxes = ops.box_convert(boxes, "xyxy", "cxcywh")
    shift = (boxes[:, :2] - priors[:, :2]) / (0.1 * priors[:, 2:])
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) / 0.2], 1)
    ### END SOLUTION


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    """Apply offsets (n, 4) to their priors (n, 4), `cxcywh`. Returns boxes (n, 4), `xyxy`."""
    ### BEGIN SOLUTION
    centre = priors[:, :2] + 0.1 * offsets[:, :2] * priors[:, 2:]
    sides = priors[:, 2:] * torch.exp(0.2 * offsets[:, 2:])
    return torch.cat([centre - sides / 2, centre + sides / 2], 1)
    ### END SOLUTION


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    """Match the priors with the objects of one image.

    Args:
        boxes: (n, 4) float, `xyxy`; n may be 0.
        labels: (n,) int64, 1 and up.
        priors: (P, 4) float, `cxcywh`.

    Returns:
        classes: (P,) int64, the label of the prior's object, 0 for background.
        objects: (P,) int64, the index of the prior's object; of no meaning for background.
    """
    ### BEGIN SOLUTION
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return labels[objects].where(best >= 0.5, 0), objects
    ### END SOLUTION


def multibox_terms(
    offsets: Tensor,
    logits: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    priors: Tensor,
) -> dict[str, Tensor]:
    """Compute the two terms of the loss.

    Args:
        offsets: (N, P, 4) float32, predicted.
        logits: (N, P, C) float32, predicted; C is at least 2.
        boxes: for each image (n, 4) float32, `xyxy` in fractions.
        labels: for each image (n,) int64, 1 to C − 1.
        priors: (P, 4) float32, `cxcywh`.

    Returns:
        "localization" and "confidence": each a scalar tensor, differentiable.
    """
    ### BEGIN SOLUTION
    matches = [match_priors(b, c, priors) for b, c in zip(boxes, labels, strict=True)]
    classes = torch.stack([classes for classes, _ in matches])
    positive = classes > 0
    count = positive.sum().clamp(min=1)
    targets = [
        encode_offsets(b[objects[chosen]], priors[chosen])
        for b, (_, objects), chosen in zip(boxes, matches, positive, strict=True)
    ]
    localization = F.smooth_l1_loss(offsets[positive], torch.cat(targets), reduction="sum")
    entropy = F.cross_entropy(logits.movedim(-1, 1), classes, reduction="none")
    hardness = entropy.detach().masked_fill(positive, -1.0)
    rank = hardness.argsort(1, descending=True).argsort(1)
    hard = (rank < 3 * positive.sum(1, keepdim=True)) & ~positive
    return {
        "localization": localization / (4 * count),
        "confidence": entropy[positive | hard].sum() / count,
    }
    ### END SOLUTION


def detect(
    offsets: Tensor,
    logits: Tensor,
    priors: Tensor,
    min_score: float = 0.01,
    iou_threshold: float = 0.45,
    top_k: int = 200,
) -> list[dict[str, Tensor]]:
    """Turn a network's outputs into detections.

    Args:
        offsets: (N, P, 4) float32.
        logits: (N, P, C) float32.
        priors: (P, 4) float32, `cxcywh`.
        min_score: least score, to be exceeded.
        iou_threshold: for the suppression.
        top_k: most detections of an image.

    Returns:
        For each image a dict: "boxes" (k, 4) float32 `xyxy`, "labels" (k,) int64, "scores" (k,)
        float32, by falling score.
    """
    ### BEGIN SOLUTION
    detections = []
    for image_offsets, image_scores in zip(offsets, logits.softmax(-1), strict=True):
        decoded = decode_offsets(image_offsets, priors)
        boxes, labels, scores = [], [], []
        for label in range(1, logits.shape[-1]):
            chosen = image_scores[:, label] > min_score
            of_class, class_scores = decoded[chosen], image_scores[chosen, label]
            kept = ops.nms(of_class, class_scores, iou_threshold)
            boxes.append(of_class[kept])
            scores.append(class_scores[kept])
            labels.append(torch.full((len(kept),), label))
        boxes, labels, scores = torch.cat(boxes), torch.cat(labels), torch.cat(scores)
        best = scores.argsort(descending=True)[:top_k]
        detections.append({"boxes": boxes[best], "labels": labels[best], "scores": scores[best]})
    return detections
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_8", "points": 10}
check("4.8")

# %% [markdown]
# ## Task 4.9 · Optimizer, schedule, checkpoints (6 points)
#
# SSD300 is commonly trained by SGD with learning rate 10⁻³, momentum 0.9 and weight decay 5·10⁻⁴,
# for 120,000 iterations; after 80,000 and after 100,000 of them the rate falls to a tenth.
# **Biases** learn at twice the rate.
#
# - `make_optimizer` returns that optimizer. Biases are the parameters whose names end in `bias`;
#   weight decay is the same for all.
# - `make_schedule` returns its schedule. `schedule.step()` is called once after each **iteration**,
#   not each epoch.
# - `save_checkpoint` writes all that a training needs to go on **exactly** as if it had not
#   stopped: the weights, the optimizer with its momentum, the schedule, the iteration, and the
#   state of torch's default generator of random numbers (it shuffles the data). `load_checkpoint`
#   puts all of it back, in place, and returns the iteration. `file` is open, for writing or reading
#   bytes; `torch.save` takes it.


# %% nbgrader={"grade_id": "task_4_9", "solution": true}
def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    """Return this SGD for a network's parameters, biases at twice the rate."""
    ### BEGIN SOLUTION
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in net.named_parameters() if not name.endswith("bias")]
    groups = [{"params": biases, "lr": 2e-3}, {"params": weights}]
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=5e-4)
    ### END SOLUTION


def make_schedule(optimizer: torch.optim.Optimizer) -> LRScheduler:
    """Return its schedule, stepped once an iteration."""
    ### BEGIN SOLUTION
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [80_000, 100_000], gamma=0.1)
    ### END SOLUTION


def save_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    iteration: int,
) -> None:
    """Write a checkpoint to an open file."""
    ### BEGIN SOLUTION
    parts: dict[str, Any] = {"net": net, "optimizer": optimizer, "schedule": schedule}
    states = {name: part.state_dict() for name, part in parts.items()}
    torch.save(states | {"iteration": iteration, "random": torch.get_rng_state()}, file)
    ### END SOLUTION


def load_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
) -> int:
    """Put a checkpoint back, in place. Returns the iteration."""
    ### BEGIN SOLUTION
    states = torch.load(file, weights_only=True)
    net.load_state_dict(states["net"])
    optimizer.load_state_dict(states["optimizer"])
    schedule.load_state_dict(states["schedule"])
    torch.set_rng_state(states["random"])
    return states["iteration"]
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_9", "points": 6}
check("4.9")

# %% [markdown]
# The rate of weights and biases over the 120,000 iterations:

# %%
optimizer = make_optimizer(net)
schedule = make_schedule(optimizer)
for iteration in range(120_001):
    if iteration in (0, 79_999, 80_000, 99_999, 100_000, 120_000):
        rates = sorted({group["lr"] for group in optimizer.param_groups})
        print(f"{iteration:7,} ", *(f"{rate:.0e}" for rate in rates))
    optimizer.step()
    schedule.step()

# %% [markdown]
# ## Task 4.10 · Two images by heart (8 points)
#
# A network of 24 million weights is easily wrong in a way that no shape gives away. So, as last
# week, first let it learn two images by heart. Now each step costs seconds, and you have few.
#
# - `train_one_epoch` passes once through a loader: for each batch a step of the optimizer, then, if
#   there is one, of the schedule.
# - `learn_by_heart` makes an `SSD300` and trains it on a loader that yields the **same two images**
#   again and again, at most 60 times. Optimizer and rate are yours to choose, and so is everything
#   that makes a step cheaper: where `HALF` of the setup cell says so, half precision
#   (`torch.autocast("cpu", torch.bfloat16)`) makes it more than twice as fast, and slower
#   elsewhere; `torch.channels_last` helps everywhere.
#
# The limit is 300 seconds of processor time on one core; then the loader runs dry, and what was
# learned until then counts. The grader asks your network about the two images with a little noise,
# in evaluation mode and single precision, and turns its answers into detections as task 4.8 says,
# with your priors. When an image moves by a few pixels, its boxes must move along, if only a
# little. The loop by itself, on a network of the grader's, is worth 2 points. The others are for
# the **loss** on the two images, both terms together, and for the **mAP** on them (all-point, at
# IoU 0.5):
#
# | | 1 point | 3 points |
# | --- | --- | --- |
# | loss at most | 6.0 | 3.0 |
# | mAP at least | 0.50 | 0.90 |
#
# The task rests on your answers to 4.3 to 4.8, and is skipped when one of them earned nothing.


# %% nbgrader={"grade_id": "task_4_10", "solution": true}
Batch = tuple[Tensor, list[Tensor], list[Tensor]]


def train_one_epoch(
    net: nn.Module,
    loader: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler | None = None,
) -> list[dict[str, float]]:
    """Train a network in place, with a progress bar.

    Args:
        net: an `SSD300`.
        loader: yields batches: images (N, 3, 300, 300) float32, normalised, and lists of N
            tensors of boxes (n, 4), `xyxy` in fractions, and of labels (n,).
        optimizer: of the network's parameters.
        schedule: stepped after each batch; None for none.

    Returns:
        One dict a step: the terms of the loss, as floats.
    """
    ### BEGIN SOLUTION
    net.train()
    priors, history = make_priors(), []
    for images, boxes, labels in (bar := tqdm(loader)):
        with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
            offsets, logits = net(images.contiguous(memory_format=torch.channels_last))
        terms = multibox_terms(offsets.float(), logits.float(), boxes, labels, priors)
        loss = sum(terms.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        history.append({name: term.item() for name, term in terms.items()})
        bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
    return history
    ### END SOLUTION


def learn_by_heart(loader: Iterable[Batch], num_classes: int) -> nn.Module:
    """Make an `SSD300`, train it on one batch that comes again and again, and return it.

    Args:
        loader: as for `train_one_epoch`; it can be passed once.
        num_classes: classes, the background among them.
    """
    ### BEGIN SOLUTION
    net = SSD300(num_classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), 1e-4)
    train_one_epoch(net, loader, optimizer)
    return net
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_10", "points": 8}
check("4.10")

# %% [markdown]
# Two scenes and forty steps, for which the reference needs 50 seconds of processor time where half
# precision is fast, and more than twice as many elsewhere. Expect an mAP of 1, and a loss of about
# 2, in the end.
#
# `Training` calls your function and shows the loss meanwhile; before, it tells the time on this
# machine, from a step or two on the side. The stop button (the square above; in a terminal Ctrl-C)
# stops after the step, and what was learned is kept: run the cell again, and it goes on where it
# was.

# %%
from IPython.display import display

from detlab.training import Training


def two_scenes() -> Batch:
    """Return the first two scenes, as a batch."""
    few = [transform(image, target) for image, target in examples[:2]]
    boxes, labels = ([target[name] for _, target in few] for name in ("boxes", "labels"))
    return torch.stack([image for image, _ in few]), boxes, labels


def forty_times() -> dict:
    """Return what `learn_by_heart` takes."""
    batch = two_scenes()
    return {"loader": [batch] * 40, "num_classes": len(label_map)}


learning = Training(learn_by_heart, forty_times)
learning.announce()

# %%
by_heart = learning.run()
if learning.steps:
    display(draw_history(learning.history))

# %% [markdown]
# Perfect detections have mAP 1; these?

# %%
if learning.has_learned():
    batch = two_scenes()
    with torch.no_grad():
        offsets, logits = by_heart.eval()(batch[0])
    truths = [transform(image, target)[1] for image, target in examples[:2]]
    found = detect(offsets, logits, priors)
    print(f"mAP on both: {mean_average_precision(found, truths).mean:.3f}")

# %% [markdown]
# **What you should see.** The loss begins near 17, stays near 9 for ten steps, and then falls, to 2
# after forty (the reference; it is still falling then).
#
# What it finds in the first of them, before the suppression and after it. As in week 3 the truth is
# dashed, hits are solid and false positives dotted; where boxes crowd, the surest has the label.

# %%
if learning.has_learned():
    raw = detect(offsets, logits, priors, min_score=0.2, iou_threshold=1.0)[0]
    kept = detect(offsets, logits, priors, min_score=0.2)[0]
    print(f"{len(raw['scores'])} detections before, {len(kept['scores'])} after")
    display(suppression_plots.draw_before_and_after(batch[0][0], truths[0], raw, kept, names))

# %% [markdown]
# And the positive priors of its objects:

# %%
if learning.has_learned():
    matches = match_priors(batch[1][0], batch[2][0], priors)
    shown = draw_matches(batch[0][0], batch[1][0], batch[2][0], priors, *matches, names)
    words = "Each object of the first image with the priors that your matching gives it."
    display(Described(shown, words))

# %% [markdown]
# ## Before task 4.11: more than a half, or at least?
#
# The authors of the challenge write that the overlap "must exceed 50%" ([Everingham et al.,
# 2015](https://doi.org/10.1007/s11263-014-0733-5), equation 1); their own program, `VOCevaldet.m`
# of the [development kit](http://host.robots.ox.ac.uk/pascal/VOC/voc2012/index.html#devkit), takes
# `>=`, and many later ones `>`. This course takes the text at its word. Where edges are real
# numbers, an IoU of exactly ½ hardly comes up.
#
# The program also adds 1 to every width and height, of a box and of what two have in common, for it
# works with VOC's numbers of pixels: from 1 to 10 there are ten. Your boxes are edges: since task
# 4.1 the same one reaches from 0 to 10, and the last pixel is in it already. To hand the program
# your detections, write edges as pixels again, x_min + 1 for the first and x_max for the last: then
# it finds the IoU that you find. If you add 1 to edges, or take 1 from all four numbers and add
# nothing, you find another, and it can tip a box that is near the threshold, most of all a small
# one.

# %% [markdown]
# ## Before task 4.11: difficult objects, and eleven recalls
#
# Week 3 went down a list of nine boxes, before its task 3.10: look at it again, it shows hits,
# running precision and recall, and the area. Two things are new. An object may be **difficult**,
# too small or too hidden to ask for: to miss it costs nothing, and to find it gains nothing. And
# there is a second way to take the mean. Say an image holds three objects of a class, A, B and C,
# and a difficult one, D:
#
# | | lies on | | precision | recall |
# | --- | --- | --- | --- | --- |
# | #1 | A | hit | 1/1 | 1/3 |
# | #2 | D, difficult | counts for nothing | | |
# | #3 | nothing | false positive | 1/2 | 1/3 |
# | #4 | B | hit | 2/3 | 2/3 |
#
# Recall is out of three, not four, and #2 is no false positive: else #4 would have a precision of
# 2/4. The interpolated precision is 1 up to a recall of 1/3, then 2/3 up to 2/3, and 0 beyond, as C
# was never found. **All-point** that is an area of ⅓·1 + ⅓·⅔ = 0.556. **11-point**, the recalls 0,
# 0.1, 0.2 and 0.3 read 1, those of 0.4, 0.5 and 0.6 read ⅔, and the last four read 0: their mean is
# (4·1 + 3·⅔ + 4·0) / 11 = 0.545.

# %% [markdown]
# ## Task 4.11 · Evaluation as Pascal VOC does it (7 points)
#
# For each class by itself:
#
# 1. Take its detections of all images in the order of their scores, the best first. (Scores are all
#    different.)
# 2. Each goes to the object of **its image and class** with which it overlaps most, difficult ones
#    included. If their IoU does not exceed `iou_threshold`, or there is no such object, it is a
#    false positive. If the object is **difficult**, the detection counts for nothing. If the object
#    is still free, it is a hit, and the object is taken; else it is a false positive.
# 3. After each detection that counts, precision is hits / (hits + false positives), and recall is
#    hits / objects, difficult ones not counted.
# 4. The interpolated precision at recall r is the largest precision at any recall of at least r, or
#    0 if none comes so far. **All-point**: the area under it, from 0 to 1. **11-point**: its mean
#    at 0, 0.1, …, 1, where k/10 is meant exactly.
#
# Classes that have no object (or only difficult ones) are left out of the result. `precision_table`
# writes a line for each name, with the AP to three decimals, or a dash `-` where there is none, and
# a last line with the mean of those that are there (a dash, if none is). Each line is the name
# (`mean`), blanks, and the number.


# %% nbgrader={"grade_id": "task_4_11", "solution": true}
def average_precisions(
    detections: Sequence[Mapping[str, Tensor]],
    truths: Sequence[Mapping[str, Tensor]],
    interpolation: str = "all-point",
    iou_threshold: float = 0.5,
) -> dict[int, float]:
    """Compute the average precision of each class.

    Args:
        detections: for each image "boxes" (n, 4) float, `xyxy`, "labels" (n,) int64, "scores" (n,)
            float.
        truths: for each image "boxes" (m, 4), "labels" (m,), "difficult" (m,) bool.
        interpolation: "all-point" or "11-point".
        iou_threshold: to be exceeded.

    Returns:
        By label, 0 to 1.
    """
    ### BEGIN SOLUTION
    every = torch.cat([truth["labels"][~truth["difficult"]] for truth in truths])
    precisions = {}
    for label in every.unique().tolist():
        rows = []
        for found, truth in zip(detections, truths, strict=True):
            mine, true = found["labels"] == label, truth["labels"] == label
            boxes, difficult = truth["boxes"][true], truth["difficult"][true].tolist()
            taken = [False] * len(boxes)
            order = found["scores"][mine].argsort(descending=True)
            overlaps = ops.box_iou(found["boxes"][mine][order], boxes)
            for score, row in zip(found["scores"][mine][order].tolist(), overlaps, strict=True):
                best = int(row.argmax()) if len(boxes) else -1
                near = best >= 0 and float(row[best]) > iou_threshold
                if near and difficult[best]:
                    continue
                rows.append((score, near and not taken[best]))
                if near:
                    taken[best] = True
        hits = torch.tensor([hit for _, hit in sorted(rows, reverse=True)], dtype=torch.float64)
        recall = hits.cumsum(0) / int((every == label).sum())
        precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
        best = precision.flip(0).cummax(0).values.flip(0) if len(hits) else precision
        if interpolation == "all-point":
            area = (best * recall.diff(prepend=torch.zeros(1))).sum()
        else:
            reached = [best[recall >= k / 10 - 1e-12] for k in range(11)]
            area = sum(one[0] if len(one) else torch.zeros(()) for one in reached) / 11
        precisions[label] = float(area)
    return precisions
    ### END SOLUTION


def precision_table(precisions: Mapping[int, float], names: Sequence[str]) -> str:
    """Write a line for each class, and the mean.

    Args:
        precisions: by label; a class may be missing.
        names: of the labels 1, 2, ….

    Returns:
        The lines.
    """
    ### BEGIN SOLUTION
    width = max(len(name) for name in ["mean", *names])
    rows = [(name, precisions.get(n)) for n, name in enumerate(names, 1)]
    mean = sum(precisions.values()) / len(precisions) if precisions else None
    return "\n".join(
        f"{name:{width}}  {'-' if value is None else f'{value:.3f}'}"
        for name, value in [*rows, ("mean", mean)]
    )
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_11", "points": 7}
check("4.11")

# %% [markdown]
# The two images of task 4.10, by your own functions and by the course's:

# %%
print(precision_table(average_precisions(found, truths), names))
result = mean_average_precision(found, truths)
print(f"\nof the course: {result.mean:.3f}")
Described(
    draw_curves(result, names),
    f"Precision against recall, a curve for each class; the mean AP is {result.mean:.3f}.",
)

# %% [markdown]
# ## Before task 4.12: the cells
#
# [BCCD](https://github.com/Shenggan/BCCD_Dataset) shows blood under a microscope, stained and
# always at one scale. **Red cells** carry oxygen: pale discs, a dozen in an image, touching and
# overlapping. **White cells** defend: large, with a dark violet nucleus. **Platelets** close
# wounds: small violet specks. Three things to see before you train. There are eleven red cells for
# each white one or platelet, but the mAP counts the three kinds alike. Red cells vary little in
# size, and have priors of just that size; platelets, a median of 22 pixels, are smaller than any.
# And not every cell is labelled, as you can see at the edges: a detector that finds those is told
# that it is wrong.

# %%
cell_plots.draw_cells(SCALES)

# %% [markdown]
# ## Before task 4.12: α, and a factor of four
#
# The paper adds two terms, $L = (L_{conf} + α\, L_{loc}) / N$ for N positives, and takes α = 1.
# There the localization is a **sum** over the four numbers of a box ([section
# 2.2](https://arxiv.org/abs/1512.02325), equation 2). In task 4.8 it is a **mean** over positives
# *and their four numbers*, as
# [`smooth_l1_loss`](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html)
# gives it: a quarter of that. So to add the two terms of 4.8 as they are is α = ¼ in the paper's
# measure, and the localization term four times is the paper's α = 1. Neither is wrong; but if you
# compare two programs, you must know which one you look at.
#
# What does the factor do? Suppose a network whose logits and offsets are all 0, on the 40 training
# scenes of digits that come with the course. Each positive brings three negatives along, and of 11
# classes all are equally likely: the confidence would be 4·ln 11 = 9.59. The localization would be
# 0.69 as a mean, 7 % of the loss, or 2.75 as a sum, 22 %. (A real fresh network is not so even: the
# loss of task 4.10 begins near 17. And cells have four classes with the background, hence a
# confidence of 4·ln 4 = 5.55.)

# %%
cell_plots.draw_alpha()

# %% [markdown]
# ## Task 4.12 · Trained on blood cells (10 points)
#
# Train your `SSD300` on BCCD: 292 images of blood under a microscope with red cells, white cells
# and platelets (labels 1, 2 and 3, in this order). Hand in its weights **beside the notebook**,
# under the notebook's name: `week4_ssd300.safetensors` beside `week4_ssd300.ipynb`, at most 160 MB.
#
# `save_detector(net, priors, path)` writes the file. It names the weights by their places in the
# network, so your modules may have any names, and keeps your priors with them. The grader runs
# the weights in **its own** SSD300, composed as tasks 4.3 to 4.6 state, and none of your code. It
# shows it the 72 test images, made ready as in task 4.2 for evaluation, and turns the answers
# into detections (`min_score` 0.01, `iou_threshold` 0.45, `top_k` 200) with your priors, which
# must be those of task 4.7 in any form that it allows. It shows each image as it is and mirrored:
# cells are to be found, not remembered. What counts is the mAP on all 144: all-point, at IoU 0.5.
# Some of the training images are measured, too, for comparison.
#
# | | 2 points | 4 points | 6 points | 8 points | 10 points |
# | --- | --- | --- | --- | --- | --- |
# | mAP at least | 0.40 | 0.60 | 0.75 | 0.82 | 0.86 |
#
# How you train is up to you, and where, too. The reference reached 0.900 in 30 passes, an hour of
# two cores, in this way: VGG-16's weights in the base, of which conv1 and conv2 stayed as they
# were; AdamW with a rate that rises to 2·10⁻⁴ and falls again, batches of 4, the localization term
# four times, half precision and `torch.channels_last`; every other image cropped, none zoomed out,
# since all are taken at one scale; and each flipped left and right with probability ½, and likewise
# up and down. Never train on the test images: their boxes are public, and measuring on them would
# tell nothing.


# %% nbgrader={"grade_id": "task_4_12", "solution": true}
def build_detector() -> nn.Module:
    """Make the network that you train and hand in, with fresh weights.

    Returns:
        A module that maps (N, 3, 300, 300) float32 to offsets (N, 8732, 4) and logits
        (N, 8732, 4), as `SSD300` does.
    """
    ### BEGIN SOLUTION
    return SSD300(num_classes=4)
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_4_12", "points": 10}
check("4.12")

# %% [markdown]
# The training itself, in the plainest way; copy the cells and make them better. Without `FULL` it
# is a rehearsal: random weights, a few steps, a few test images. The numbers that it prints mean
# nothing, but everything has run once; its weights go to `rehearsal.safetensors`.
#
# After each pass your `save_checkpoint` writes all that is needed to go on, about 300 MB. So you
# may stop and go on here as before, and after a restart of the kernel, too: then it goes on from
# the last whole pass. To begin anew, delete the file.

# %%
from pathlib import Path

from torch.utils.data import DataLoader, Dataset

from detlab.handing_in import save_detector


class Examples(Dataset):
    """A split of the set, made ready for the network."""

    def __init__(self, split: str, train: bool) -> None:
        self.stems, self.train = voc.read_split(folder, split), train

    def __len__(self) -> int:
        return len(self.stems)

    def __getitem__(self, n: int) -> tuple[Tensor, dict[str, Tensor]]:
        generator = torch.Generator().manual_seed(torch.randint(2**31, ()).item())
        return transform(*load(self.stems[n]), generator if self.train else None)


def collate(items: Sequence[tuple[Tensor, dict[str, Tensor]]]) -> Batch:
    """Stack images; boxes and labels stay in lists."""
    images, targets = zip(*items, strict=True)
    return torch.stack(images), [t["boxes"] for t in targets], [t["labels"] for t in targets]


train_set = Examples("trainval" if DATA == "bccd" else "train", train=True)
epochs, batch_size = 30 if FULL else 1, 4
if not FULL:
    train_set.stems = train_set.stems[:12]
loader = DataLoader(train_set, batch_size, shuffle=True, collate_fn=collate, drop_last=True)

# %%
CHECKPOINT = Path("checkpoint.pt" if FULL else "rehearsal.pt")
if not FULL:
    CHECKPOINT.unlink(missing_ok=True)


def beginning() -> dict:
    """Return what `train_passes` takes: as the checkpoint left it, if there is one."""
    net = build_detector() if DATA == "bccd" else SSD300(num_classes=len(label_map))
    if FULL and not CHECKPOINT.exists():
        from torchvision.models import VGG16_Weights

        base = next(module for module in net.modules() if isinstance(module, VGGBase))
        load_vgg16(base, VGG16_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True))
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.05)
    steps, done = epochs * len(loader), 0
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-4, total_steps=steps)
    if CHECKPOINT.exists():
        with CHECKPOINT.open("rb") as file:
            done = load_checkpoint(file, net, optimizer, schedule)
        print(f"{CHECKPOINT} has {done:,} of {steps:,} steps; only the rest is counted below.")
    left = epochs - done // len(loader)
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
    return parts | {"loader": loader, "epochs": left}


def train_passes(
    net: nn.Module,
    loader: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    epochs: int,
) -> nn.Module:
    """Train for some passes, and save a checkpoint after each."""
    while epochs > 0:
        epochs -= 1
        steps = len(train_one_epoch(net, loader, optimizer, schedule))
        if steps == len(loader):  # a whole pass, no mere trial
            new = CHECKPOINT.with_suffix(".new")  # so that there is a whole one at any time
            with new.open("wb") as file:
                save_checkpoint(file, net, optimizer, schedule, schedule.last_epoch)
            new.replace(CHECKPOINT)
    return net


in_earnest = Training(train_passes, beginning)
in_earnest.announce()

# %%
net = in_earnest.run()
if net is not None:
    save_detector(net, priors, "week4_ssd300.safetensors" if FULL else "rehearsal.safetensors")
if not FULL:
    CHECKPOINT.unlink(missing_ok=True)
if in_earnest.steps:
    display(draw_history(in_earnest.history))

# %% [markdown]
# Class by class, by your own functions:

# %%
if in_earnest.has_learned():
    test_set = Examples("test", train=False)
    chosen = range(len(test_set) if FULL else 6)
    tested = [test_set[n] for n in chosen]
    net.eval()
    found = []
    with torch.no_grad():
        for image, _ in tested:
            found += detect(*net(image[None]), priors)
    print(precision_table(average_precisions(found, [target for _, target in tested]), names))

# %% [markdown]
# **What you should see.** After a rehearsal nothing at all: APs of 0 or nearly so. After 30 passes
# over the blood cells the reference has a mean of 0.900, with 0.846 for red cells, 0.976 for white
# ones and 0.878 for platelets, and after 16 passes 0.871. (It was trained and measured with boxes a
# pixel narrower than yours, which makes little difference at an IoU of 0.5.) On two cores a pass
# takes two minutes or more.

# %% [markdown]
# ## Scores and thresholds by hand (without points)
#
# A network with thousands of priors does not answer with one box for an object, but with dozens.
# Two numbers decide what you get to see: the least **score**, and the **overlap** over which a box
# is suppressed by a surer one of its class. Here they are on the answers of an SSD300 that has
# learned three scenes for 45 steps: long enough to find all of their digits, too short to be sure
# of them.
#
# First the suppression by itself. All boxes of a class stand in line, the surest first. Each is
# kept, unless it overlaps one that was kept before by more than the threshold, here 0.45. #11 gets
# through, though it is the same digit: it lies off by half a digit, and a second box on an object
# is a false positive.

# %%
suppression_plots.draw_chain()

# %% [markdown]
# Now both numbers at once: the least score grows downwards, the suppression gets stricter to the
# right. At a score of 0.5 there is nothing false once the doubles are gone, but two digits are
# lost; at 0.1 all are found, among two dozen false boxes. A threshold of 0.1 for the overlap clears
# most of them away. Why not always take it, then? Because here no two digits of a class stand close
# together; of two red cells that touch, it would drop one.

# %%
suppression_plots.draw_choices()

# %% [markdown]
# Your turn. Change the two numbers (scores begin at 0.05) and watch precision and recall on the
# three scenes: can you find all eight digits without a false box? Then ask what you want the
# detector for. To **show** boxes to people, take a score at which few are false, 0.2 to 0.5, and an
# overlap of 0.45 or 0.5. To **measure** the average precision, take 0.01: it looks at the order of
# the scores only, a low score at the end of the line costs nothing, and what is cut off can never
# be found. The numbers of the paper's evaluation are 0.01, 0.45, and the 200 best.

# %%
MIN_SCORE, IOU_THRESHOLD = 0.2, 0.45
suppression_plots.draw_choice(MIN_SCORE, IOU_THRESHOLD)

# %% [markdown]
# ## Any picture at all (without points)
#
# `find_objects` takes an RGB picture of any size and returns it with what was found. After a
# rehearsal only the network that learned two images by heart has anything to say, about these.


# %%
def find_objects(
    net: nn.Module,
    picture: Image.Image,
    min_score: float = 0.2,
    max_overlap: float = 0.5,
    top_k: int = 200,
) -> Image.Image:
    """Draw boxes, names and scores of the objects that the network finds in a picture."""
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0).long()}
    image, _ = transform(TF.to_tensor(picture.convert("RGB")), nothing)
    with torch.no_grad():
        offsets, logits = net(image[None])
    found = detect(offsets, logits, priors, min_score, max_overlap, top_k)[0]
    return annotate(picture, found, names)


if (in_earnest if FULL else learning).has_learned():
    detector, stem = (net, test_set.stems[0]) if FULL else (by_heart, stems[0])
    shown = find_objects(detector, Image.open(folder / "JPEGImages" / f"{stem}.jpg"))
    display(
        Described(shown, f"The image {stem} with the boxes, names and scores of what was found.")
    )

# %% [markdown]
# ## Questions that come up
#
# **My loss is NaN.** Look at the boxes first: an object of no width has the logarithm −∞. So has a
# box in which `x_max` lies before `x_min`, be it after a flip, or because somebody read (x, y, w,
# h) as corners. `(boxes[:, 2:] > boxes[:, :2]).all()` after `transform` tells.
#
# **The loss falls, but the mAP stays near 0.** Then the network learns something, for the wrong
# priors. Does row p of the answer belong to prior p? Give one cell of one map a value of its own
# and look where it comes out; then ask the same of `make_priors`: does `c_x` grow along a row of
# cells?
#
# **Encoding and decoding give me my boxes back, and still the boxes are off.** A round trip proves
# nothing: two factors that are exchanged in both directions cancel. Take one box and one prior,
# work out the four numbers on paper and compare. Likewise for the count: 8,732 is right in any
# order.
#
# **`view size is not compatible with input tensor's size and stride`.** After
# [`permute`](https://docs.pytorch.org/docs/stable/generated/torch.permute.html) the numbers lie in
# memory as before; `reshape` copies them where `view` cannot. If no `permute` is in your code and
# `view` works at once, be all the more careful.
#
# **A cell is killed, or memory runs out.** A table of all candidates with all has 8,732² = 76
# million entries for each class. And keep no loss *tensor* in a list: each holds on to its whole
# step; `.item()` lets go of it.
#
# **Why match priors with objects, and not the predicted boxes?** Because these are noise at first.
# A prior stays where it is, so each object has the same teachers in every pass.
#
# **Why is there a class for the background, if it is never shown?** Softmax shares out 1. Where
# there is nothing, the background takes it, and no other class exceeds the threshold.
#
# **Why look at every class over the threshold, and not only at the best?** Of a box that may be an
# 8 or a 3 both are candidates; the average precision rewards you if the right one is among them,
# and asks little if the wrong one stands far behind.
#
# **Clip the priors at the border or not?** The authors do, much other code does not, and neither
# seems to do harm. Here both are accepted.
#
# **My 11-point AP never gets above 0.909.** It cannot, unless recall reaches exactly 1: the
# eleventh point is there, and 10/11 is 0.909. If you do reach 1 and the point is missing, how exact
# is k/10 in your code?
#
# **Training is ten times slower than you say.** Is `HALF` true although the processor is old, or
# the other way round? Is the network in `channels_last`, and are other programs at work? See what
# the first five steps take before you start thirty passes.
#
# **There is no network to fetch ImageNet's weights.** Fetch
# [them](https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg16.html)
# elsewhere, once, and load the file with `torch.load(…, weights_only=True)`; any `state_dict` with
# `features.…` will do for `load_vgg16`.
#
# **What do I hand in?** `week4_ssd300.safetensors`, beside the notebook, after a training with
# `DATA = "bccd"` and `FULL = True`. `rehearsal.safetensors` only shows that saving works.
#
# **To read on**: [SSD](https://arxiv.org/abs/1512.02325) and the authors'
# [code](https://github.com/weiliu89/caffe/tree/ssd); torchvision's
# [SSD300](https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.detection.ssd300_vgg16.html),
# which differs in its scales and in details of the training;
# [VGG](https://arxiv.org/abs/1409.1556); [ParseNet](https://arxiv.org/abs/1506.04579);
# [DeepLab](https://arxiv.org/abs/1412.7062); the [Pascal VOC
# challenges](https://doi.org/10.1007/s11263-009-0275-4) as they began.
