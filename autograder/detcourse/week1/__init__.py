"""What the hidden checks of week 1 share: networks."""
