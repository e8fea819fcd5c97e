"""An audit in words: on the screen, and in the staff's log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from detgrader.audit.cases import Kind
from detgrader.audit.verdicts import Audit, Problem

# So many names of submissions that fail alike are listed.
MAX_NAMES = 6
COLUMNS = ("mutants", "caught", "hinted", "told", "variants", "accepted", "junk", "stood")
SHOULD_BE = {"caught": "mutants", "accepted": "variants", "stood": "junk"}


def print_audit(console: Console, audit: Audit) -> None:
    """Print a row for each task, all that must be mended, and the verdict."""
    console.print(table_of(audit))
    for line in remarks(audit):
        console.print(line, markup=False, soft_wrap=True)
    for lines in problems_in_words(audit.problems):
        console.print()
        console.print(f"[bold red]{escape(lines[0])}[/]", soft_wrap=True)
        for line in lines[1:]:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if audit.problems:
        console.print()
    console.print(summary(audit), markup=False, soft_wrap=True)
    console.print("[green]clean[/]" if audit.clean else "[bold red]not clean[/]")


def table_of(audit: Audit) -> Table:
    """Count mutants, variants and junk by task; what was not looked for has no column."""
    rows = {label: counts_of(audit, label) for label in audit.points}
    unasked = {"hinted", "told"} if audit.quick else set()
    if not audit.of_kind(Kind.JUNK):
        unasked |= {"junk", "stood"}
    table = Table(box=None, pad_edge=False)
    table.add_column("task", no_wrap=True)
    names = [name for name in COLUMNS if name not in unasked]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for label, counts in rows.items():
        if any(counts.values()):
            table.add_row(label, *(cell(counts, name) for name in names))
    return table


def counts_of(audit: Audit, label: str) -> dict[str, int]:
    """Return a task's numbers, by column."""
    counts: dict[str, int] = {}
    for name, good, kind in (
        ("mutants", "caught", Kind.MUTANT),
        ("variants", "accepted", Kind.VARIANT),
        ("junk", "stood", Kind.JUNK),
    ):
        own = [one for one in audit.of_kind(kind) if one.case.task == label]
        counts |= {name: len(own), good: sum(not one.problems for one in own)}
        if kind is Kind.MUTANT:
            counts["hinted"] = sum(one.hinted for one in own)
            counts["told"] = sum(audit.untold.get(one.case.name) == "" for one in own)
    return counts


def cell(counts: dict[str, int], name: str) -> str:
    """Return a number as it stands in the table: red if it should be that of another column."""
    text = str(counts[name]) if counts[name] else ""
    falls_short = counts[name] != counts[SHOULD_BE.get(name, name)]
    return f"[red]{counts[name]}" if falls_short else text


def remarks(audit: Audit) -> Iterator[str]:
    """Say what was left out, and what other secrets change."""
    for label, reason in audit.left_out.items():
        yield f"{label} and its overlays were left out. {reason}"
    for one in audit.differences:
        first, other = one.scores
        yield (
            f"{one.case.kind} {one.case.name} earns {first:g} points in {one.task}, and {other:g} "
            f"with the secret {one.secret!r}"
        )


def summary(audit: Audit) -> str:
    """Return the outcome in a line or two."""
    mutants, variants = audit.of_kind(Kind.MUTANT), audit.of_kind(Kind.VARIANT)
    junk = audit.of_kind(Kind.JUNK)
    stood = sum(not one.problems for one in junk)
    of_junk = f"{stood} of {len(junk)} pieces of junk stood\n" if junk else ""
    caught = sum(not one.problems for one in mutants)
    accepted = sum(not one.problems for one in variants)
    hinted = sum(one.hinted for one in mutants)
    with_hints = "" if audit.quick else f" ({hinted} with their hint)"
    asked, told = len(audit.untold), list(audit.untold.values()).count("")
    in_notebooks = f"{told} of {asked} mutants told by their hint in a notebook\n" if asked else ""
    return (
        f"reference {audit.share(Kind.REFERENCE):g} %, stub {audit.share(Kind.STUB):g} %, "
        f"{caught} of {len(mutants)} mutants caught{with_hints}, "
        f"{accepted} of {len(variants)} variants accepted\n"
        f"{in_notebooks}{of_junk}"
        f"{audit.graded} results graded, {audit.reused} reused"
    )


def problems_in_words(problems: Sequence[Problem]) -> Iterator[list[str]]:
    """Tell each problem in full, and those that differ in nothing but the submission once."""
    alike: dict[tuple[object, ...], list[Problem]] = defaultdict(list)
    for problem in problems:
        alike[alike_in(problem)].append(problem)
    for group in alike.values():
        yield in_words(group)


def alike_in(problem: Problem) -> tuple[object, ...]:
    """Return what two problems have in common that are told together."""
    checks = tuple((check.key, check.message, check.detail) for check in problem.checks)
    return problem.kind, problem.task, problem.what, problem.message, checks, problem.detail


def in_words(group: Sequence[Problem]) -> list[str]:
    """Tell a problem: of which submissions, what a student reads, and which checks say it."""
    first = group[0]
    names = [
        one.overlay + (f" with the secret {one.secret!r}" if one.secret else "") for one in group
    ]
    if len(names) > MAX_NAMES:
        names[MAX_NAMES:] = [f"{len(names) - MAX_NAMES} more"]
    who = f"{first.kind} {', '.join(names)}" if first.kind != first.overlay else " ".join(names)
    lines = [f"{first.task} {who}: {first.what}"]
    if first.message:
        lines += ["    a student reads:", *indented(first.message, 8)]
    for check in first.checks:
        lines.append(f"    {check.key}: {check.status.replace('_', ' ')}")
        lines += indented(check.detail, 8)
    return lines + indented(first.detail, 8)


def indented(text: str, by: int) -> list[str]:
    """Return the lines of a text, each some blanks to the right."""
    return [" " * by + line for line in text.splitlines()]


def staff_log(audit: Audit) -> str:
    """Return all of an audit that has no place on a screen, as text."""
    lines = [f"assignment {audit.week}", *remarks(audit), summary(audit)]
    for words in problems_in_words(audit.problems):
        lines += ["", *words]
    unhinted = [one for one in audit.of_kind(Kind.MUTANT) if not one.problems and not one.hinted]
    if unhinted and not audit.quick:
        lines += ["", "caught, but without their hint:"]
        lines += [f"    {one.case.task} {one.case.name}" for one in unhinted]
    untold = [f"    {name}: {why}" for name, why in audit.untold.items() if why]
    if untold:
        lines += ["", "not told by their hint in a notebook:", *untold]
    return "\n".join(lines) + "\n"
