"""Tools of week 2's checks."""

from detlab.weeks.training_tools import (
    add_to_loader,
    asking_terms,
    budgeted_loader,
    given_terms,
    loader_of_epochs,
    progress_of,
    record_training,
    training_record,
)

__all__ = [
    "add_to_loader",
    "asking_terms",
    "budgeted_loader",
    "given_terms",
    "loader_of_epochs",
    "progress_of",
    "record_training",
    "training_record",
]
