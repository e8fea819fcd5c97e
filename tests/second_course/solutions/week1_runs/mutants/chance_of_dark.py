"""task: 1.3
does: learns the chance that a light is off
hint: Are these the chances that the light is on?
"""

learn_right = learn


def learn(rows: list[str]) -> Tensor:
    return 1 - learn_right(rows)
