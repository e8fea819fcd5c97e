"""task: 4.1
does: gives the background the last number
hint: Which number does the whole course give the background?
"""


def make_label_map(names: Sequence[str]) -> dict[str, int]:
    return {name: n for n, name in enumerate([*names, "background"])}
