"""Week 4: the full SSD300."""
