"""task: 4.11
does: writes the values one after the other, whatever class they belong to
hint: Where a class is missing, the values after it stand in the wrong lines. By what do you look a
value up?
"""


def precision_table(precisions: Mapping[int, float], names: Sequence[str]) -> str:
    width = max(len(name) for name in ["mean", *names])
    values = [precisions[n] for n in sorted(precisions)] + [None] * len(names)
    rows = list(zip(names, values, strict=False))
    mean = sum(precisions.values()) / len(precisions) if precisions else None
    return "\n".join(
        f"{name:{width}}  {'-' if value is None else f'{value:.3f}'}"
        for name, value in [*rows, ("mean", mean)]
    )
