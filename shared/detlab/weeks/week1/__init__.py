"""Week 1: sequential and convolutional sliding windows."""
