"""A command of this course's own."""

from detgrader.course import Course

WEEK = "week1_runs"


def fit_lights() -> None:
    """Learn the reference's chances, and lay them beside its notebook."""
    from safetensors.torch import save_file

    from detgrader.reference import load_reference, reference_weights
    from runlab.lights import ROWS

    course = Course.find()
    path = reference_weights(course, WEEK)
    save_file({"chances": load_reference(course, WEEK).learn(list(ROWS))}, path)
    print(f"wrote {course.display(path)}")
