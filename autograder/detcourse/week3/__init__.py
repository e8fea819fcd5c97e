"""What the hidden checks of week 3 share: the training on scenes."""
