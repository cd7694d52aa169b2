"""A worker's way to the recorder: never waits for it, keeps a bounded amount while it is slow or dead."""

import socket
from collections import deque
from collections.abc import Callable

import msgspec

from callcenter.media.mediad.recorder_protocol import Chunk, Damage, TapMessage, TapSwitched

MOST_WAITING = 32 << 20
"""Bytes that wait for the recorder: ten seconds of 200 recordings."""


class RecorderFeed:
    """Sends chunks and marks in order. What does not fit any more is dropped and told to ``on_damage``."""

    def __init__(self, on_damage: Callable[[int, Damage], None], *, most_waiting: int = MOST_WAITING) -> None:
        self._on_damage = on_damage
        self._most_waiting = most_waiting
        self._socket: socket.socket | None = None
        self._outbox: deque[bytes] = deque()
        self._waiting = 0
        self._lossy: set[int] = set()
        self._encoder = msgspec.msgpack.Encoder()

    def use(self, sock: socket.socket) -> None:
        """Go on with another recorder."""
        self._hang_up()
        self._socket = sock
        self.flush()

    def send(self, message: TapMessage) -> None:
        """Queue a message. Marks are small and never dropped."""
        number = message.number
        if isinstance(message, Chunk) and self._waiting + 2 * message.samples > self._most_waiting:
            if number not in self._lossy:
                self._lossy.add(number)
                self._on_damage(number, Damage.OVERFLOW)
            return
        if number in self._lossy and not isinstance(message, TapSwitched):
            self._lossy.discard(number)
            message = msgspec.structs.replace(message, after_loss=True)
        data = self._encoder.encode(message)
        self._waiting += len(data)
        self._outbox.append(data)

    @property
    def is_behind(self) -> bool:
        """Whether something waits for the recorder."""
        return bool(self._outbox)

    def flush(self) -> None:
        """Send what the recorder takes now."""
        while self._outbox and self._socket is not None:
            try:
                self._socket.send(self._outbox[0])
            except BlockingIOError:
                return
            except OSError:  # the recorder died; the next one gets what waits
                self._hang_up()
                return
            self._waiting -= len(self._outbox.popleft())

    def close(self) -> None:
        """Hang up."""
        self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
