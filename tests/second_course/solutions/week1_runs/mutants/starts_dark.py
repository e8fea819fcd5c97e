"""task: 1.2
does: begins with 0 whatever the runs say
hint: This is right for half of all strings. With which bit does yours begin?
"""


def decode(runs: Runs) -> str:
    return "".join(str(n % 2) * length for n, length in enumerate(runs.lengths))
