"""Commands of this course's own. Only light imports here: help must come at once."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from detgrader.course import Course


def train_reference(
    week: Annotated[str, typer.Argument(help="Name of the week.", show_default=False)],
    data: Annotated[str, typer.Option(help="digits, bccd or voc.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="File with a VGG-16 or ResNet-34; torchvision's is fetched without."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and results.")] = Path(
        "out/train"
    ),
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the images; else as the recipe says.", min=1)
    ] = None,
) -> None:
    """Train the reference of week 4 or 5 for real; started again, it goes on where it stopped."""
    from detcourse.reference.training import train_reference

    train_reference(Course.find(), data, weights, out, Console(), epochs, week)
