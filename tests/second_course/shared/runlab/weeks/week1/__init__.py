"""Week 1: runs of bits."""
