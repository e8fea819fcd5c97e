"""Attempts to end, leave or reach beyond the worker's process."""

from attacks.toys import calling, harmless, toy, violation

NOT_ALLOWED = "not allowed while grading"
NO_PROCESS, NO_NETWORK = "no other program or process", "there is no network"
ENDED = "ended the whole process"
CTYPES = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
# Calls that fail must fail without harm: the honest answer after them counts.
TRY = "import ctypes, fcntl, os, resource, signal\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def trying(name: str, *statements: str):
    """Write down calls that the filter refuses one by one, and that must change nothing."""
    tries = "".join(
        f"    try:\n        {statement}\n    except (OSError, AttributeError, ValueError):\n"
        "        pass\n"
        for statement in statements
    )
    answer = "    return first + second\n"
    return toy(name, f"{TRY}\ndef add(first, second):\n{tries}{answer}", status="passed")


ATTACKS = [
    toy("sys-exit:in-a-call", calling("import sys; sys.exit(0)"), says="SystemExit"),
    harmless("sys-exit:in-the-cell", "import sys\nsys.exit(0)"),
    toy(
        "sys-exit:keyboard-interrupt", calling("raise KeyboardInterrupt"), says="KeyboardInterrupt"
    ),
    toy("sys-exit:generator-exit", calling("raise GeneratorExit")),
    toy("sys-exit:stop-iteration", calling("raise StopIteration")),
    toy("sys-exit:quit", calling("quit()"), status=("failed", "violation")),
    toy(
        "sys-exit:grader-exception",
        calling(
            "from detgrader.sandbox.inside.channel import Closed\nraise Closed",
        ),
        status=("failed", "violation"),
    ),
    toy(
        "sys-exit:check-failure",
        calling("from detlab.checking.workbench import StudentError\nraise StudentError('a', 'b')"),
    ),
    violation("os-exit:in-a-call", calling("import os; os._exit(0)"), says=ENDED),
    violation("os-exit:in-the-cell", "import os\nos._exit(0)", says=ENDED),
    toy(
        "os-exit:kill-itself",
        calling("import os; os.kill(os.getpid(), 9)"),
        status=("limit", "violation"),
    ),
    toy("os-exit:abort", calling("import os; os.abort()"), says="crashed the Python interpreter"),
    toy(
        "os-exit:segmentation-fault",
        calling("import ctypes; ctypes.string_at(0)"),
        says="crashed the Python interpreter (SIGSEGV)",
    ),
    toy(
        "os-exit:segmentation-fault-in-the-cell",
        "import ctypes\nctypes.string_at(0)",
        says="crashed the Python interpreter (SIGSEGV)",
    ),
    harmless(
        "atexit-thread:atexit",
        "import atexit\natexit.register(lambda: open(r'CANARY', 'w').write('1'))",
    ),
    harmless(
        "atexit-thread:thread-writes-later",
        """
        import threading, time
        def later():
            while True:
                time.sleep(0.01)
                try:
                    open(r'CANARY', 'w').write('1')
                except OSError:
                    pass
        threading.Thread(target=later, daemon=True).start()
        """,
    ),
    harmless(
        "atexit-thread:thread-that-never-ends",
        """
        import threading, time
        threading.Thread(target=time.sleep, args=(1000,)).start()
        """,
    ),
    violation(
        "atexit-thread:thread-leaves",
        """
        import os, threading
        def add(first, second):
            threading.Thread(target=os._exit, args=(0,)).start()
            import time
            time.sleep(10)
        """,
        says=ENDED,
    ),
    *(
        toy(f"bg-process:{name}", calling(code), says=says, status="failed" if says else "passed")
        for name, code, says in (
            ("fork", "import os\nif os.fork() == 0: open(r'CANARY', 'w')", NO_PROCESS),
            ("system", "import os\nos.system('touch CANARY')", ""),
            ("popen", "import os\nos.popen('touch CANARY').read()", NO_PROCESS),
            ("subprocess", "import subprocess\nsubprocess.run(['touch', r'CANARY'])", NO_PROCESS),
            ("exec", "import os\nos.execv('/bin/touch', ['touch', r'CANARY'])", NO_PROCESS),
            (
                "spawn",
                "import os\nos.posix_spawn('/bin/touch', ['touch', r'CANARY'], {})",
                NO_PROCESS,
            ),
            (
                "multiprocessing",
                "import multiprocessing\n"
                "context = multiprocessing.get_context('fork')\n"
                "context.Process(target=print).start()",
                NO_PROCESS,
            ),
            ("syscall-fork", CTYPES + "libc.syscall(57)", ""),
            ("syscall-vfork", CTYPES + "libc.syscall(58)", ""),
            ("syscall-clone", CTYPES + "libc.syscall(56, 17, 0, 0, 0, 0)", ""),
        )
    ),
    violation(  # of another architecture, which nothing honest has
        "bg-process:syscall-x32-fork",
        calling(CTYPES + "libc.syscall(57 | 0x40000000)"),
        says=NOT_ALLOWED,
    ),
    toy("bg-process:pty", calling("import pty; pty.fork()")),
    toy(
        "bg-process:data-loader",
        calling(
            "from torch.utils.data import DataLoader\nlist(DataLoader([1, 2, 3], num_workers=2))"
        ),
        says=NO_PROCESS,
    ),
    trying("bg-process:clone3", "libc.syscall(435, ctypes.create_string_buffer(88), 88)"),
    toy("fork-bomb:endless", calling("import os\nwhile True: os.fork()"), says=NO_PROCESS),
    *(
        toy(f"net-exfil:{name}", calling(code), says=NO_NETWORK)
        for name, code in (
            ("socket", "import socket\nsocket.socket()"),
            ("urllib", "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/')"),
            ("dns", "import socket\nsocket.getaddrinfo('example.com', 80)"),
            ("unix", "import socket\nsocket.socket(socket.AF_UNIX).bind('\\0name')"),
        )
    ),
    toy(
        "net-exfil:asyncio",
        calling("import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', 1))"),
        says=NO_NETWORK,
    ),
    *(
        violation(f"parent-mem:{name}", calling(CTYPES + code), says=NOT_ALLOWED)
        for name, code in (
            ("process-vm-readv", "libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)"),
            ("process-vm-writev", "libc.process_vm_writev(os.getppid(), 0, 0, 0, 0, 0)"),
            ("ptrace", "libc.ptrace(16, os.getppid(), 0, 0)"),
            ("pidfd", "libc.syscall(434, os.getppid(), 0)"),
        )
    ),
    *(
        violation(f"parent-signal:{name}", calling(code), says=NOT_ALLOWED)
        for name, code in (
            ("kill", "import os\nos.kill(os.getppid(), 9)"),
            ("kill-first", "import os\nos.kill(1, 9)"),
            ("kill-everybody", "import os\nos.kill(-1, 9)"),
            ("kill-group", "import os\nos.kill(0, 9)"),
            ("tkill", CTYPES + "libc.syscall(200, os.getppid(), 9)"),
            ("sigqueue", CTYPES + "libc.sigqueue(os.getppid(), 9, 0)"),
        )
    ),
    # A descriptor's owner is sent signals by the kernel itself. Were these allowed, the
    # dispatcher would die and leave all submissions after this one ungraded.
    trying(
        "parent-signal:owner-of-a-descriptor",
        "self = os.pipe()",
        "fcntl.fcntl(self[0], fcntl.F_SETOWN, os.getppid())",
        "fcntl.fcntl(self[0], 10, signal.SIGKILL)",
        "fcntl.fcntl(self[0], fcntl.F_SETFL, os.O_ASYNC)",
        "os.write(self[1], b'x')",
    ),
    trying(
        "parent-signal:owner-by-ioctl",
        *(
            f"fcntl.ioctl({fd}, {order}, os.getppid().to_bytes(4, 'little'))"
            for fd in range(3, 12)
            for order in (0x8901, 0x8902)
        ),
        *(f"fcntl.ioctl({fd}, 0x5452, (1).to_bytes(4, 'little'))" for fd in range(3, 12)),
    ),
    trying(
        "parent-mem:settings",
        "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "os.sched_setscheduler(os.getppid(), 0, os.sched_param(0))",
        "resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))",
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))",
        "resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))",
        "signal.signal(signal.SIGALRM, signal.SIG_DFL) and signal.alarm(1)",
        "libc.prctl(1, 0)",
        "libc.prctl(4, 1)",
    ),
    *(
        violation(f"parent-mem:{name}", calling(CTYPES + code), says=NOT_ALLOWED)
        for name, code in (
            ("unshare", "libc.unshare(0x10000000)"),
            ("mount", "libc.mount(0, b'/tmp', b'tmpfs', 0, 0)"),
            ("chroot", "libc.chroot(b'/tmp')"),
            ("io-uring", "libc.syscall(425, 8, 0)"),
            ("bpf", "libc.syscall(321, 0, 0, 0)"),
            ("setuid", "libc.setuid(0)"),
        )
    ),
]
