"""task: 1.2
does: does not count the first bit among the numbers
hint: You count the runs alone. What else must be written down, so that somebody can decode them?
"""


def pays(bits: str) -> bool:
    return len(encode(bits).lengths) < len(bits)
