"""Tools of week 3's checks."""

from detlab.weeks.training_tools import (
    asking_loader,
    batches,
    learning_of,
)

__all__ = [
    "asking_loader",
    "batches",
    "learning_of",
]
