"""task: 4.1
does: numbers the names from 0
hint: Your first name has the same number as the background. From which number do the names count?
"""


def make_label_map(names: Sequence[str]) -> dict[str, int]:
    return {"background": 0} | {name: n for n, name in enumerate(names)}
