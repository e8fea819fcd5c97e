"""task: 1.6
does: tries even sides only, which leave no pixel over
hint: None of your sides is odd, so no image has a line that is left over. Read again what your
list must hold.
"""

my_sizes = [(14, 20), (28, 28), (36, 64), (100, 14)]
