"""What the hidden checks of week 2 share: scenes of one digit, and their training."""
