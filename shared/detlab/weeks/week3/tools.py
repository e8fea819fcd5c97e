"""Tools of week 3's checks."""

from detlab.weeks.training_tools import (
    add_to_loader,
    batches,
    budgeted_loader,
    learning_of,
    progress_of,
)

__all__ = [
    "add_to_loader",
    "batches",
    "budgeted_loader",
    "learning_of",
    "progress_of",
]
