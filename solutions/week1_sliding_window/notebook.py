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
# # Week 1 · Sliding windows, twice
#
# A classifier says *what* is in a small picture. To learn *where* it is in a large one, ask the
# classifier about every small window of it. That is the oldest object detector there is, and it
# has a reputation for being slow. This week you build it as it was always built, one window
# after another; then you turn the same network, with the same weights, into one that answers for
# all windows in a single pass; and you show that the two agree, number for number. In the end a
# formula tells you which windows any network looks at. Week 2 builds its windows by it; and week 4
# takes it up again, to ask how much of an image a cell of each of SSD300's maps sees, and so how
# large the objects are that it can answer for.
#
# **In the end you can** turn a classifier into a detector that answers for all windows in one
# pass; show that two procedures are the same computation; say, for any stack of layers, which
# window of the image a cell looks at; and measure what is saved.
#
# **You need** Python with classes and functions, and three things of PyTorch: tensors, `nn.Linear`
# and `nn.Conv2d` (new to them? [Learn the
# basics](https://docs.pytorch.org/tutorials/beginner/basics/intro.html) takes an evening). No GPU,
# and no week before this one.
#
# | task | | points | minutes |
# | --- | --- | --: | --: |
# | 1.1 | What must change? | 5 | 15 |
# | 1.2 | The classifier | 8 | 10 |
# | 1.3 | A linear layer is a convolution | 10 | 25 |
# | 1.4 | The fully convolutional twin | 10 | 35 |
# | 1.5 | The sequential procedure | 15 | 35 |
# | 1.6 | Do they agree? | 8 | 20 |
# | 1.7 | What it saves | 8 | 40 |
# | 1.8 | Other layers, other windows | 12 | 20 |
# | 1.9 | The formula | 24 | 60 |
#
# The minutes are for a student who meets all this for the first time, reading included: four hours
# and a half in all. The machine's part is small: a finished notebook runs in some twenty seconds.

# %% [markdown]
# **How it works.** Replace each `raise NotImplementedError` by your code and leave signatures and
# cell names as they are. The check cell below a task answers at once, on public inputs; the grader
# asks with others, so pass the checks for the right reasons. In a shell, `detlab check` with the
# notebook's name runs all checks from the top, in a fresh process; add `--submission` before you
# hand in.
#
# **What the grader takes.** Your answer cells, and of code cells that you add the definitions:
# functions, classes, imports, plain constants. It runs the setup cell as it was handed out. It
# takes no outputs, no other cells and no other files. Do not delete, copy or split answer cells,
# and keep lines for Jupyter (`%…`, `!…`) out of them. Tasks do not drag each other down: where a
# task needs an earlier one, the grader hands in a right one.
#
# **Limits.** One core of a CPU, no network, no files to write. A task has 10 seconds of processor
# time and 2 GB of memory on top of what the libraries take; most tasks need less than a tenth of a
# second.
#
# **Conventions.** Images are NCHW and float: batch, channels, height (rows), width (columns).
# Functions leave their arguments as they are.

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
from collections.abc import Iterable, Sequence
from math import isqrt
from time import perf_counter

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torchsummary import summary

from detlab.grid import WindowGrid
from detlab.plotting import (
    Block,
    Step,
    draw_network,
    draw_receptive_field,
    draw_window_table,
    draw_windows,
    draw_windows_and_cells,
    example_image,
)
from detlab.weeks import check

torch.manual_seed(0)

WINDOW = 14  # side of a window, pixels
STRIDE = 2  # pixels between neighbouring windows
CLASSES = 4

# %% [markdown]
# ## Two ways to look at everything
#
# Here is an image of 28×28 pixels; a classifier takes windows of 14×14. Put the first window at
# the top left. Move it to the right by 2 pixels, again and again, until it meets the edge; then
# start the next row 2 pixels further down.

# %%
photo = example_image(28, 28)
corners = [(0, 0, 14, 14), (2, 0, 16, 14), (0, 2, 14, 16), (14, 14, 28, 28)]
draw_windows(photo, corners, ["first", "second", "first of the next row", "last"])

# %% [markdown]
# Neighbouring windows share 12 of their 14 columns of pixels, and yet the classifier starts afresh
# on each. Call this the **sequential** procedure.
#
# Now look inside the classifier. A convolution is itself a small window that slides over its
# input; so is max-pooling. Neither cares how large the image is. If every layer were like that,
# we could feed the network the whole image and get a whole *map* of answers: the **convolutional**
# procedure. The letters below show what we are after: each output cell answers for one window.

# %%
cells = [(0, 0), (0, 7), (4, 3), (7, 0)]
boxes = [(0, 0, 14, 14), (14, 0, 28, 14), (6, 8, 20, 22), (0, 14, 14, 28)]
draw_windows_and_cells(photo, boxes, cells, count=(8, 8))

# %% [markdown]
# The idea is that of OverFeat ([Sermanet et al. 2014](https://arxiv.org/abs/1312.6229), section
# 3.5); Andrew Ng explains it in [this lecture](https://www.youtube.com/watch?v=XdsmlBGOK-k). We
# borrow his network. In the picture a map is written as channels × height × width, and "FC" is a
# fully connected layer, `nn.Linear`:

# %%
draw_network(
    [
        Block("", (3, 14, 14)),
        Block("conv 5×5\n+ ReLU", (16, 10, 10)),
        Block("max-pool 2", (16, 5, 5)),
        Block("flatten", (400,)),
        Block("FC\n+ ReLU", (400,)),
        Block("FC\n+ ReLU", (400,)),
        Block("FC", (4,)),
    ]
)

# %% [markdown]
# ## Task 1.1 · What must change? (5 points)
#
# As drawn, this network refuses an image of 16×16. Which of its layers are to blame, what do you
# put in the place of each (kernel size, channels in and out), where do the new weights come from,
# and what happens to *flatten*? Say also why all other layers may stay. Five sentences
# will do; a person marks this answer.

# %% [markdown] nbgrader={"grade_id": "task_1_1", "solution": true, "manual": true, "points": 5}
# <!-- ### BEGIN SOLUTION -->
# Only the fully connected layers are tied to one input size. The first reads the whole 16×5×5 map,
# so it becomes a convolution with kernel 5×5, 16 channels in and 400 out; the others read one
# vector of 400, so they become 1×1 convolutions, 400 → 400 and 400 → 4. The weights are the old
# ones: each row of the first weight matrix, 400 numbers, is reshaped to 16×5×5 in the order in
# which flatten read the map, and the biases stay. Flatten goes: the 5×5 kernel does its work.
# Convolution, ReLU and max-pooling treat every place of their input alike, whatever its size, so
# they stay; a 14×14 image now gives 4×1×1, and a larger one a map with one cell for each window.
#
# Marking: 1 for naming the FC layers, 2 for kernels and channels (1 for the 5×5, 1 for the 1×1),
# 1 for the same weights reshaped, 1 for why the rest, without flatten, works at any size.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## Task 1.2 · The classifier (8 points)
#
# Build the network of the picture. Convolution without padding, stride 1; max-pooling 2×2 with
# stride 2; every layer with its bias; the output is raw scores, **no softmax**. Return an
# `nn.Sequential` of plain layers: any module with the right layers in the right order counts here,
# but task 1.4 takes a Sequential apart. Each call makes new random weights (PyTorch's default
# initialisation; set no seed).


# %% nbgrader={"grade_id": "task_1_2", "solution": true}
def build_network() -> nn.Module:
    """Build the window classifier with fresh random weights.

    Returns:
        A module that maps (N, 3, 14, 14) float to (N, 4) float, raw scores.
    """
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_2", "points": 8}
check("1.2")

# %% [markdown]
# Compare the shapes with the picture, and ask yourself where most of the parameters sit: in the
# convolution, or in the linear layers? (What the layers do to a shape is in PyTorch's reference,
# for [`Conv2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html) and
# [`MaxPool2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html).)

# %%
net = build_network()
summary(net, (3, WINDOW, WINDOW), device="cpu")

# %% [markdown]
# ## Before task 1.3: where this leads
#
# Two tasks from here you have a twin of the classifier that takes larger images. Here is what it
# makes of one of 16×16, which has four windows. The framed cells are those that the first window's
# answer depends on: exactly the maps that the classifier would have computed for it. All that the
# three other windows add to the early maps is a fringe of two cells, or one. Look at the step after
# the pooling: in the classifier 25 cells became one vector of 400 numbers; here they become one
# cell of 400 channels, and whatever does that can move on to the next window.

# %%
draw_network(
    [
        Block("", (3, 16, 16), marked=14),
        Block("conv 5×5\n+ ReLU", (16, 12, 12), marked=10),
        Block("max-pool 2", (16, 6, 6), marked=5),
        Block("1st FC,\nconverted", (400, 2, 2), marked=1),
        Block("2nd FC,\nconverted", (400, 2, 2), marked=1),
        Block("3rd FC,\nconverted", (4, 2, 2), marked=1),
    ]
)

# %% [markdown]
# ## Task 1.3 · A linear layer is a convolution (10 points)
#
# A linear layer that reads a flattened map computes one weighted sum over all its cells and
# channels for each output. So does a convolution whose kernel covers the whole map. Build that
# convolution from a given linear layer.
#
# - `in_shape` is the (channels, height, width) of the map before it was flattened,
#   which need not be square.
# - On a map of exactly that size, `conv(x)` has shape (N, out_features, 1, 1) and equals
#   `linear(x.flatten(1))` up to rounding.
# - The convolution has a bias if the linear layer has one, and the same dtype.
# - `linear` is not changed. Whether the new layer copies its weights or shares them is up to you.


# %% nbgrader={"grade_id": "task_1_3", "solution": true}
def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    """Turn a linear layer on a flattened map into a convolution on the map itself.

    Args:
        linear: layer with channels * height * width inputs, with or without a bias.
        in_shape: (channels, height, width) of the map before it was flattened.

    Returns:
        A convolution with kernel (height, width), stride 1 and no padding, in the dtype of
        `linear`: (N, channels, H, W) -> (N, out_features, H - height + 1, W - width + 1).
    """
    ### BEGIN SOLUTION
    channels, height, width = in_shape
    has_bias, dtype = linear.bias is not None, linear.weight.dtype
    conv = nn.Conv2d(channels, linear.out_features, (height, width), bias=has_bias, dtype=dtype)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.view_as(conv.weight))
        if has_bias:
            conv.bias.copy_(linear.bias)
    return conv
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_3", "points": 10}
check("1.3")

# %% [markdown]
# ## Task 1.4 · The fully convolutional twin (10 points)
#
# Now convert a whole network. `net` is an `nn.Sequential` of `Conv2d`, `ReLU`, `MaxPool2d`, one
# `Flatten` and then `Linear` layers, with ReLUs between: like yours from task 1.2, but with any
# sizes, any number of layers, and linear layers with or without bias. Convolutions and poolings
# have no padding but any stride, and a pooling need not be 2×2. At least one convolution comes
# before `Flatten`, and the map that is flattened there is **square**; that is enough to find its
# side.
#
# The twin **shares** its parameters with `net`. When an optimizer's step changes the weights of
# `net` in place, the twin's answers change with them, without a new call of `convolutionalize`.
# (`view` and `detach` keep looking at the same memory; `clone` and `copy_` do not.) `net` stays as
# it was: same layers, same weights, same answers.


# %% nbgrader={"grade_id": "task_1_4", "solution": true}
def convolutionalize(net: nn.Sequential) -> nn.Module:
    """Build the fully convolutional twin of a window classifier.

    Args:
        net: classifier of Conv2d, ReLU, MaxPool2d, one Flatten and Linear layers, which maps
            (N, C, size, size) to (N, K); the map before Flatten is square. Not changed.

    Returns:
        A module that maps (N, C, H, W), H and W at least size, to (N, K, H_out, W_out), and
        whose parameters live in the same memory as those of `net`.
    """
    ### BEGIN SOLUTION
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)  # 1 from the second Linear on
            conv = linear_to_conv(layer, (channels, side, side))
            conv.weight = nn.Parameter(layer.weight.detach().view_as(conv.weight))
            conv.bias = layer.bias
            layer = conv
        channels = getattr(layer, "out_channels", channels)
        layers.append(layer)
    return nn.Sequential(*layers)
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_4", "points": 10}
check("1.4")

# %% [markdown]
# Your twin, on an image of 16×16: compare its shapes with the picture before task 1.3. The step
# from classifiers to networks of convolutions alone was soon taken for whole pictures, too: [Long
# et al. 2015](https://arxiv.org/abs/1411.4038) answer for every pixel in this way. And [CS231n's
# notes](https://cs231n.github.io/convolutional-networks/#convert) tell it once more, with a larger
# network.

# %%
twin = convolutionalize(net)
summary(twin, (3, 16, 16), device="cpu")

# %% [markdown]
# ## Task 1.5 · The sequential procedure (15 points)
#
# The twin needs something to be compared with: the classifier, honestly applied to each window.
#
# - `extract_windows` cuts the windows out. Window (i, j), row first, has its top-left pixel at
#   (row i·stride, column j·stride). Pixels at the right and at the bottom that fill no whole window
#   are left out. Images need not be square, and there may be many in a batch.
# - `slide` applies `net` to every window of every image and arranges the answers like the twin's
#   output: element (n, k, i, j) is score k for window (i, j) of image n.


# %% nbgrader={"grade_id": "task_1_5", "solution": true}
def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    """Cut all whole windows out of a batch of images.

    Args:
        images: (N, C, H, W), any dtype; H and W at least `size`.
        size: side of a window, pixels.
        stride: pixels between the corners of neighbouring windows, in both directions.

    Returns:
        (N, rows, columns, C, size, size), the dtype of `images`; a view or a copy.
    """
    ### BEGIN SOLUTION
    windows = images.unfold(2, size, stride).unfold(3, size, stride)
    return windows.permute(0, 2, 3, 1, 4, 5)
    ### END SOLUTION


def slide(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    """Apply a classifier to every window of every image.

    Args:
        net: maps (M, C, size, size) to (M, K); it stays in its mode, training or evaluation.
        images: (N, C, H, W) float; H and W at least `size`.
        size: side of a window, pixels.
        stride: pixels between the corners of neighbouring windows, in both directions.

    Returns:
        (N, K, rows, columns) float.
    """
    ### BEGIN SOLUTION
    windows = extract_windows(images, size, stride)
    scores = net(windows.flatten(0, 2))
    return scores.unflatten(0, windows.shape[:3]).permute(0, 3, 1, 2)
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_5", "points": 15}
check("1.5")

# %% [markdown]
# Your windows, each in the place of its index (row, column). From one column to the next the window
# moves to the right, so the sun in it must move to the left; from one row to the next the window
# moves down, so the hills in it must rise.

# %%
landscape = example_image(28, 44)
draw_window_table(extract_windows(landscape[None], size=WINDOW, stride=7)[0])

# %% [markdown]
# ## Task 1.6 · Do they agree? (8 points)
#
# - `difference_norm` measures by how much: it is the Euclidean norm of the **difference** of the
#   two outputs over all their elements, not the difference of two norms (which is zero for outputs
#   that are merely shuffled). A Python float, computed inside `torch.no_grad()`.
# - `my_sizes` is a list of at least three image sizes, pairs (height, width) that you want to
#   try: every side from 14 to 100 pixels, at least one side odd, and at least one image not square.
# - `unseen` tells how many rows at the bottom and how many columns at the right of an image are
#   covered by no window of size 14 with stride 2. Sides are at least 14.
# - `answer_1_6` is the letter of your answer, such as `"A"`, to this question: for which images of
#   at least 14×14 pixels could the two outputs differ by more than rounding?
#   - **A** images with an odd side: max-pooling drops the last line of an odd map, while the
#     sequential procedure still looks at it
#   - **B** images that are not square: flattening puts height before width
#   - **C** none: where the one procedure ignores pixels, so does the other
#   - **D** images with more than one window: a convolution also reads pixels beyond the edge of a
#     window, which the classifier never saw
#   - **E** images in which an odd number of windows fit side by side: the 2×2 blocks of the
#     pooling then straddle two windows
#
# Experiment first: the cell after the check prints a table for your sizes.


# %% nbgrader={"grade_id": "task_1_6", "solution": true}
def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    """Measure how far the two procedures are apart.

    Args:
        net: classifier, maps (M, C, size, size) to (M, K). Both networks stay in their mode.
        twin: its fully convolutional twin, maps (N, C, H, W) to (N, K, rows, columns).
        images: (N, C, H, W) float.
        size: side of a window, pixels.
        stride: pixels between neighbouring windows.

    Returns:
        Euclidean norm of `slide(net, images, size, stride) - twin(images)`, a Python float.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        return torch.linalg.vector_norm(slide(net, images, size, stride) - twin(images)).item()
    ### END SOLUTION


def unseen(height: int, width: int) -> tuple[int, int]:
    """Count the pixel rows and columns that no 14×14 window with stride 2 covers.

    Args:
        height: rows of the image, at least 14.
        width: columns of the image, at least 14.

    Returns:
        (rows, columns) as Python ints: left over at the bottom, left over at the right.
    """
    ### BEGIN SOLUTION
    return (height - WINDOW) % STRIDE, (width - WINDOW) % STRIDE
    ### END SOLUTION


# Two constants: my_sizes, a list of (height, width), and answer_1_6, one letter.
### BEGIN SOLUTION
my_sizes = [(14, 14), (15, 22), (33, 47), (64, 37)]
answer_1_6 = "C"
### END SOLUTION

# %% nbgrader={"grade_id": "check_1_6", "points": 8}
check("1.6")

# %%
print("    image   unseen   norm of the difference")
for height, width in [(16, 16), (28, 28), *my_sizes]:
    distance = difference_norm(net, twin, torch.rand(2, 3, height, width), WINDOW, STRIDE)
    print(f"{height:4} ×{width:3}   {unseen(height, width)}   {distance:.1e}")

# %% [markdown]
# Values below 1e-5, and most of these are about 1e-7, are rounding: there the two procedures add
# the same numbers in another order, and floats do not forgive that entirely (PyTorch's note on
# [numerical accuracy](https://docs.pytorch.org/docs/stable/notes/numerical_accuracy.html) says
# why). So never ask floats for a difference of exactly zero.

# %% [markdown]
# ## Task 1.7 · What it saves (8 points)
#
# - `time_both` measures both procedures, once for each side, on one random image (1, 3, side, side)
#   with window 14 and stride 2: your `slide(net, …)` against `twin(…)`, **without gradients**. The
#   first run of anything is slow, so take the best or the median of a few runs.
# - `plot_times` draws two plots side by side in one figure made with `plt.subplots`. Left: both
#   times against the side, two lines with labels and a legend. Right: the ratio against the side.
#   Every axis has a label; a logarithmic scale is up to you.
#
# Times are shown and never graded; machines differ. These two functions earn 4 points; the other
# 4 are for the explanation that follows the plot.


# %% nbgrader={"grade_id": "task_1_7", "solution": true}
def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    """Time the sequential and the convolutional procedure on square images.

    Args:
        net: classifier, maps (M, 3, 14, 14) to (M, K).
        twin: its fully convolutional twin.
        sides: sides of the images, pixels, each at least 14.

    Returns:
        One dict a side, in order, with the keys "side" (pixels), "sequential_s" and
        "convolutional_s" (seconds, positive) and "ratio" (sequential_s / convolutional_s).
    """
    ### BEGIN SOLUTION
    rows = []

    def best_seconds(procedure):
        seconds = []
        for _ in range(5):
            start = perf_counter()
            procedure()
            seconds.append(perf_counter() - start)
        return min(seconds)

    for side in sides:
        images = torch.rand(1, 3, side, side)
        with torch.no_grad():
            sequential = best_seconds(lambda x=images: slide(net, x, WINDOW, STRIDE))
            convolutional = best_seconds(lambda x=images: twin(x))
        row = {"side": side, "sequential_s": sequential, "convolutional_s": convolutional}
        rows.append({**row, "ratio": sequential / convolutional})
    return rows
    ### END SOLUTION


def plot_times(rows: list[dict[str, float]]) -> Figure:
    """Plot what `time_both` measured.

    Args:
        rows: the list that `time_both` returns.

    Returns:
        A Figure with two Axes: the times of both procedures on the left, their ratio on the right.
    """
    ### BEGIN SOLUTION
    sides = [row["side"] for row in rows]
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for key, label, marker in (
        ("sequential_s", "sequential", "o"),
        ("convolutional_s", "convolutional", "s"),
    ):
        left.plot(sides, [1000 * row[key] for row in rows], marker=marker, label=label)
    left.set(xlabel="side of the image, pixels", ylabel="time, ms", yscale="log")
    left.legend()
    right.plot(sides, [row["ratio"] for row in rows], marker="o", color="black")
    right.set(xlabel="side of the image, pixels", ylabel="sequential / convolutional")
    right.axhline(1, color="grey", linestyle=":")
    return fig
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_7", "points": 4}
check("1.7")

# %% [markdown]
# Measured in a few seconds, on your machine:

# %%
from detlab.picture import Described

times = time_both(net, twin, sides=(14, 20, 28, 42, 56, 70, 98))
said = "; ".join(f"{row['ratio']:.1f} at side {row['side']:g}" for row in times)
Described(plot_times(times), f"Times of both procedures, and their ratio: {said}.")

# %% [markdown]
# **What you should see.** On the left two rising curves, on the right a ratio that starts near 1,
# or even below, and climbs to somewhere between 2 and 6. A curve that jumps up and down tells of a
# machine that was busy with something else: run the cell again. (How to measure times well is a
# subject of its own; see PyTorch's [recipe for
# benchmarks](https://docs.pytorch.org/tutorials/recipes/recipes/benchmark.html).)

# %% [markdown]
# **Explain your plot (4 points, by hand).** Where does the saving come from, and which layers save
# nothing? Support it with numbers: for a large image, count the multiplications per window in
# the convolution and in the linear layers, in both procedures. Why is nothing saved at side 14?

# %% [markdown] nbgrader={"grade_id":"task_1_7_explain","solution":true,"manual":true,"points":4}
# <!-- ### BEGIN SOLUTION -->
# Windows overlap: away from the border each pixel lies in 7·7 = 49 of them, and the sequential
# procedure runs convolution, ReLU and pooling on it 49 times. The twin computes each cell of these
# maps once and every window reads it from there. Per window, the sequential convolution makes
# 10·10 cells × 75 weights × 16 channels = 120,000 multiplications; the twin's, on a large image,
# 2·2 new cells × 75 × 16 = 4,800, which is 25 times fewer. Pooling shrinks likewise, from 25 cells
# per window to 1. The linear layers save nothing: 160,000 + 160,000 + 1,600 = 321,600 per window in
# both. So the multiplications fall from 441,600 to 326,400 only (a ratio of 1.35); the time falls
# by more (about 4 on two cores), since pooling and cutting windows out move much memory but
# multiply nothing. At side 14 there is a single window, so nothing overlaps and both do the same
# work (the twin may even lose: a convolution on one cell has more overhead than a linear layer).
#
# Marking: 1 for the overlap computed once, 1 for the count of the convolution, 1 for linear layers
# that save nothing, 1 for the single window at side 14. The measured ratio itself earns nothing.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## Task 1.8 · Other layers, other windows (12 points)
#
# So far we chose the window and the stride, and they happened to fit. Do they always? Change the
# architecture and see.
#
# - `build_with_conv`: the network of task 1.2 with one more `Conv2d(16, 16, 3)` and its ReLU right
#   after the max-pooling.
# - `build_with_pool`: the network of task 1.2 with one more `MaxPool2d(2)` right after the first.
#
# Return an `nn.Sequential` as in task 1.2, for the cell below converts it; any module with the
# right layers counts.
#
# In both, the first linear layer still has 400 inputs, a map of 16×5×5; so the window must grow.
# For which window size and stride do the sequential and the convolutional procedure coincide again,
# on images of every size? Put your answers into
# `coincide = {"conv": (size, stride), "pool": (size, stride)}`, in pixels, and verify them below.


# %% nbgrader={"grade_id": "task_1_8", "solution": true}
def build_with_conv() -> nn.Module:
    """Build the network with a second convolution, 3×3, 16 to 16 channels, after the pooling.

    Returns:
        A module with fresh random weights; maps (N, 3, size, size) float to (N, 4), raw scores,
        for the size of `coincide["conv"]`.
    """
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, kernel_size=3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )
    ### END SOLUTION


def build_with_pool() -> nn.Module:
    """Build the network with a second 2×2 max-pooling after the first.

    Returns:
        A module with fresh random weights; maps (N, 3, size, size) float to (N, 4), raw scores,
        for the size of `coincide["pool"]`.
    """
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )
    ### END SOLUTION


# The constant coincide: {"conv": (size, stride), "pool": (size, stride)}, ints, pixels.
### BEGIN SOLUTION
coincide = {"conv": (18, 2), "pool": (24, 4)}
### END SOLUTION

# %% nbgrader={"grade_id": "check_1_8", "points": 12}
check("1.8")

# %%
variants = {"conv": build_with_conv(), "pool": build_with_pool()}
for name, variant in variants.items():
    images = torch.rand(2, 3, 51, 66)
    distance = difference_norm(variant, convolutionalize(variant), images, *coincide[name])
    print(f"one more {name}: norm of the difference {distance:.1e}")

# %% [markdown]
# ## Task 1.9 · The formula (24 points)
#
# No more guessing: the layers alone determine the windows. Derive the formulas on paper first.
#
# Follow two numbers from the image upwards, both in pixels. The **size** is how much of the image
# one cell of the current map sees; the **jump** is how far apart the windows of two neighbouring
# cells lie. For the image itself, both are 1. Now add one layer: it takes its inputs from cells
# that are one *jump* apart, or several if it is dilated. How much further does the last of them
# see than the first? And how far does it move on in the image when it takes one step on its map?
# After the last layer, size and jump are the side of the stack's windows and the *stride* between
# them. The picture shows two neighbouring output cells, along one axis.

# %%
draw_receptive_field([Step("conv 3", 3), Step("max-pool 2", 2, 2), Step("conv 3", 3)], (0, 1), 14)

# %% [markdown]
# `window_grid(layers, input_size)` does it for any stack:
#
# - `layers` is an `nn.Sequential`, a list or any other iterable of modules, in order, not nested;
# - `Conv2d` has no padding, a square kernel, and any stride and dilation, the same in both
#   directions; `MaxPool2d` has kernel size 2, any stride, no padding, no dilation, and rounds down;
#   all other layers (`ReLU`, `BatchNorm2d`, `Dropout2d`, `Identity`, …) leave the map's size alone;
# - `kernel_size`, `stride` and `dilation` of a layer are sometimes an int and sometimes a pair of
#   ints: `Conv2d` always stores pairs, `MaxPool2d` stores what it was given;
# - it reads the layers and runs none of them; an empty stack has windows of one pixel, stride 1;
# - `count` is (rows, columns), and 0 in a direction in which the image is smaller than a window.
#
# `window_box(grid, i, j)` returns the window of output cell (row i, column j) as
# (x_min, y_min, x_max, y_max), ints in pixels: x to the right, y down, the maxima **exclusive**, so
# that `image[:, y_min:y_max, x_min:x_max]` is the window.


# %% nbgrader={"grade_id": "task_1_9", "solution": true}
def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    """Find which windows of an image a stack of layers looks at.

    Args:
        layers: unpadded Conv2d, MaxPool2d of kernel size 2, and layers that keep the map's size.
        input_size: (height, width) of the image, pixels, at least 1.

    Returns:
        WindowGrid(size, stride, count), all Python ints: side of a window and distance of
        neighbouring windows in pixels, and (rows, columns) of the output, 0 where none fits.
    """
    ### BEGIN SOLUTION
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = layer.kernel_size, layer.stride, layer.dilation
            kernel, stride, dilation = (v if isinstance(v, int) else v[0] for v in settings)
            size += (kernel - 1) * dilation * jump
            jump *= stride
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
    ### END SOLUTION


def window_box(grid: WindowGrid, i: int, j: int) -> tuple[int, int, int, int]:
    """Find the window that an output cell answers for.

    Args:
        grid: the grid of windows.
        i: row of the output cell, from 0.
        j: column of the output cell, from 0.

    Returns:
        (x_min, y_min, x_max, y_max), ints, pixels; x_max and y_max are exclusive.
    """
    ### BEGIN SOLUTION
    x_min, y_min = j * grid.stride, i * grid.stride
    return x_min, y_min, x_min + grid.size, y_min + grid.size
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_9", "points": 24}
check("1.9")

# %% [markdown]
# The second picture of this notebook had its numbers typed in by hand. Here it is once more, from
# the layers and your formula; the two must be the same. Your answers to task 1.8 follow from it,
# too.

# %%
first, pooling, whole_map = nn.Conv2d(3, 16, 5), nn.MaxPool2d(2), nn.Conv2d(16, 400, 5)
grid = WindowGrid(*window_grid([first, pooling, whole_map], (28, 28)))
print(grid)
stacks = {
    "conv": [first, pooling, nn.Conv2d(16, 16, 3), whole_map],
    "pool": [first, pooling, pooling, whole_map],
}
for name, stack in stacks.items():
    size, stride, _ = window_grid(stack, (51, 66))
    print(f"one more {name}: formula {(size, stride)}, your answer to 1.8 {coincide[name]}")
draw_windows_and_cells(photo, [window_box(grid, i, j) for i, j in cells], cells, grid.count)

# %% [markdown]
# A harder stack, with a strided and a dilated convolution. Now ask PyTorch itself: the gradient of
# one output cell with respect to the image is zero wherever the cell does not look. The bright
# pixels must fill your boxes and never leave them.
#
# The formula says what a cell *can* see. How much each pixel counts is another question: in deep
# networks the middle of a window counts far more than its rim ([Luo et al.
# 2016](https://arxiv.org/abs/1701.04128)).

# %%
stack = nn.Sequential(
    nn.Conv2d(3, 32, 5, stride=2),
    nn.ReLU(),
    nn.Conv2d(32, 32, 3, dilation=2),
    nn.BatchNorm2d(32),
    nn.MaxPool2d(kernel_size=2),
).eval()
picture = torch.rand(1, 3, 40, 56, requires_grad=True)
output = stack(picture)
grid = WindowGrid(*window_grid(stack, (40, 56)))
print(grid, "and the output has", tuple(output.shape[2:]), "cells")

looked_at = [(0, 0), (2, 6), (6, 3)]
picked = torch.stack([output[0, :, i, j].abs().sum() for i, j in looked_at])
(gradient,) = torch.autograd.grad(picked.sum(), picture)
brightness = gradient[0].abs().sum(0, keepdim=True)
found = [window_box(grid, i, j) for i, j in looked_at]
draw_windows_and_cells((brightness / brightness.max()).sqrt(), found, looked_at, grid.count)

# %% [markdown]
# From the layers of a convolutional network alone you can now tell which windows it looks at,
# before it has seen a single image. Next week such a network says where a digit is, once in every
# window.
#
# **To read on.** [Araujo et al. 2019](https://distill.pub/2019/computing-receptive-fields/) derive
# the same formula, with padding and branches, under its usual name: what we call a cell's window is
# its *receptive field*. [Dumoulin and Visin 2016](https://arxiv.org/abs/1603.07285) draw all
# kinds of convolutions, step by step.

# %% [markdown]
# ## Questions that come up
#
# **`mat1 and mat2 shapes cannot be multiplied (1x576 and 400x400)`: what does it want?** The first
# linear layer takes 16·5·5 = 400 numbers and was given 16·6·6 = 576. Either the image has 16×16
# pixels, and the classifier takes 14×14 only: which layer complains, and why, is the question of
# task 1.1; the twin is the one that takes larger images. Or the image is right, and your
# convolution's kernel is 3×3 and not 5×5. (The number before the x is that of the images.)
#
# **Everything works on square images, but a check says that something is wrong.** Try an image that
# is higher than wide, such as 20×34, and a batch of two. Rows come before columns everywhere in
# PyTorch, x before y only in boxes.
#
# **My twin answers right, yet it does not follow the net's weights.** Then it has weights of its
# own, equal to those of the net by copying. Which operations copy, and which look at the same
# memory? See [tensor views](https://docs.pytorch.org/docs/stable/tensor_view.html), and the hint
# in brackets in task 1.4.
#
# **The norms of both outputs are the same to the last digit. Is that not enough?** No: shuffle
# the cells of one of them, and the norms still agree. Take the norm of the difference.
#
# **The difference is 1e-7 and not 0. Where is the mistake?** There is none, see below task 1.6.
#
# **At side 14 my twin is slower. Is it wrong?** No: times of a fraction of a millisecond are mostly
# overhead. Why nothing is saved there is the last question of task 1.7.
#
# **`'int' object is not subscriptable` in `window_grid`, or `unsupported operand` and a tuple.** A
# layer's settings are sometimes an int and sometimes a pair; the statement says which layers store
# what.
#
# **What if layers have padding, as in most networks?** Size and jump stay the same; only the first
# window then begins outside of the image. So it is in week 4's network.
#
# **The check passes here, but `detlab check` says something else.** The notebook may still
# remember a cell that you have changed or deleted: *Kernel → Restart Kernel and Run All Cells*.
