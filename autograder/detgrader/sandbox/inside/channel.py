"""One end of the line between the grader and a worker."""

import math
import select
import socket
import time
from typing import Any

from detgrader.sandbox.inside.wire import (
    LENGTHS,
    MAX_BODY,
    MAX_HEADER,
    SMALL,
    BadFrame,
    Buffer,
    pack,
    unpack,
)


class Closed(Exception):
    """The peer is gone."""


class Channel:
    """One end of a stream socket that carries frames.

    Args:
        end: the socket.
        deadline: of `time.monotonic`, when a peer that is slow or silent has had its time.

    Attributes:
        lengths: of the last message that was received, its header's and its body's.
    """

    def __init__(self, end: socket.socket, deadline: float = math.inf):
        self.end = end
        self.deadline = deadline
        self.lengths = (0, 0)
        self.held: list[Buffer] = []
        self.early = bytearray()  # came with what was read before it

    def keep_deadline(self) -> None:
        """Let the next operation last until the deadline at most.

        Raises:
            TimeoutError: the deadline is over.
        """
        if self.deadline < math.inf:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.end.settimeout(left)

    def send(self, message: dict[str, Any], hold: bool = False) -> None:
        """Send a message.

        Args:
            hold: whether a small one may wait for the next: to wake the peer takes longer than to
                tell it something.

        Raises:
            Closed: the peer is gone.
            TimeoutError: the peer does not read in time.
        """
        parts = pack(message)
        if hold and len(parts) == 1 and sum(map(len, (*self.held, *parts))) <= SMALL:
            self.held += parts
            return
        parts, self.held = [b"".join([*self.held, parts[0]]), *parts[1:]], []
        try:
            for part in parts:
                self.keep_deadline()
                self.end.sendall(part)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed from error

    def receive(self) -> dict[str, Any]:
        """Wait for a message.

        Raises:
            BadFrame: it is not one.
            Closed: the peer is gone.
            TimeoutError: not all of it came in time.
        """
        header_length, body_length = LENGTHS.unpack(self.read(LENGTHS.size))
        if header_length > MAX_HEADER or body_length > MAX_BODY:
            raise BadFrame(f"a frame claims {header_length} + {body_length} bytes")
        self.lengths = header_length, body_length
        header = self.read(header_length)
        return unpack(header, self.read(body_length))

    def read(self, length: int) -> bytearray:
        """Read exactly so many bytes; what comes with the last of them waits for the next time."""
        data = bytearray(length)
        view = memoryview(data)
        while view:
            if self.early:
                count = min(len(view), len(self.early))
                view[:count] = self.early[:count]
                del self.early[:count]
            else:
                count = self.fill(view)
            view = view[count:]
        return data

    def fill(self, view: memoryview) -> int:
        """Receive into a view, or, if that is small, into `early`; return how much the view got."""
        self.keep_deadline()
        try:
            if len(view) >= SMALL:
                count = self.end.recv_into(view)
                came = count
            else:  # a message's lengths, header and body come at once
                self.early += self.end.recv(SMALL)
                count, came = 0, len(self.early)
        except ConnectionResetError as error:
            raise Closed from error
        if came == 0:
            raise Closed
        return count

    def has_news(self) -> bool:
        """Say whether something has come that was not read yet, or the peer is gone."""
        return bool(self.early) or bool(select.select([self.end], [], [], 0)[0])

    def close(self) -> None:
        """Close this end; the peer sees it."""
        self.end.close()
