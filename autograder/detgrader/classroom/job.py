"""What a grading process does: collect the checks once, then grade what it is handed."""

from __future__ import annotations

import importlib
import os
import socket
import traceback
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from detgrader.assignment import Assignment
from detgrader.course import Course, TripwireSettings
from detgrader.grading.diagnosis import KnownMistake
from detgrader.grading.results import lost
from detgrader.grading.run import Grader
from detgrader.grading.session import CheckSession, run_session
from detgrader.grading.stand_ins import StandIns, load_stand_ins
from detgrader.overlays import lay_over, load_overlays
from detgrader.reference import reference_submission
from detgrader.sandbox.dispatcher import DispatcherClient
from detlab.checking.tools import tools_of
from detlab.checking.workbench import Tool


@dataclass
class Material:
    """All that grading processes share; it is built once and inherited by forking."""

    assignment: Assignment
    checks: Path
    stand_ins: StandIns
    mistakes: dict[str, list[KnownMistake]]
    tools: dict[str, Tool]
    tripwire: TripwireSettings | None
    secret: str


def prepare(course: Course, assignment: Assignment, secret: str) -> Material:
    """Load what grading needs, before the processes are forked."""
    os.environ["MPLBACKEND"] = "Agg"  # known mistakes draw
    if course.settings.weeks:
        importlib.import_module(course.settings.weeks)  # allows the course's records
    for module in assignment.modules:  # known mistakes import them
        importlib.import_module(module)
    torch.set_num_threads(1)
    week = assignment.name
    return Material(
        assignment=assignment,
        checks=course.checks(week),
        stand_ins=load_stand_ins(course.checks(week)),
        mistakes=known_mistakes(course, assignment),
        tools=tools_of(importlib.import_module(name) for name in course.tool_modules(week)),
        tripwire=course.settings.tripwire,
        secret=secret,
    )


def known_mistakes(course: Course, assignment: Assignment) -> dict[str, list[KnownMistake]]:
    """Load a week's mutants, by the task that they are mistakes in."""
    reference = reference_submission(course, assignment)
    mistakes = defaultdict(list)
    for overlay in load_overlays(course.mutants(assignment.name), assignment, with_hints=True):
        submission = lay_over(reference, overlay, assignment)
        task = next(task for task in assignment.tasks if task.label == overlay.task)
        mistakes[overlay.task].append(KnownMistake(overlay, submission, task.code_cells))
    return dict(mistakes)


def work(material: Material, control: socket.socket, connection: Connection) -> None:
    """Grade what is ordered until the parent closes the connection."""

    def serve(session: CheckSession) -> None:
        grader = Grader(
            material.assignment,
            session,
            DispatcherClient(control),
            material.stand_ins,
            material.mistakes,
            material.tools,
            material.tripwire,
        )
        while True:
            try:
                order = connection.recv()
            except EOFError:
                return
            try:
                result = grader.grade(order)
            except Exception:
                result = lost(order.submission, material.assignment, traceback.format_exc())
            connection.send(result)

    try:
        run_session(material.checks, material.secret, serve)
    except Exception as error:
        connection.send(error)
