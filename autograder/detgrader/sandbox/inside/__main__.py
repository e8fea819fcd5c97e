"""Start the zygote.

Usage: python -m detgrader.inside MODULE,… CONTROL_FD…
"""

import gc
import sys

gc.disable()  # until all is imported: imports make much that stays and little garbage

from detgrader.sandbox.inside.zygote import main  # noqa: E402

main(sys.argv[1].split(","), [int(argument) for argument in sys.argv[2:]])
