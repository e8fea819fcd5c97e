"""Week 5, bonus: focal loss on a ResNet-34."""
