"""task: 4.11
does: counts missing classes as 0 in the mean
hint: By how many classes is your mean divided, and how many have a value?
"""


def precision_table(precisions: Mapping[int, float], names: Sequence[str]) -> str:
    width = max(len(name) for name in ["mean", *names])
    rows = [(name, precisions.get(n)) for n, name in enumerate(names, 1)]
    mean = sum(precisions.values()) / len(names) if precisions else None
    return "\n".join(
        f"{name:{width}}  {'-' if value is None else f'{value:.3f}'}"
        for name, value in [*rows, ("mean", mean)]
    )
