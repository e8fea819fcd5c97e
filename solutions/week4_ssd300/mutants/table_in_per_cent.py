"""task: 4.11
does: writes per cent
hint: How many decimals are wanted, and of which number?
"""


def precision_table(precisions: Mapping[int, float], names: Sequence[str]) -> str:
    width = max(len(name) for name in ["mean", *names])
    rows = [(name, precisions.get(n)) for n, name in enumerate(names, 1)]
    mean = sum(precisions.values()) / len(precisions) if precisions else None
    return "\n".join(
        f"{name:{width}}  {'-' if value is None else f'{100 * value:.1f}'}"
        for name, value in [*rows, ("mean", mean)]
    )
