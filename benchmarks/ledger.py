"""What the benchmarks measured, run after run, and how a run compares with those before.

Each run is a line of `ledger.jsonl`. What is compared are ratios, peer ÷ ours: more is better, and
where another program keeps the machine busy both sides are slower.
"""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LEDGER = Path(__file__).parent / "ledger.jsonl"
LAST_RUNS = 10  # of those before: older code says little
LEAST_NOISE = 0.05  # quieter than this no two runs are relied on to be
UNKNOWN_NOISE = 0.15  # where fewer than three runs say nothing yet
MANY_TIMES = 3  # the usual difference of two runs


@dataclass(frozen=True)
class Run:
    """One run of a benchmark.

    Attributes:
        benchmark: its file's name without the ending.
        commit: short hash, with "+" where tracked files were changed.
        date: day and minute, UTC.
        processor: its model.
        cores: those that the run could use.
        python: version.
        torch: version.
        load: average load of the machine in the minute before the end.
        settings: options that change what is measured.
        rounds: turns of each program.
        ratios: by name, how many times our seconds a peer needs.
        figures: by name, seconds.
    """

    benchmark: str
    commit: str
    date: str
    processor: str
    cores: int
    python: str
    torch: str
    load: float
    settings: dict[str, int]
    rounds: int
    ratios: dict[str, float]
    figures: dict[str, float]

    def is_like(self, other: "Run") -> bool:
        """Say whether two runs measured the same thing on machines that look the same."""
        mine, others = (
            (run.benchmark, run.processor, run.cores, run.settings) for run in (self, other)
        )
        return mine == others


def append(
    benchmark: str,
    rounds: int,
    ratios: Mapping[str, float],
    figures: Mapping[str, float],
    ledger: Path = LEDGER,
    **settings: int,
) -> Run:
    """Add a run that has just ended to the ledger."""
    run = Run(
        benchmark,
        commit=commit_of(ledger),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        processor=processor_model(),
        cores=cores(),
        python=platform.python_version(),
        torch=version("torch"),
        load=round(os.getloadavg()[0], 1),
        settings=settings,
        rounds=rounds,
        ratios={name: to_four_digits(value) for name, value in ratios.items()},
        figures={name: to_four_digits(value) for name, value in figures.items()},
    )
    with ledger.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(run), ensure_ascii=False) + "\n")
    return run


def read(ledger: Path = LEDGER) -> list[Run]:
    """Return all runs, the oldest first.

    Raises:
        ValueError: a line is no run; with its number.
    """
    runs = []
    for number, line in enumerate(ledger.read_text("utf-8").splitlines(), 1):
        try:
            runs.append(Run(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{ledger}, line {number}, is no run: {error}") from error
    return runs


def commit_of(ledger: Path) -> str:
    """Return the short hash of the ledger's checkout, "+" added where tracked files were changed.

    The ledger itself does not count: every run changes it. Without git it is "unknown".
    """

    def git(*words: str) -> str:
        command = ["git", "-C", str(ledger.parent), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    others = (":(top)", f":(exclude){ledger.name}")
    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *others)
        return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_model() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "")


def to_four_digits(value: float) -> float:
    """Round a figure to what may be believed of it."""
    return float(f"{value:.4g}")


@dataclass(frozen=True)
class Change:
    """One ratio of the last run, and those of the runs before.

    Attributes:
        name: of the ratio.
        last: its value.
        before: in the runs before, the latest first; empty if there were none.
    """

    name: str
    last: float
    before: list[float]

    @property
    def usual(self) -> float:
        """The median of the runs before."""
        return statistics.median(self.before)

    @property
    def noise(self) -> float:
        """What two runs may differ by, as a share.

        A few times what a run usually differed by from the one before: usually, that is the median,
        so that a step which a change of the code once made is no noise.
        """
        pairs = zip(self.before, self.before[1:], strict=False)
        steps = [abs(later / earlier - 1) for later, earlier in pairs]
        if len(steps) < 2:
            return UNKNOWN_NOISE
        return max(LEAST_NOISE, MANY_TIMES * statistics.median(steps))

    @property
    def verdict(self) -> str:
        """What to say of it: "new", "worse", "better", or nothing.

        It is worse if it is worse than the run before or than usual, by more than the noise.
        """
        if not self.before:
            return "new"
        shares = [self.last / value - 1 for value in (self.before[0], self.usual)]
        if min(shares) < -self.noise:
            return "worse"
        return "better" if min(shares) > self.noise else ""


def runs_like(last: Run, runs: list[Run]) -> list[Run]:
    """Return the runs that the last one may be compared with, the latest first."""
    return [run for run in reversed(runs) if run.is_like(last)][:LAST_RUNS]


def changes(last: Run, before: list[Run]) -> list[Change]:
    """Compare the ratios of the last run with those of `runs_like` it."""
    return [
        Change(name, value, [run.ratios[name] for run in before if name in run.ratios])
        for name, value in last.ratios.items()
    ]
