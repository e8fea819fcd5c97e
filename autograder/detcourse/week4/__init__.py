"""What the hidden checks of week 4 share: annotations, chance, networks, trainings."""
