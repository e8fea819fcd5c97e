"""task: 1.6
does: tries square images only
hint: All your images are square, so you would never notice height and width exchanged. Read again
what your list must hold.
"""

my_sizes = [(14, 14), (21, 21), (50, 50)]
