"""task: 1.3
does: keeps the states by pattern and averages, in double precision
"""


def learn(rows: list[str]) -> Tensor:
    after = [[] for _ in range(8)]
    for row in rows:
        for a, b, c, state in zip(row, row[1:], row[2:], row[3:], strict=False):
            after[int(a + b + c, 2)].append(int(state))
    chances = [sum(states) / len(states) if states else 0.5 for states in after]
    return torch.tensor(chances, dtype=torch.float64)
