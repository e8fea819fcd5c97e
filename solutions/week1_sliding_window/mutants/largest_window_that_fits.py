"""task: 1.8
does: takes the largest window that the classifier accepts, 27 pixels
hint: The classifier accepts your window, but so it does smaller ones: pooling drops what is left
over. How many pixels does an answer really depend on, and what if the image is exactly that large?
"""

coincide = {"conv": (18, 2), "pool": (27, 4)}
