"""Tools of week 4's checks."""

from detlab.weeks.training_tools import asking_loader
from detlab.weeks.week4.tools.chance import draws, windows_drawn
from detlab.weeks.week4.tools.convolutions import (
    convolutions_of,
    gradients_of_map,
    other_parameters,
    weights_called,
    why_not_handed_in,
)
from detlab.weeks.week4.tools.optimizers import (
    adam_for,
    bytes_of,
    counted_loader,
    file_of,
    groups_of,
    idle_steps,
    is_sgd,
    open_file,
    passes_of,
    rate_of,
    rates_during,
    reopened,
    sgd_for,
    sgd_of_rates,
    sgd_with_momentum,
    short_schedule,
    step_with,
    take_steps,
)
from detlab.weeks.week4.tools.stubs import stub, tiny_detector
from detlab.weeks.week4.tools.vgg import vgg_weights

__all__ = [
    "adam_for",
    "asking_loader",
    "bytes_of",
    "convolutions_of",
    "counted_loader",
    "draws",
    "file_of",
    "gradients_of_map",
    "groups_of",
    "idle_steps",
    "is_sgd",
    "open_file",
    "other_parameters",
    "passes_of",
    "rate_of",
    "rates_during",
    "reopened",
    "sgd_for",
    "sgd_of_rates",
    "sgd_with_momentum",
    "short_schedule",
    "step_with",
    "stub",
    "take_steps",
    "tiny_detector",
    "vgg_weights",
    "weights_called",
    "why_not_handed_in",
    "windows_drawn",
]
