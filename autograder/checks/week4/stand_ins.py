"""Parts of the network for students whose own are wrong: of the right shapes, and nothing else.

Task 4.6 puts parts together, and its check asks only whether they were put together rightly.
"""

from collections.abc import Callable

from detlab.checking.student import Handle, Student


def stand_in_for(name: str) -> Callable[..., Handle]:
    """Return a function that makes a stand-in on the student's side."""

    def make(student: Student, *arguments: object, **named: object) -> Handle:
        return student.tool("stub", name, *arguments, *named.values())

    return make


STAND_INS = {
    "4.3": {"VGGBase": stand_in_for("VGGBase")},
    "4.4": {"AuxiliaryConvolutions": stand_in_for("AuxiliaryConvolutions")},
    "4.5": {"PredictionConvolutions": stand_in_for("PredictionConvolutions")},
}
