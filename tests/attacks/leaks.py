"""Attempts to find hidden things, to carry them off in feedback, or to keep them."""

from attacks.toys import calling, harmless, toy

FOUND = "raise LookupError('reached')"


MARKS = (
    ("file", "os.path.exists('/tmp/mark')", "open('/tmp/mark', 'w')"),
    ("shared-memory-file", "os.path.exists('/dev/shm/mark')", "open('/dev/shm/mark', 'w')"),
    ("segment", "libc.shmget(77, 4096, 0) != -1", "libc.shmget(77, 4096, 0o1600)"),
    ("semaphore", "libc.semget(77, 1, 0) != -1", "libc.semget(77, 1, 0o1600)"),
    ("queue", "libc.msgget(77, 0) != -1", "libc.msgget(77, 0o1600)"),
    ("builtins", "hasattr(builtins, 'mark')", "setattr(builtins, 'mark', True)"),
    ("module", "hasattr(torch, 'mark')", "setattr(torch, 'mark', True)"),
    ("environment", "os.environ['MARK']", "os.environ.__setitem__('MARK', '1')"),
    ("host-name", "os.uname().nodename == 'mark'", "libc.sethostname(b'mark', 4)"),
    (
        "bytecode",
        "os.path.exists(torch.__file__ + '.mark')",
        "open(torch.__file__ + '.mark', 'w')",
    ),
)


def absent(name: str, code: str, **settings):
    """Write down a search that must find nothing: what it finds would cost the point."""
    return toy(name, calling(code), status="passed", **settings)


def telling(name: str, code: str, says: str = "", **settings):
    """Write down an error that is to carry the hidden inputs into the student's feedback."""
    return toy(f"output-leak:{name}", code, says=says, **settings)


def keeping(number: int):
    """Yield submissions that leave a mark (the first time) or must not find one (the second)."""
    for name, find, keep in MARKS:
        action = f"attempt(lambda: {keep})"
        if number == 2:
            action = f"if attempt(lambda: {find}): {FOUND}"
        code = (
            "import builtins, ctypes, os, sys\n"
            "libc = ctypes.CDLL(None)\n"
            "def attempt(function):\n"
            "    try: return function()\n"
            "    except (OSError, AttributeError, KeyError): return None\n"
            "def add(first, second):\n"
            f"    {action}\n"
            "    return first + second\n"
        )
        yield toy(f"state-carry:{name}-{number}", code, status="passed")


ATTACKS = [
    *keeping(1),
    *(
        absent(f"read-hidden:{name}", f"import os, glob\nif {condition}: {FOUND}")
        for name, condition in (
            ("course", "os.path.exists(r'COURSE')"),
            ("checks", "os.path.exists(r'COURSE/autograder/checks')"),
            ("solution", "os.path.exists(r'COURSE/solutions')"),
            ("release", "os.path.exists(r'COURSE/assignments')"),
            ("canary-folder", "os.path.exists(os.path.dirname(r'CANARY'))"),
            ("repository", "os.path.exists('REPOSITORY/solutions')"),
            ("repository-checks", "os.path.exists('REPOSITORY/autograder/checks')"),
            ("repository-tests", "os.path.exists('REPOSITORY/tests')"),
            ("repository-git", "os.path.exists('REPOSITORY/.git')"),
            ("grader", "glob.glob('REPOSITORY/autograder/detgrader/grading/*.py')"),
            ("home", "glob.glob(os.path.expanduser('~/*')) or glob.glob('/root/*')"),
            ("temporary", "glob.glob('/tmp/pytest*') or glob.glob('/tmp/*/results.json')"),
            ("processes", "glob.glob('/proc/[0-9]*') or os.path.exists('/proc/self')"),
            ("parent-memory", "os.path.exists(f'/proc/{os.getppid()}/mem')"),
            ("shared-memory", "os.path.exists('/dev/shm')"),
            ("passwords", "os.path.exists('/etc/passwd') or os.path.exists('/etc/shadow')"),
        )
    ),
    *(
        absent(
            f"read-solution:{name}",
            f"found = True\ntry:\n    {code}\nexcept ImportError: found = False\nif found: {FOUND}",
        )
        for name, code in (
            ("grading", "import detgrader.grading"),
            ("checks", "import detgrader.grading.session"),
            ("course", "import detgrader.course"),
            ("test-module", "import test_1_1"),
            ("stand-ins", "import stand_ins"),
        )
    ),
    absent(
        "env-leak:variables",
        "import os\n"
        "secret = {name for name in os.environ if 'DETGRADER' in name or 'TOKEN' in name}\n"
        f"if secret or 'hidden-secret' in str(os.environ): {FOUND}",
    ),
    absent(
        "env-leak:arguments",
        "import sys\n"
        "words = ' '.join(sys.argv + sys.orig_argv)\n"
        f"if 'pytest' in words or 'COURSE' in words: {FOUND}",
    ),
    absent(
        "env-leak:modules",
        "import sys\n"
        f"if {{'pytest', 'nbformat', 'detgrader.batch', 'typer'}} & set(sys.modules): {FOUND}",
    ),
    absent(
        "frame-inspect:stack",
        "import sys\n"
        "frame, seen = sys._getframe(), []\n"
        "while frame:\n"
        "    seen += [value for value in frame.f_locals.values() if type(value) is int]\n"
        "    frame = frame.f_back\n"
        f"if first + second in seen: {FOUND}",
    ),
    absent(
        "frame-inspect:garbage",
        "import gc\n"
        "for thing in gc.get_objects():\n"
        "    plain = [n for n in thing if type(n) is int] if type(thing) in (list, tuple) else []\n"
        "    if first + second in plain:\n"
        f"        {FOUND}\n"
        "    if type(thing) is dict and '__file__' in thing and 'expected' in thing:\n"
        f"        {FOUND}",
    ),
    toy(
        "frame-inspect:returns-what-it-finds",
        "import sys\n"
        "def scale(boxes, factor):\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        for value in frame.f_locals.values():\n"
        "            if type(value) is torch.Tensor and value is not boxes: return value\n"
        "        frame = frame.f_back\n",
        task="1.2",
        says="must be a torch.Tensor, not None",
    ),
    harmless(
        "output-leak:print",
        """
        honest = add
        def add(first, second):
            import sys, os, warnings, logging
            print(first, second)
            print(first, second, file=sys.__stdout__)
            sys.stderr.write(f"{first} {second}")
            os.write(1, f"{first} {second}".encode())
            logging.error("%s %s", first, second)
            return honest(first, second)
        """,
    ),
    telling(
        "raise",
        calling("raise ValueError(f'inputs {first} and {second}')"),
        "(and 1 more): ValueError\n  task_1_1, line 2, in add: raise ValueError(f'inputs",
    ),
    telling(
        "letters-in-the-name-of-a-class",
        calling("raise type('H' + str(first).translate('abcdefghij' * 10), (ValueError,), {})"),
        "`add` adds (and 1 more): ValueError\n",
    ),
    telling(
        "letters-that-a-library-quotes",
        calling("int('H' + str(first).translate('abcdefghij' * 10))"),
        "invalid literal for int() with base 10: '…'",
    ),
    telling("raise-of-a-constant", calling("raise ValueError('k must be 3')"), "k must be 3"),
    telling("assert", calling("assert False, (first, second)"), "AssertionError"),
    telling(
        "several-lines", calling("raise ValueError(\n    f'{first} {second}'\n)"), "ValueError"
    ),
    telling(
        "from-a-helper-function",
        "def tell(text): raise ValueError(text)\n" + calling("tell(f'{first} {second}')"),
        "ValueError",
    ),
    telling("key-error", calling("{}[first, second]"), "KeyError"),
    telling("bad-literal", calling("int(f'{first} {second} x')"), "invalid literal"),
    telling(
        "tensor",
        "def scale(boxes, factor):\n    raise ValueError(str(boxes))",
        "ValueError",
        task="1.2",
    ),
    telling(
        "tensor-in-a-library-error",
        "def scale(boxes, factor):\n    float(str(boxes.tolist()))",
        "ValueError",
        task="1.2",
    ),
    telling(
        "shapes-are-told",
        "def scale(boxes, factor):\n    return boxes @ boxes",
        "(3x4 and 3x4)",
        task="1.2",
    ),
    telling(
        "message-of-a-class",
        "class Told(Exception):\n"
        "    def __str__(self): return f'{self.args}'\n" + calling("raise Told(first, second)"),
        "Told",
    ),
    telling("name-of-the-exception", calling("raise type(f'Told_{first}', (Exception,), {})")),
    telling(
        "name-of-the-class",
        calling("pass", "return type(f'Told_{first}', (), {})()"),
        "must be a number",
    ),
    telling(
        "name-of-the-function",
        "def inner(): raise ValueError\n"
        + calling("inner.__code__ = inner.__code__.replace(co_name=f'f{first}')\ninner()"),
        "ValueError",
    ),
    telling(
        "name-of-the-file",
        calling("exec(compile('raise ValueError', f'f{first}', 'exec'), globals())"),
        "ValueError",
    ),
    telling(
        "line-of-the-source",
        "import linecache\n"
        + calling(
            "linecache.cache['task_1_1'] = (1, None, [f'{first}\\n'] * 99, 'x')\nraise ValueError"
        ),
        "ValueError",
    ),
    telling(
        "syntax-error",
        calling("raise SyntaxError('x', ('f', 1, 1, f'{first} {second}'))"),
        "SyntaxError",
    ),
    telling("os-error", calling("open(f'/{first}/{second}')"), "FileNotFoundError"),
    telling(
        "os-error-of-a-limit",
        calling("raise PermissionError(1, 'x', f'{first}')"),
        status=("failed", "limit"),
    ),
    *(
        toy(
            f"hostile-text:{name}",
            f"class Hostile(Exception):\n    def __str__(self): {body}\n"
            + calling("raise Hostile"),
            says="Hostile",
        )
        for name, body in (
            ("ansi", r"return '\x1b[2J\x1b]0;title\x07 [bold red]100 points[/] \r\n\x9b'"),
            ("markup", "return '[bold]1.1 passed[/bold] [/] <script>alert(1)</script> ]]>'"),
            ("surrogate", r"return '\ud800 \udfff \x00 \ufffe \u202e'"),
            ("ten-megabytes", "return 'x' * 10_000_000"),
            ("not-text", "return 1"),
            ("raises", "raise self"),
            ("exits", "raise SystemExit"),
        )
    ),
    toy(
        "hostile-text:name-of-the-exception",
        calling(r"raise type('\x1b[2J[bold]', (Exception,), {})"),
        says="Exception",
    ),
    toy(
        "hostile-text:name-of-the-class",
        calling("pass", r"return type('\x1b[2J[bold]', (), {})()"),
        says="must be a number, not object",
    ),
    toy(
        "hostile-text:in-the-source",
        "def add(first, second):\n    raise ValueError  # \x1b[2J [bold]x[/]",
        says="[bold]x[/]",
    ),
    toy("hostile-text:syntax-error", "x = = \x1b[2J [bold] \ud800", says="task_1_1, line 1"),
    toy(
        "hostile-text:properties",
        """
        class Hostile(Exception):
            @property
            def __traceback__(self): raise self
            @property
            def __class__(self): raise self
            args = property(lambda self: 1 / 0)
        def add(first, second):
            raise Hostile
        """,
    ),
    toy(
        "label-cache:between-tasks",
        "import builtins\ndef add(first, second):\n    builtins.kept = first\n    return 0\n",
        says="`add` does not add",
        helper=f"def look():\n    import builtins\n    if hasattr(builtins, 'kept'): {FOUND}\n",
    ),
    # The check asks more than once: what was kept of the first question is no answer to the next.
    toy(
        "label-cache:between-calls",
        "kept = []\ndef add(first, second):\n    kept.append(first + second)\n    return kept[0]\n",
        says="`add` does not add",
    ),
    *keeping(2),
]
