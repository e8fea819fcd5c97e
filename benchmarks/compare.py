"""Tell how the last run of each benchmark compares with the ones before.

    python benchmarks/compare.py

How to read the tables stands in README.md beside this file.
"""

from ledger import LEDGER, Change, Run, changes, read, runs_like
from rich.console import Console
from rich.table import Table

COLOURS = {"worse": "bold red", "better": "green", "new": "dim", "": ""}
console = Console(width=max(100, Console().width))


def title_of(last: Run, before: list[Run]) -> str:
    """Say what was run last, where, and with what it is compared."""
    settings = "".join(f", {name} {value}" for name, value in last.settings.items())
    lines = [
        f"{last.benchmark}{settings} · {last.processor}, {last.cores} cores",
        f"last: {words_on(last)}",
        f"before: {words_on(before[0])}" if before else "before: none on such a machine",
    ]
    if len(before) > 1:
        lines[-1] += f", and {len(before) - 1} more"
    return "\n".join(lines)


def words_on(run: Run) -> str:
    """Say what a run was of, when, and how."""
    return (
        f"{run.commit}, {run.date}, Python {run.python}, torch {run.torch}, "
        f"{run.rounds} round{'s' * (run.rounds != 1)}, load {run.load}"
    )


def table_of(title: str, found: list[Change]) -> Table:
    """Show each ratio: last, before, usual, best, the noise, and what that says."""
    table = Table(title=title, title_justify="left", title_style="")
    table.add_column("peer ÷ ours: more is better")
    for heading in ("last", "before", "usual", "best", "noise", ""):
        table.add_column(heading, justify="right")
    for one in found:
        past = [""] * 4
        if one.before:
            values = (one.before[0], one.usual, max(one.before))
            past = [*(f"{value:.2f}" for value in values), f"± {one.noise:.0%}"]
        table.add_row(one.name, f"{one.last:.2f}", *past, one.verdict, style=COLOURS[one.verdict])
    return table


def main() -> None:
    """Print a table for each benchmark, and what got worse."""
    try:
        runs = read(LEDGER)
    except FileNotFoundError:
        raise SystemExit(
            f"there is no {LEDGER}: python benchmarks/detection.py begins one"
        ) from None
    except ValueError as error:
        raise SystemExit(str(error)) from error
    worse = []
    for benchmark in sorted({run.benchmark for run in runs}):
        *others, last = (run for run in runs if run.benchmark == benchmark)
        before = runs_like(last, others)
        found = changes(last, before)
        console.print(table_of(title_of(last, before), found))
        worse += [
            f"{benchmark}, {one.name}: {one.last:.2f}, {one.before[0]:.2f} in the run before, "
            f"{one.usual:.2f} usually"
            for one in found
            if one.verdict == "worse"
        ]
    if worse:
        console.print("[bold red]Worse by more than the noise of earlier runs:[/]")
        console.print("\n".join(worse), highlight=False, soft_wrap=True)
    else:
        console.print("Nothing is worse by more than the noise of earlier runs.")


if __name__ == "__main__":
    main()
