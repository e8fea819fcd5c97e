"""The MultiBox loss and detection made fast: what the course's own trainings and measures use.

The notebooks ask for plain versions first and show what these gain. Answers must not use them, and
the grader's workers cannot see this folder.
"""

from detlab.fast.detection import detect
from detlab.fast.loss import multibox_terms

__all__ = ["detect", "multibox_terms"]
