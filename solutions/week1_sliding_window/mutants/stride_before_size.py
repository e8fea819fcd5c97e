"""task: 1.8
does: gives the pairs as (stride, size)
hint: Your numbers are fine, but look at their order in each pair.
"""

coincide = {"conv": (2, 18), "pool": (4, 24)}
