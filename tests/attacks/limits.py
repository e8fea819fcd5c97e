"""Attempts to use up processor, memory, time, output or disk; and code that no parser bears."""

from attacks.toys import calling, harmless, toy

CPU = "processor time"
WALL = "No answer came within 3 seconds"
MEMORY = "more than 1024 MB of memory"
WRITING = "nothing can be written"
SHARED = "no memory can be shared"
TABLES = "spread its memory over too many places"
THREADS = "more threads than there can be"
# Memory as the kernel gives it: `get(size, flags)` returns an address, 0 where it is refused.
KERNEL = """
import ctypes, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.mremap.argtypes = [ctypes.c_void_p, *[ctypes.c_size_t] * 2, ctypes.c_int, ctypes.c_void_p]
def get(size, flags=0x22, at=None):
    address = libc.mmap(at, size, 3, flags, -1, 0)
    return 0 if address == ctypes.c_void_p(-1).value else address
"""
SCALE = "def scale(boxes, factor):\n    "


def limit(name: str, code: str, says: str, **settings):
    """Write down an attack that runs into a limit."""
    return toy(name, code, status="limit", says=says, **settings)


def finally_bomb(depth: int) -> str:
    """Code of which Python compiles 2 ** depth copies of the innermost line."""
    lines = ["def add(first, second):"]
    for level in range(depth):
        pad = "    " * (level + 1)
        lines += [f"{pad}try:", f"{pad}    first()", f"{pad}finally:"]
    return "\n".join([*lines, "    " * (depth + 1) + "second()"])


ATTACKS = [
    limit("infinite-loop:in-a-call", calling("while True: pass"), CPU),
    limit("infinite-loop:in-the-cell", "while True: pass", CPU),
    limit(
        "infinite-loop:catches-everything",
        "def add(first, second):\n"
        "    while True:\n"
        "        try:\n"
        "            while True: pass\n"
        "        except BaseException: pass\n",
        CPU,
    ),
    limit(
        "infinite-loop:ignores-the-signal",
        calling("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"),
        CPU,
    ),
    limit(
        "infinite-loop:threads",
        calling(
            "import threading\n"
            "def spin():\n"
            "    while True: pass\n"
            "for _ in range(8): threading.Thread(target=spin).start()\n"
            "spin()"
        ),
        CPU,
    ),
    limit(
        "infinite-loop:regular-expression",
        calling("import re\nre.match('(a+)+$', 'a' * 64 + 'b')"),
        CPU,
    ),
    limit("infinite-loop:big-number", calling("pow(7, 10 ** 8)"), CPU),
    limit(
        "infinite-loop:in-an-error",
        "class Endless(Exception):\n"
        "    def __str__(self):\n"
        "        while True: pass\n"
        "def add(first, second):\n"
        "    raise Endless\n",
        CPU,
    ),
    limit("infinite-loop:sleep", SCALE + "import time; time.sleep(1000)", WALL, task="1.2"),
    limit(
        "infinite-loop:lock",
        SCALE + "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
        WALL,
        task="1.2",
    ),
    toy("infinite-loop:input", calling("input()"), says="EOFError"),
    toy(
        "infinite-loop:recursion",
        "def add(first, second):\n    return add(first, second)",
        says="RecursionError",
    ),
    limit("mem-balloon:list", calling("[0] * 10 ** 10"), MEMORY),
    limit("mem-balloon:tensor", calling("torch.ones(10 ** 10)"), MEMORY),
    limit("mem-balloon:numpy", calling("import numpy\nnumpy.ones(10 ** 10)"), MEMORY),
    limit(
        "mem-balloon:grows",
        # Unwritten: where pages are dear, writing a gigabyte takes the second that the task has.
        "def add(first, second):\n    k = []\n    while True: k.append(torch.empty(1 << 22))\n",
        MEMORY,
    ),
    toy(
        "mem-balloon:shared-mapping",
        calling("import mmap\nmmap.mmap(-1, 1 << 34)"),
        says=SHARED,
    ),
    toy(
        "mem-balloon:shared-memory-file",
        calling("import os\nfile = os.memfd_create('x')\nos.ftruncate(file, 1 << 34)"),
        says=SHARED,
    ),
    toy(
        "fork-bomb:threads",
        calling(
            "import threading, time\n"
            "threading.stack_size(1 << 25)\n"
            "for _ in range(10 ** 5):\n"
            "    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
        ),
        status="limit",
        says=THREADS,
    ),
    limit(
        "thread-flood:small-stacks",
        KERNEL
        + calling(
            "threading.stack_size(1 << 16)\n"
            "for _ in range(3000):\n"
            "    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
            "time.sleep(1)"
        ),
        THREADS,
    ),
    harmless(
        "thread-flood:honest",
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda n: torch.ones(n) @ torch.ones(n), range(1000)))
        torch.set_num_threads(8)
        torch.nn.Conv2d(3, 8, 3)(torch.ones(2, 3, 40, 40)).sum().backward()
        """,
    ),
    # One page in each of 20,000 places, found by giving back what lies between, or asked for.
    limit(
        "page-tables:holes",
        KERNEL + "def add(first, second):\n"
        "    for _ in range(20000):\n"
        "        place = get(1 << 26)\n"
        "        ctypes.memset(place, 1, 1)\n"
        "        libc.munmap(place + 4096, (1 << 26) - 4096)\n"
        "    time.sleep(1)\n",
        TABLES,
    ),
    limit(
        "page-tables:places-in-the-cell",
        KERNEL + "for n in range(20000):\n"
        "    ctypes.memset(get(4096, at=n + 16 << 32), 1, 1)\n"
        "time.sleep(1)\n",
        TABLES,
        honest=True,
    ),
    limit(
        "grows-down:read-only",
        KERNEL + "def add(first, second):\n"
        "    while place := get(1 << 26):\n"
        "        libc.mprotect(place, 1 << 26, 1)\n"
        "    raise MemoryError\n",
        MEMORY,
    ),
    *(
        toy(f"grows-down:{name}", f"{KERNEL}\n{calling(code)}", status="passed")
        for name, code in (
            ("mapping", "assert not get(1 << 31, 0x122)"),
            ("with-a-stack", "assert not get(1 << 31, 0x20122)"),
            ("moved", "place = get(4096)\nassert libc.mremap(place, 4096, 4096, 3, place) == -1"),
            (
                "descriptors-in-flight",  # where no limit counts them: sendmsg is not there
                "assert libc.syscall(46, 3, 0, 0) == -1 and ctypes.get_errno() == 1",
            ),
        )
    ),
    limit("huge-stdout:print", calling("while True: print('x' * 10 ** 4)"), "printed more than"),
    limit(
        "huge-stdout:stderr",
        calling("import sys\nwhile True: sys.stderr.write('x' * 10 ** 4)"),
        "printed more than",
    ),
    limit(
        "huge-stdout:progress",
        calling("import sys\nwhile True: sys.stdout.writelines(['x' * 99] * 99)"),
        "printed more than",
    ),
    harmless(
        "huge-stdout:descriptor",
        "import os\nfor _ in range(100): os.write(1, b'x' * 10 ** 5); os.write(2, b'x')",
    ),
    limit("disk-fill:tmp", calling("open('/tmp/x', 'wb').write(b'x')"), WRITING),
    limit("disk-fill:canary", calling("open(r'CANARY', 'w')"), WRITING),
    limit("forge-results:results", calling("open('results.json', 'w').write('{}')"), WRITING),
    limit(
        "forge-results:course",
        calling("open(r'COURSE/autograder/checks/results.json', 'a')"),
        WRITING,
    ),
    limit(
        "forge-results:gradebook",
        calling("import sqlite3, pathlib\npathlib.Path('/gradebook.db').write_bytes(b'')"),
        WRITING,
    ),
    *(
        toy(f"disk-fill:{name}", calling(code), status=("failed", "limit"))
        for name, code in (
            ("mkdir", "import os\nos.makedirs('/tmp/x')"),
            ("symlink", "import os\nos.symlink('/etc', '/tmp/x')"),
            ("rename", "import os\nos.rename('/tmp', '/x')"),
            ("unlink", "import os, sys\nos.unlink(sys.executable)"),
            ("chmod", "import os\nos.chmod('/tmp', 0o777)"),
            ("temporary-file", "import tempfile\ntempfile.NamedTemporaryFile().write(b'x')"),
            ("savefig", "import matplotlib.pyplot as plt\nplt.figure().savefig('/tmp/x.png')"),
            ("checkpoint", "torch.save({}, '/tmp/x.pt')"),
        )
    ),
    toy(
        "disk-fill:every-descriptor",
        "import os\n"
        "def add(first, second):\n"
        "    for descriptor in range(64):\n"
        "        try:\n"
        "            os.ftruncate(descriptor, 1)\n"
        "            raise LookupError('reached a file')\n"
        "        except OSError: pass\n"
        "    return first + second\n",
        status="passed",
    ),
    *(
        toy(f"syntax-bomb:{name}", code, status="failed", says=says)
        for name, code, says in (
            (
                "parentheses",
                "def add(first, second):\n    return " + "(" * 20000 + ")" * 20000,
                "task_1_1",
            ),
            ("brackets", "[" * 20000, "task_1_1"),
            ("minus", "x = " + "-" * 40000 + "1", "task_1_1"),
            ("attributes", "x = a" + ".a" * 20000, "task_1_1"),
            ("sum", "x = " + "+".join(["1"] * 20000), "task_1_1"),
            ("calls", "x = " + "f(" * 5000 + ")" * 5000, "task_1_1"),
            ("lambda", "x = " + "lambda: " * 5000 + "1", "task_1_1"),
            (
                "ifs",
                "\n".join(" " * n + "if x:" for n in range(200)) + "\n" + " " * 200 + "y",
                "task_1_1",
            ),
            ("finally", finally_bomb(20), "task_1_1"),
            ("integer", "x = " + "9" * 5000, "task_1_1"),
            ("nul", "x = 1\0", "task_1_1"),
        )
    ),
    toy("syntax-bomb:folded-power", "x = 7 ** 7 ** 7 ** 7", status=("limit", "failed")),
    toy("syntax-bomb:folded-string", "x = 'a' * 10 ** 11", status=("limit", "failed")),
    harmless("syntax-bomb:surrogate", "x = '\ud800'"),
    harmless("syntax-bomb:cookie", "# -*- coding: utf-7 -*-\n# +AGEAYg-"),
    harmless("syntax-bomb:bidi", "# \u202e neddih \u2066\nx\u0301 = 1"),
    harmless(
        "helper:statements-do-not-run",
        "",
        helper="while True: pass\nimport os\nos._exit(0)\nraise SystemExit\n",
    ),
    harmless(
        "helper:definitions-that-fail",
        "",
        helper="@(lambda f: 1 / 0)\ndef bad(): pass\nclass Bad(1 / 0): pass\nimport no_such_module",
    ),
    harmless(
        "helper:decorator-with-a-side-effect",
        "",
        helper="@(lambda f: globals().__setitem__('fit', None))\ndef f(): pass\n",
    ),
    toy(
        "helper:loop-in-a-class",
        status="limit",
        says=CPU,
        honest=True,
        helper="class Loop:\n    while True: pass",
        harms=("1.2", "1.3", "1.4"),
    ),
    toy(
        "helper:unreadable",
        status="passed",
        honest=True,
        helper=finally_bomb(20),
    ),
]
