"""Frames carry values exactly, and whatever is no honest frame is refused."""

import json
import random
import socket
import threading
import time

import numpy as np
import pytest
import torch

import detlab.weeks  # noqa: F401 (allows the course's records)
from detgrader.sandbox.inside.channel import Channel, Closed
from detgrader.sandbox.inside.wire import LENGTHS, MAX_BODY, SMALL, BadFrame, pack, unpack
from detlab.checking.values import HandleRef
from detlab.grid import WindowGrid


def split(frame: bytes) -> tuple[bytes, bytearray]:
    """Take a frame apart into header and body."""
    header, body = LENGTHS.unpack(frame[: LENGTHS.size])
    assert len(frame) == LENGTHS.size + header + body
    return frame[LENGTHS.size :][:header], bytearray(frame[LENGTHS.size + header :])


def there_and_back(value: object) -> object:
    """Send a value through a frame."""
    return unpack(*split(b"".join(pack({"value": value}))))["value"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**63),
        2**63 - 1,
        1.5,
        1e300,
        float("inf"),
        "",
        "é\n[bold]",
        [],
        [1, [2.0, (3, None)]],
        (),
        {"a": 1, 2: (True,), (1, 2): "pair"},
        HandleRef(3, "Net"),
        WindowGrid(14, 2, (8, 9)),
    ],
)
def test_plain_values_keep_type_and_value(value: object) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_bool_and_int_and_float_stay_apart() -> None:
    assert [type(v) for v in there_and_back([True, 1, 1.0])] == [bool, int, float]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_tensors_keep_bits_dtype_and_shape(dtype: torch.dtype, shape: tuple) -> None:
    tensor = torch.randn(shape).to(dtype)
    back = there_and_back(tensor)
    assert (back.dtype, back.shape) == (dtype, tensor.shape)
    assert torch.equal(back, tensor)


def test_views_arrive_as_what_they_show() -> None:
    tensor = torch.arange(12).reshape(3, 4).t()[::2]
    assert torch.equal(there_and_back(tensor), tensor)
    assert torch.equal(there_and_back(torch.ones(1).expand(5)), torch.ones(5))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1", "?", ">f4"])
def test_arrays_arrive(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    assert np.array_equal(there_and_back(array), array)


@pytest.mark.parametrize(
    "value", [2**63, object(), {1, 2}, 1j, torch.ones(2, dtype=torch.complex64), b"bytes"]
)
def test_other_values_do_not_cross(value: object) -> None:
    with pytest.raises(ValueError, match=r"fit in 64 bits|cannot leave the sandbox"):
        pack({"value": value})


def test_lone_surrogates_are_replaced_so_that_results_can_be_written() -> None:
    assert there_and_back("a\ud800b") == "a?b"


def tensor_tree(*content: object) -> bytes:
    """Write a header that holds one tensor."""
    return json.dumps({"value": {"tensor": content}}).encode()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"{",
        b'{"value": 18446744073709551616}',
        b'{"value": ' + b"9" * 5000 + b"}",
        b'{"value": {"pickle": [1]}}',
        b'{"value": {"list": 3}}',
        b'{"value": {"list": [], "tuple": []}}',
        b'{"value": {"dict": [[1]]}}',
        b'{"value": {"dict": [[{"list": []}, 1]]}}',
        b'{"value": {"handle": ["x", "y"]}}',
        b'{"value": {"handle": [1]}}',
        b'{"value": {"record": ["WindowGrid", 1]}}',
        b'{"value": {"record": ["os.system", 1, 2, 3]}}',
        b'{"value": ' + b'{"list": [' * 50_000 + b"]}" * 50_000 + b"}",
        tensor_tree("float32", [2], 0, 4),
        tensor_tree("float32", [2], 0, 16),
        tensor_tree("float32", [2], 8, 8),
        tensor_tree("float32", [-1, -2], 0, 8),
        tensor_tree("float32", [2**40, 2**40], 0, 8),
        tensor_tree("float32", [1.0, 2], 0, 8),
        tensor_tree("float32", [True, 2], 0, 8),
        tensor_tree("object", [2], 0, 8),
        tensor_tree("bool", [8], 0, 8),
        tensor_tree("float32", "2", 0, 8),
        tensor_tree("float32"),
        b'{"value": {"array": ["|O", [1], 0, 8]}}',
        b'{"value": {"array": [["<f4"], [1], 0, 4]}}',
    ],
)
def test_dishonest_headers_are_refused(header: bytes) -> None:
    with pytest.raises(BadFrame):
        unpack(header, bytearray(b"\x07" * 8))


def test_two_tensors_never_lie_on_the_same_bytes() -> None:
    one = json.dumps({"tensor": ["float32", [2], 0, 8]})
    with pytest.raises(BadFrame, match="out of order"):
        unpack(f'{{"value": {{"list": [{one}, {one}]}}}}'.encode(), bytearray(8))


def test_parts_of_all_sizes_cross_a_socket_and_can_be_written_to() -> None:
    values = [torch.arange(count, dtype=torch.uint8) for count in (3, 0, 5, 200_000, 1)]
    values += [torch.rand(7, 11, dtype=torch.float64), torch.tensor([True, False])]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=Channel(theirs).send, args=({"value": values},))
        sender.start()
        got = Channel(ours).receive()["value"]
        sender.join()
    assert [one.dtype for one in got] == [one.dtype for one in values]
    assert all(map(torch.equal, got, values))
    got[3][:] = 9
    assert all(torch.equal(got[n], values[n]) for n in range(len(got)) if n != 3)


def test_damaged_frames_never_raise_anything_else() -> None:
    frame = b"".join(
        pack({"kind": "result", "value": [torch.ones(2, 3), {"a": (1, 2.5, "x")}, None]})
    )
    header, body = split(frame)
    dice = random.Random(0)
    for _ in range(3000):
        damaged = bytearray(header)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            unpack(damaged, bytearray(body))
        except BadFrame:
            continue


def test_a_length_beyond_the_cap_is_refused_before_anything_is_allocated() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(LENGTHS.pack(10, MAX_BODY + 1))
        with pytest.raises(BadFrame, match="claims"):
            Channel(ours).receive()


def test_a_peer_that_leaves_in_the_middle_of_a_frame_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(b"".join(pack({"value": 1}))[:-1])
        theirs.close()
        with pytest.raises(Closed):
            Channel(ours).receive()


@pytest.mark.parametrize("made", [torch.ones((1,) * 17), np.ones((1,) * 17)])
def test_more_dimensions_than_the_other_side_takes_are_refused_here(made: object) -> None:
    with pytest.raises(ValueError, match="17 dimensions are more than the 16 that cross"):
        pack({"value": made})
    assert there_and_back(torch.ones((1,) * 16)).shape == (1,) * 16


@pytest.mark.parametrize(
    "shown",
    [torch.ones(1).expand(1 << 40), np.broadcast_to(np.ones(1), (1 << 40,))],
    ids=["tensor", "array"],
)
def test_a_view_of_more_than_crosses_is_refused_before_it_is_gathered(shown: object) -> None:
    with pytest.raises(ValueError, match="MiB is too large to hand over"):
        pack({"value": [torch.ones(3), shown]})


def test_what_may_wait_comes_with_the_next_message_and_in_its_order() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender, receiver = Channel(theirs), Channel(ours)
        sender.send({"n": 1}, hold=True)
        sender.send({"n": 2}, hold=True)
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
        ours.setblocking(True)
        sender.send({"n": 3})
        assert [receiver.receive()["n"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("size", [1, 3, 100, 1 << 20])
def test_it_is_the_same_in_how_many_pieces_messages_come(size: int) -> None:
    values = [1, torch.rand(40), torch.rand(3 * SMALL), 2]
    sent = b"".join(b"".join(pack({"value": value})) for value in values)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pieces = (sent[n : n + size] for n in range(0, len(sent), size))
        sender = threading.Thread(target=lambda: [*map(theirs.sendall, pieces)])
        sender.start()
        receiver = Channel(ours, time.monotonic() + 60)
        got = [receiver.receive()["value"] for _ in values]
        sender.join()
    assert (got[0], got[3]) == (1, 2)
    assert torch.equal(got[1], values[1])
    assert torch.equal(got[2], values[2])


def test_not_much_waits() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender, receiver = Channel(theirs), Channel(ours)
        texts = ["a" * (SMALL // 2), "b" * (SMALL // 2)]
        for text in texts:
            sender.send({"text": text}, hold=True)
        assert sender.held == []
        assert [receiver.receive()["text"] for _ in texts] == texts
