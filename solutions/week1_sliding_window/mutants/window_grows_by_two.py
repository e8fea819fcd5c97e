"""task: 1.8
does: enlarges the window by the pixels of the 3×3 convolution, as if nothing were pooled before
hint: The new convolution needs two more cells of its map on each axis. How many pixels of the
image is a cell of that map?
"""

coincide = {"conv": (16, 2), "pool": (24, 4)}
