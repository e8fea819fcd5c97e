"""The staff's command line. Only light imports here: help must come at once."""

import atexit
import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from detgrader.course import Course, CourseError, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Release, grade and audit the weeks of a course.",
)
console = Console(emoji=False)  # `:b:` in an answer stays what it is
errors = Console(stderr=True, emoji=False)
Week = Annotated[str, typer.Argument(help="Name of a folder in solutions/.", show_default=False)]
Jobs = Annotated[int, typer.Option(help="Submissions graded side by side.", min=1)]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def say(text: str) -> None:
    """Print a line as it is."""
    console.print(text, markup=False, soft_wrap=True)


def stop(message: object, status: int = 2) -> NoReturn:
    """Print an error for people and leave."""
    errors.print(f"[bold red]error:[/] {escape(str(message))}", soft_wrap=True)
    raise typer.Exit(status)


@contextmanager
def errors_for_people(interrupted: str = "no results were written") -> Iterator[None]:
    """Turn the errors that people can mend into a message and an exit status.

    Args:
        interrupted: what an interrupt has come to.
    """
    from detgrader.classroom.batch import NoIsolation
    from detgrader.sandbox.host import SandboxError

    try:
        yield
    except CourseError as error:
        stop(error)
    except (NoIsolation, SandboxError) as error:
        stop(error, 1)
    except KeyboardInterrupt:
        errors.print(f"Interrupted: {interrupted}.", soft_wrap=True)
        raise typer.Exit(130) from None


@contextmanager
def progress_for(count: int) -> Iterator[Any]:
    """Show a bar on a terminal, and a plain line for each submission elsewhere."""
    from detgrader.classroom.reports import summary

    if not console.is_terminal:
        done = iter(range(1, count + 1))
        yield lambda result: console.print(
            f"[{next(done)}/{count}] {summary(result)}", markup=False, soft_wrap=True
        )
        return
    with bar_for(count) as on_result:
        yield on_result


@contextmanager
def bar_for(count: int, words: str = "to grade") -> Iterator[Callable[[object], None]]:
    """Show a bar on a terminal, and elsewhere one line."""
    if not console.is_terminal:
        say(f"{count} {words} …")
        yield lambda result: None
        return
    # Without a refreshing thread: grading processes are forked while the bar is shown.
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(words, total=count)
        bar.refresh()
        yield lambda result: bar.update(task, advance=1, refresh=True)


@app.command()
def release(
    weeks: Annotated[list[str] | None, typer.Argument(help="Weeks; all by default.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare only; write nothing.")] = False,
) -> None:
    """Build the students' notebooks from the sources."""
    from detgrader.authoring import release as builder

    with errors_for_people():
        course = Course.find()
        problems = []
        for week in weeks or []:
            course.source(week)  # an unknown week is wrong usage
        for week in weeks or course.weeks():
            try:
                if check:
                    builder.check(course, week)
                    say(f"{week}: the release is what the source builds")
                else:
                    path = builder.write(course, week)
                    say(f"{week}: wrote {course.display(path)}")
            except CourseError as error:
                problems.append(str(error))
        if problems:
            stop("\n".join(problems), 1)


@app.command()
def grade(
    week: Week,
    submissions: Annotated[
        list[Path],
        typer.Argument(help="Notebooks, folders or zips of a class.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    jobs: Jobs = CORES,
    roster: Annotated[Path | None, typer.Option(help="The class as a CSV file.")] = None,
    allow_no_isolation: Annotated[
        bool,
        typer.Option(
            "--allow-no-isolation", help="Grade even where students' code cannot be confined."
        ),
    ] = False,
) -> None:
    """Grade a class: notebooks of one week, in the layout of any platform.

    Exit status: 0 when every submission was graded, whatever it scored; 1 when one could
    not be; 2 for wrong usage.
    """
    from detgrader.assignment import load_assignment
    from detgrader.classroom import reports
    from detgrader.classroom.batch import default_secret, grade_batch
    from detgrader.classroom.handed_in import find_submissions
    from detgrader.classroom.layouts import Weeks
    from detgrader.classroom.roster import read_roster
    from detgrader.grading.orders import Order

    if out.exists() and not out.is_dir():
        stop(f"{out} is not a folder: name another with --out")
    secret = default_secret()
    with errors_for_people():
        course = Course.find()
        found = find_submissions(
            submissions,
            load_assignment(course, week),
            Weeks(week, tuple(other for other in course.weeks() if other != week)),
            out / "kept" / "unpacked",
            read_roster(roster) if roster else None,
        )
        for line in found.lines():
            say(line)
        with progress_for(len(found.submissions)) as on_result:
            batch = grade_batch(
                course,
                week,
                lambda assignment: [Order(one) for one in found.submissions],
                min(jobs, len(found.submissions)),
                secret=secret,
                allow_no_isolation=allow_no_isolation,
                on_result=on_result,
            )
        for result in batch.submissions:
            if len(batch.submissions) <= 4 or result.error:
                reports.print_submission(console, result, batch.isolation)
        if len(batch.submissions) > 1:
            reports.print_class(console, batch)
        reports.print_files(console, reports.write_reports(batch, out, secret))
    sys.exit(0 if all(result.graded for result in batch.submissions) else 1)


@app.command()
def audit(
    week: Week,
    task: Annotated[str, typer.Option(help="Only this task's overlays and junk: 3.8.")] = "",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this overlay, no junk; may be repeated.")
    ] = None,
    secrets: Annotated[int, typer.Option(help="Try so many secrets.", min=1)] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Reuse nothing.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out tasks that train or measure for long.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write the outcome to this file.")] = None,
    jobs: Jobs = CORES,
) -> None:
    """Test a week's checks: reference, stub, mutants, variants, junk, and margins of the limits.

    What has not changed since the last audit is not graded again.

    Exit status: 0 when the reference earns everything, the stub nothing, every mutant is
    caught, every variant accepted, junk earns nothing and breaks no check, and no limit is near;
    1 otherwise; 2 for wrong usage.
    """
    from detgrader.audit import audit as auditing
    from detgrader.audit import words
    from detgrader.audit.cases import Selection
    from detgrader.classroom.batch import SECRET_VARIABLE
    from detgrader.files import write_json, write_text

    secret = os.environ.get(SECRET_VARIABLE) or auditing.SECRET
    selection = Selection(task, tuple(only or ()))
    request = auditing.Request(
        selection, auditing.several(secret, secrets), fresh, jobs, costly=not quick
    )
    with errors_for_people("what was graded is kept, and the next audit goes on from there"):
        course = Course.find()
        course.source(week)  # an unknown week is wrong usage
        outcome = auditing.run_audit(course, week, request, bar_for)
        log = auditing.results_file(course, week).with_suffix(".log")
        write_text(log, words.staff_log(outcome), mode=0o600)
        words.print_audit(console, outcome)
        if json:
            write_json(json, outcome.as_json())
    sys.exit(0 if outcome.clean else 1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the submissions and results.")] = Path(
        "out/demo"
    ),
    jobs: Jobs = CORES,
) -> None:
    """Grade a small class for real: the reference, the stub, a mistaken one, a hostile one."""
    from detgrader import demo as class_of_four
    from detgrader.classroom import reports
    from detgrader.classroom.batch import default_secret, grade_batch, take_in_all

    secret = default_secret()
    with errors_for_people():
        course = Course.find()
        paths = class_of_four.build_class(course, out / "submissions")
        for line in class_of_four.explanation(course, out / "submissions"):
            say(line)
        with progress_for(len(paths)) as on_result:
            batch = grade_batch(
                course,
                class_of_four.demo_settings(course).week,
                take_in_all(paths),
                jobs,
                secret=secret,
                allow_no_isolation=True,
                on_result=on_result,
            )
        for result in batch.submissions:
            reports.print_submission(console, result, batch.isolation)
        reports.print_class(console, batch)
        if batch.isolation == "none":
            say("No sandbox works here, so this ran without one: see `detgrader doctor`.")
        reports.print_files(console, reports.write_reports(batch, out, secret))


@app.command()
def doctor() -> None:
    """Find out what works on this machine.

    Exit status: 0 when official grading works here, 1 otherwise.
    """
    from detgrader.doctor import examine

    broken = False
    with errors_for_people():
        for finding in examine(Course.find()):
            mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: " "}[finding.works]
            console.print(f"{mark} {finding.what:28} {escape(finding.found)}", soft_wrap=True)
            if finding.works is False:
                console.print(f"      {finding.advice}", markup=False, soft_wrap=True)
                broken = True
    sys.exit(1 if broken else 0)


def main() -> None:
    """Run the command line: the engine's commands, and those of the course around."""
    with errors_for_people():
        try:
            commands = Course.find().settings.commands
        except CourseError:
            commands = {}  # told by the command that needs a course
        for name, target in commands.items():
            function = load(target)
            app.command(name)(with_errors_for_people(function))
    try:
        app()
    except SystemExit as end:
        leave(end)


def leave(end: SystemExit) -> NoReturn:
    """End the process at once: Python takes half a second to take torch down, object by object."""
    if not isinstance(end.code, int):
        raise end
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(end.code)


def with_errors_for_people(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose errors are told like the engine's."""

    @functools.wraps(function)
    def command(*arguments: Any, **options: Any) -> None:
        with errors_for_people():
            function(*arguments, **options)

    return command
