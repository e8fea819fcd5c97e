"""What a grading process does: collect the checks once, then grade what it is handed."""

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
from detgrader.classroom.batch import lost
from detgrader.grading.session import CheckSession, load_stand_ins, run_session
from detgrader.course import Course
from detgrader.grading.diagnosis import KnownMistake
from detgrader.grading import Grader, StandIns
from detgrader.overlays import lay_over, load_overlays, reference_submission
from detgrader.sandbox.client import Dispatcher


@dataclass
class Material:
    """All that grading processes share; it is built once and inherited by forking."""

    assignment: Assignment
    checks: Path
    stand_ins: StandIns
    mistakes: dict[str, list[KnownMistake]]
    secret: str
    data: Path


def prepare(course: Course, assignment: Assignment, secret: str) -> Material:
    """Load what grading needs, before the processes are forked."""
    os.environ["MPLBACKEND"] = "Agg"  # known mistakes draw
    for module in assignment.modules:  # known mistakes import them
        importlib.import_module(module)
    torch.set_num_threads(1)
    reference = reference_submission(course, assignment)
    mistakes = defaultdict(list)
    for overlay in load_overlays(course.mutants(assignment.name), assignment, with_hints=True):
        submission = lay_over(reference, overlay, assignment)
        task = next(task for task in assignment.tasks if task.label == overlay.task)
        mistakes[overlay.task].append(KnownMistake(overlay, submission, task.code_cells[-1]))
    checks = course.checks(assignment.name)
    return Material(
        assignment, checks, load_stand_ins(checks), dict(mistakes), secret, course.root / "data"
    )


def work(material: Material, control: socket.socket, connection: Connection) -> None:
    """Grade submissions until the parent closes the connection."""

    def serve(session: CheckSession) -> None:
        grader = Grader(
            material.assignment,
            session,
            Dispatcher(control),
            material.stand_ins,
            material.mistakes,
            material.data,
        )
        while True:
            try:
                submission = connection.recv()
            except EOFError:
                return
            try:
                result = grader.grade(submission)
            except Exception:
                result = lost(submission, material.assignment)
                result.log.append(traceback.format_exc())
            connection.send(result)

    try:
        run_session(material.checks, material.secret, serve)
    except Exception as error:
        connection.send(error)
