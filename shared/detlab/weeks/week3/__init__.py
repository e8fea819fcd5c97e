"""Week 3: a small SSD for scenes of digits."""
