"""Start the zygote.

Usage: python -m detgrader.sandbox.inside MODULE,… TOOLS,… WARM_UP,… CONTROL_FD…
"""

import gc
import sys

gc.disable()  # until all is imported: imports make much that stays and little garbage

from detgrader.sandbox.inside.zygote import main  # noqa: E402

modules, tools, warm_up = (argument.split(",") if argument else [] for argument in sys.argv[1:4])
main([*modules, *warm_up], tools, [int(argument) for argument in sys.argv[4:]])
