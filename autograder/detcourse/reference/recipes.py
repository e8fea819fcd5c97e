"""How the references of weeks 4 and 5 are trained on each set."""

from dataclasses import dataclass

WEEK, FOCAL_WEEK = "week4_ssd300", "week5_focal_loss"


@dataclass(frozen=True)
class Recipe:
    """How a set is learned.

    Attributes:
        epochs: passes over the images.
        batch_size: images of a step, over all processes together.
        rate: largest learning rate of AdamW with one cycle; None for the SGD of task 4.9.
        weight_decay: of AdamW.
        frozen: convolutions of VGG-16, or stages of ResNet-34, from the first, that keep their
            weights.
        localization: factor of the localization term. It is a mean over the four numbers of a box;
            4 makes it their sum, as in the paper of SSD.
        interpolation: of the average precision.
        one_scale: whether all images are taken at one scale (see `gentle`).
    """

    epochs: int
    batch_size: int
    rate: float | None
    weight_decay: float = 0.05
    frozen: int = 0
    localization: float = 1
    interpolation: str = "all-point"
    one_scale: bool = False


RECIPES = {
    "digits": Recipe(epochs=30, batch_size=8, rate=3e-4, frozen=4),
    "bccd": Recipe(epochs=30, batch_size=4, rate=2e-4, frozen=4, localization=4, one_scale=True),
    # 120,000 iterations of 32 of the 16,551 images
    "voc": Recipe(epochs=232, batch_size=32, rate=None, interpolation="11-point"),
}

# Of boxes in fractions an L1 distance of a hundredth is a good one: hence the large factors.
FOCAL_RECIPES = {
    "digits": Recipe(epochs=30, batch_size=8, rate=1e-3, localization=20),
    "bccd": Recipe(epochs=30, batch_size=8, rate=1e-3, localization=20, one_scale=True),
    "voc": Recipe(epochs=60, batch_size=32, rate=1e-3, localization=20, interpolation="11-point"),
}
