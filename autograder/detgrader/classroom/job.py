"""What a grading process does: collect the checks once, then grade what it is handed."""

from __future__ import annotations

import importlib
import os
import socket
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from detgrader.assignment import Assignment
from detgrader.course import Course, TripwireSettings
from detgrader.grading.diagnosis import Known, KnownMistake
from detgrader.grading.grader import Grader
from detgrader.grading.orders import Order
from detgrader.grading.results import lost
from detgrader.grading.session import CheckSession, run_session
from detgrader.grading.stand_ins import StandIns, load_stand_ins
from detgrader.overlays import Overlay, lay_both, lay_over, load_overlays
from detgrader.reference import reference_submission
from detgrader.sandbox.dispatcher import DispatcherClient
from detlab.checking.tools import tools_of
from detlab.checking.workbench import Tool

# So long what was begun ahead waits for its order; another process may have been free for it.
PATIENCE_S = 1.0


@dataclass
class Material:
    """All that grading processes share; it is built once and inherited by forking."""

    assignment: Assignment
    checks: Path
    stand_ins: StandIns
    known: dict[str, Known]
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
        known=known_answers(course, assignment),
        tools=tools_of(importlib.import_module(name) for name in course.tool_modules(week)),
        tripwire=course.settings.tripwire,
        secret=secret,
    )


def known_answers(course: Course, assignment: Assignment) -> dict[str, Known]:
    """Load a week's mutants and variants, by task, and each mutant under each variant."""
    reference, week = reference_submission(course, assignment), assignment.name
    cells = {task.label: task.code_cells for task in assignment.tasks}
    mutants = load_overlays(course.mutants(week), assignment, with_hints=True)
    variants = load_overlays(course.variants(week), assignment, with_hints=False)
    known: dict[str, Known] = {}
    for mutant in mutants:
        label = mutant.task
        of_task = known.setdefault(label, Known([]))
        submission = lay_over(reference, mutant, assignment)
        of_task.mistakes.append(KnownMistake(mutant, submission, cells[label]))
    for variant in variants:
        label = variant.task
        of_task = known.setdefault(label, Known([]))
        submission = lay_over(reference, variant, assignment)
        of_task.right.append(KnownMistake(variant, submission, cells[label], "itself"))
        for mistake in of_task.mistakes:
            both = lay_both(reference, mistake.overlay, variant, assignment)
            if both is not None:
                under = of_task.under.setdefault(variant.name, [])
                under.append(KnownMistake(mistake.overlay, both, cells[label], variant.name))
    for label, of_task in known.items():
        plain = Overlay("reference", label, "", "")
        of_task.right.insert(0, KnownMistake(plain, reference, cells[label], "itself"))
    return known


def work(material: Material, control: socket.socket, connection: Connection) -> None:
    """Grade what is ordered until the parent closes the connection."""

    def serve(session: CheckSession) -> None:
        grader = Grader(
            material.assignment,
            session,
            DispatcherClient(control),
            material.stand_ins,
            material.known,
            material.tools,
            material.tripwire,
        )
        following: Order | None = None
        while True:
            try:
                ordered, then = connection.recv()
            except EOFError:
                return
            order, following = ordered or following, then
            assert order
            try:
                result = grader.grade(order, following)
            except Exception:
                result = lost(order.submission, material.assignment, traceback.format_exc())
            connection.send(result)
            if grader.next_run and not connection.poll(PATIENCE_S):
                grader.drop_ahead()

    try:
        run_session(material.checks, material.secret, serve)
    except Exception as error:
        connection.send(error)
