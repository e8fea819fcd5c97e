"""Attempts to speak to the grader directly, over the worker's own pipe."""

from attacks.toys import toy, violation

INTERFERED = "interfered with the grading"
# Find the worker's end of the pipe and the number of the question that is being answered.
REACH = """
import gc, json, os, struct, sys, time
def channel():
    from detgrader.sandbox.inside.channel import Channel
    return next(thing for thing in gc.get_objects() if type(thing) is Channel)
def nonce():
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["nonce"]
def send(header, body=b""):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    channel().end.sendall(struct.pack("<II", len(data), len(body)) + data + body)
def result(value):
    return {"kind": "result", "nonce": nonce(), "value": value}
"""


def saying(statement: str) -> str:
    """Return an `add` that sends something of its own before its answer."""
    return f"{REACH}\ndef add(first, second):\n    {statement}\n    return first + second\n"


TENSOR = {"tensor": ["float32", [2], 0, 8]}
ARRAY = {"array": ["<f4", [2], 0, 8]}
FORGED = {
    "result-before-the-result": "send(result(0.5))",
    "wrong-nonce": "send({'kind': 'result', 'nonce': '0' * 16, 'value': 1})",
    "no-nonce": "send({'kind': 'result', 'value': 1})",
    "nonce-is-an-array": f"send({{'kind': 'result', 'nonce': {ARRAY}}}, bytes(8))",
    "nonce-is-a-tensor": f"send({{'kind': 'result', 'nonce': {TENSOR}}}, bytes(8))",
    "kind-is-an-array": "send({'kind': {'array': ['<f4', [2], 0, 8]}, 'nonce': nonce()}, bytes(8))",
    "kind-is-a-list": "send({'kind': {'list': []}, 'nonce': nonce()})",
    "kind-unknown": "send({'kind': 'passed', 'nonce': nonce(), 'value': 100})",
    "nothing": "send({})",
    "ready-again": "send({'kind': 'ready'})",
    "not-json": "send(b'passed')",
    "not-an-object": "send(b'[1, 2]')",
    "not-utf8": r"send(b'\xff\xfe\x00')",
    "pickle": "import pickle; send(pickle.dumps({'kind': 'result'}))",
    "deep-json": "send(b'{\"value\":' + b'[' * 100000 + b']' * 100000 + b'}')",
    "deep-value": """
    tree = 1
    for _ in range(150): tree = {"list": [tree]}
    send(result(tree))""".strip(),
    "integer-of-5000-digits": "send(b'{\"value\": ' + b'9' * 5000 + b'}')",
    "integer-beyond-64-bits": "send(result(1 << 70))",
    "header-too-long": "channel().end.sendall(struct.pack('<II', 1 << 30, 0))",
    "body-too-long": "channel().end.sendall(struct.pack('<II', 2, 0xFFFFFFFF))",
    "bytes-outside": "send(result({'tensor': ['float32', [4], 0, 16]}), bytes(8))",
    "bytes-before": "send(result({'tensor': ['float32', [2], -8, 8]}), bytes(8))",
    "shape-disagrees": "send(result({'tensor': ['float32', [1 << 40], 0, 8]}), bytes(8))",
    "shape-overflows": "send(result({'tensor': ['float32', [1 << 62, 1 << 62, 0], 0, 0]}))",
    "array-shape-overflows": "send(result({'array': ['<f4', [1 << 62, 1 << 62, 0], 0, 0]}))",
    "shape-of-floats": "send(result({'tensor': ['float32', [2.0], 0, 8]}), bytes(8))",
    "shape-of-true": "send(result({'tensor': ['uint8', [True], 0, 1]}), bytes(1))",
    "too-many-axes": "send(result({'tensor': ['uint8', [1] * 100, 0, 1]}), bytes(1))",
    "dtype-unknown": "send(result({'tensor': ['object', [1], 0, 8]}), bytes(8))",
    "dtype-is-a-list": "send(result({'tensor': [[], [1], 0, 8]}), bytes(8))",
    "array-of-objects": "send(result({'array': ['|O', [1], 0, 8]}), bytes(8))",
    "boolean-of-two": r"send(result({'tensor': ['bool', [1], 0, 1]}), b'\x02')",
    "array-boolean-of-two": r"send(result({'array': ['|b1', [1], 0, 1]}), b'\x02')",
    "tag-unknown": "send(result({'eval': ['1']}))",
    "two-tags": "send(result({'list': [], 'tuple': []}))",
    "record-unknown": "send(result({'record': ['Path', '/']}))",
    "record-of-three": "send(result({'record': ['WindowGrid', 1]}))",
    "record-is-a-list": "send(result({'record': [[], 1]}))",
    "handle-of-text": "send(result({'handle': ['0', 'float']}))",
    "handle-too-long": "send(result({'handle': [0, 'float', 1]}))",
    "key-is-a-list": "send(result({'dict': [[{'list': []}, 1]]}))",
    "pair-of-three": "send(result({'dict': [[1, 2, 3]]}))",
    "question-never-asked": "send({'kind': 'ask', 'name': 'add', 'arguments': {'list': []}})",
    "question-without-a-name": "send({'kind': 'ask', 'name': {'list': []}, 'arguments': 1})",
    "error-without-frames": "send({'kind': 'error', 'nonce': nonce(), 'frames': 1})",
    "error-of-arrays": (
        "send({'kind': 'error', 'nonce': nonce(), 'type_name': {'array': ['<f4', [2], 0, 8]}, "
        "'message': 'x', 'limit': '', 'frames': {'list': []}}, bytes(8))"
    ),
    "error-with-odd-frames": (
        "send({'kind': 'error', 'nonce': nonce(), 'type_name': 'E', 'message': 'x', 'limit': '', "
        "'frames': {'list': [{'list': ['a', 'b', 'c', 'd']}]}})"
    ),
    "error-with-a-list-for-a-limit": (
        "send({'kind': 'error', 'nonce': nonce(), 'type_name': 'E', 'message': 'x', "
        "'limit': {'list': []}, 'frames': {'list': []}})"
    ),
    "truncated-and-gone": "channel().end.sendall(struct.pack('<II', 100, 0) + b'{'); os._exit(0)",
    # The grader orders the worker to be killed when it is dead already.
    "broken-and-gone": "send(b'passed'); os._exit(0)",
    "closed": "channel().end.close(); time.sleep(0.2); os._exit(0)",
    "shut-down": "channel().end.shutdown(2)",
    "every-descriptor": """
    for descriptor in range(3, 64):
        try: os.write(descriptor, b"passed" * 9)
        except OSError: pass""".strip(),
}

ATTACKS = [
    *(violation(f"bad-frame:{name}", saying(code)) for name, code in FORGED.items()),
    violation(
        "bad-frame:from-the-cell",
        f"{REACH}\nsend({{'kind': 'result', 'nonce': '', 'value': 1}})",
        honest=True,
        says=INTERFERED,
    ),
    violation(
        "bad-frame:from-a-thread",
        f"{REACH}\nimport threading\n"
        "def flood():\n"
        "    while True: send({'kind': 'result', 'nonce': '', 'value': 1})\n"
        "threading.Thread(target=flood).start()\ntime.sleep(0.2)\n",
        honest=True,
        says=INTERFERED,
    ),
    toy(
        "bad-frame:one-byte-at-a-time",
        f"{REACH}\n"
        "def scale(boxes, factor):\n"
        "    channel().end.sendall(struct.pack('<II', 1000, 0))\n"
        "    while True:\n"
        "        channel().end.sendall(b' ')\n"
        "        time.sleep(0.3)\n",
        task="1.2",
        status="limit",
        says="No answer came within 3 seconds",
    ),
    toy(
        "bad-frame:truncated-and-waiting",
        f"{REACH}\n"
        "def scale(boxes, factor):\n"
        "    channel().end.sendall(struct.pack('<II', 1000, 0))\n"
        "    time.sleep(100)\n",
        task="1.2",
        status="limit",
        says="No answer came within 3 seconds",
    ),
    # Answering in the worker's name gives no more than answering does.
    toy(
        "bad-frame:wrong-answer-forged-well",
        f"{REACH}\n"
        "from detgrader.sandbox.inside.worker import Worker\n"
        "def serve(self):\n"
        "    while True:\n"
        "        message = self.channel.receive()\n"
        "        if message.get('request') not in ('seed', 'make'):\n"
        "            reply = {'kind': 'result', 'nonce': message['nonce'], 'value': 0}\n"
        "            self.channel.send(reply)\n"
        "def add(first, second):\n"
        "    send(result(0))\n"
        "    serve(Worker(channel(), {}))\n",
        says="`add` does not add",
    ),
    violation(
        "bad-frame:questions-without-end",
        f"{REACH}\n"
        "def scale(boxes, factor):\n"
        "    while True:\n"
        "        send({'kind': 'ask', 'name': 'nobody', 'arguments': {'list': []}})\n",
        task="1.2",
        says=INTERFERED,
    ),
]
