"""The staff's command line. Only light imports here: help must come at once."""

import atexit
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

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
    from detgrader.classroom.kept import CannotKeep
    from detgrader.sandbox.host import SandboxError

    try:
        yield
    except CourseError as error:
        stop(error)
    except (NoIsolation, SandboxError, CannotKeep) as error:
        stop(error, 1)
    except KeyboardInterrupt as error:
        (number,) = error.args or (signal.SIGINT,)
        errors.print(f"Interrupted: {interrupted}.", soft_wrap=True)
        raise typer.Exit(128 + number) from None


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
def bundle(
    out: Annotated[
        Path, typer.Argument(help="An empty folder, or a file .zip.", show_default=False)
    ],
    weeks: Annotated[str, typer.Option(help="Their numbers, as in 1-5; all by default.")] = "",
) -> None:
    """Write the students' repository: notebooks, their package, environment and instructions."""
    from detgrader.authoring import bundle as builder

    with errors_for_people("nothing, or a part of it, was written"):
        course = Course.find()
        builder.refuse_filled(out)
        names = builder.chosen(course, weeks)
        files = builder.files_of(course, names)
        builder.write(files, out)
        size = f"{len(files)} files, {builder.size_of(files) / 1e6:.1f} MB"
        say(f"{out}: {size}, with {', '.join(names)}")


@app.command()
def site(
    out: Annotated[
        Path, typer.Argument(help="A new or empty folder, or an earlier site.", show_default=False)
    ],
    jobs: Jobs = CORES,
) -> None:
    """Build the course's site: notebooks, guides, reference and results, to be read offline."""
    from detgrader.authoring import site as builder

    with errors_for_people("no site was written"):
        pages = builder.build(Course.find(), out, jobs, sys.stderr)
        say(f"{out}: {pages} pages; open {out / 'index.html'}")


@app.command()
def grade(
    week: Week,
    submissions: Annotated[
        list[Path],
        typer.Argument(help="Notebooks, folders or zips of a class.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the week's results.  [default: out/WEEK]")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Side by side; else one a core.", min=1)] = None,
    roster: Annotated[Path | None, typer.Option(help="The class as a CSV file.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this student; repeatable.")] = None,
    late: Annotated[
        Path | None, typer.Option(help="The rule about late submissions, a TOML file.")
    ] = None,
    marks: Annotated[
        Path | None, typer.Option(help="Written answers: written.csv, marked.")
    ] = None,
    gradebook: Annotated[
        Path | None, typer.Option(help="nbgrader's course: points go there, marks come from it.")
    ] = None,
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Grade also what has not changed.")
    ] = False,
    without: Annotated[str, typer.Option(help="`costly`: what takes long waits for later.")] = "",
    hold_back_until: Annotated[
        str, typer.Option(help="When students are told what the checks say; until then points.")
    ] = "",
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask cluster that grades; `local` starts one here.")
    ] = "",
    allow_no_isolation: Annotated[
        bool,
        typer.Option(
            "--allow-no-isolation", help="Grade even where students' code cannot be confined."
        ),
    ] = False,
) -> None:
    """Grade a class: notebooks of one week, in the layout of any platform.

    Each result is kept as soon as it is there, and what has not changed is not graded again.

    Exit status: 0 when every submission was graded, whatever it scored;
    1 when one could not be; 2 for wrong usage.
    """
    from detgrader.classroom.grading_class import ClassFiles, grade_class
    from detgrader.classroom.held_back import read_moment
    from detgrader.classroom.rounds import COSTLY, Request
    from detgrader.stopping import stopped_by_signals

    if without not in ("", COSTLY):
        stop(f"--without {without}: all that can be left out is `{COSTLY}`")
    if jobs and scheduler not in ("", "local"):
        stop(f"--jobs {jobs}: the cluster's workers say how many are graded side by side")
    chosen = tuple(only or ())
    request = Request(jobs or CORES, chosen, regrade, without, allow_no_isolation, scheduler)
    out = out or Path("out") / week
    goes_on = "what was graded is kept; run the same command again and it goes on from there"
    with errors_for_people(goes_on), stopped_by_signals():
        held_until = read_moment(hold_back_until)
        files = ClassFiles(submissions, out, roster, late, marks, gradebook, held_until)
        graded = grade_class(Course.find(), week, files, request, console)
    sys.exit(0 if graded else 1)


@app.command()
def mutant(
    week: Week,
    task: Annotated[str, typer.Argument(help="Label of the task: 3.8.", show_default=False)],
    notebook: Annotated[Path, typer.Argument(help="Whose answer it is.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Of the mutant.", show_default=False)],
    does: Annotated[str, typer.Option(help="What it does wrong, in a line.")],
    hint: Annotated[str, typer.Option(help="What a student who makes it should read.")],
) -> None:
    """Make a wrong answer that was handed in a mistake that the course knows."""
    from detgrader.assignment import load_assignment
    from detgrader.classroom.mutants import make_mutant

    with errors_for_people():
        course = Course.find()
        assignment = load_assignment(course, week)
        path = make_mutant(course, assignment, task, notebook, name, does, hint)
        say(f"wrote {course.display(path)}: trim it to the mistake, then audit it with")
        say(f"  detgrader audit {week} --only {name}")


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
        bool,
        typer.Option(
            "--quick", help="Points alone: no hints, no junk, nothing that trains for long."
        ),
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
    from detgrader.audit.bars import bar_for
    from detgrader.audit.cases import Selection
    from detgrader.classroom.batch import SECRET_VARIABLE
    from detgrader.files import write_json, write_text

    secret = os.environ.get(SECRET_VARIABLE) or auditing.SECRET
    selection = Selection(task, tuple(only or ()))
    request = auditing.Request(selection, auditing.several(secret, secrets), fresh, jobs, quick)
    with errors_for_people("what was graded is kept, and the next audit goes on from there"):
        course = Course.find()
        course.source(week)  # an unknown week is wrong usage
        outcome = auditing.run_audit(course, week, request, functools.partial(bar_for, console))
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
    from detgrader.demo import grade_demo

    with errors_for_people():
        grade_demo(Course.find(), out, jobs, console)


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
