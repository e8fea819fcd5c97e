"""Tools of week 2's checks."""

from detlab.weeks.training_tools import (
    asking_loader,
    asking_terms,
    given_terms,
    loader_of_epochs,
    record_training,
    training_record,
)

__all__ = [
    "asking_loader",
    "asking_terms",
    "given_terms",
    "loader_of_epochs",
    "record_training",
    "training_record",
]
