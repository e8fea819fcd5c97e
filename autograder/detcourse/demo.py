"""What the demo's hostile student tries in week 1."""

# What a cheat might try, one trick in the place of each answer. None has any effect.
TRICKS = {
    "task_1_2": '''\
class Agreeable:
    """Equal to whatever it is compared with."""

    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return Agreeable()

    def __call__(self, *arguments):
        return Agreeable()


def build_network():
    return Agreeable()
''',
    "task_1_3": """\
import builtins
import torch

torch.allclose = torch.equal = lambda *arguments, **options: True
builtins.AssertionError = type("Quiet", (BaseException,), {})


def linear_to_conv(linear, in_shape):
    return linear
""",
    "task_1_4": """\
from pathlib import Path

solution = [path.read_text() for path in Path("/").glob("**/solutions/*/notebook.py")][0]
exec(solution)
""",
    "task_1_5": """\
import os

os.system("echo '{\\"score\\": 100}' > results.json")
""",
    "task_1_6": """\
import os


def difference_norm(net, twin, images, size, stride):
    os._exit(0)
""",
    "task_1_7": """\
import urllib.request


def time_both(net, twin, sides):
    return urllib.request.urlopen("http://127.0.0.1:9/answers").read()
""",
    "task_1_8": """\
coincide = {"conv": (float("nan"), True), "pool": (float("inf"), True)}
""",
    "task_1_9": """\
def window_grid(layers, input_size):
    while True:
        pass
""",
}
