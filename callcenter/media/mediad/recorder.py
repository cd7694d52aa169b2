"""The recorder: a process that does nothing but bring recordings to the disk.

One thread reads what workers send, at any time and without touching the disk; another one writes. Between them is a
bounded queue: when the disk stalls for longer than it holds, chunks are dropped and told, and nobody waits.
"""

import argparse
import os
import queue
import select
import signal
import socket
import threading
import time
from collections import deque
from pathlib import Path

import msgspec
import structlog

from callcenter.errors import MediaError
from callcenter.logs import configure_logs
from callcenter.media.mediad.recorder_protocol import (
    LARGEST_MESSAGE,
    Begin,
    Chunk,
    CloseRecording,
    Damage,
    OpenRecording,
    RecorderBeat,
    RecorderOrder,
    RecorderReply,
    TakeFeed,
    TapMessage,
    Written,
)
from callcenter.media.mediad.recording_writer import RecordingWriter, WriterOrder
from callcenter.media.protocol import RecordingHurt
from callcenter.media.recordings.keys import KeyRing, load_keys

log = structlog.get_logger(__name__)

BEAT = 0.5
"""Seconds between signs of life."""
MOST_QUEUED = 64 << 20
"""Bytes that wait for the disk: twenty seconds of 200 recordings."""
_PAUSE = 0.1
"""Seconds after which the writer looks for other work when nothing comes."""
_BUSY = 64
"""Queued orders above which syncing waits."""


class _Queue:
    """Orders on their way to the writing thread, with their bytes counted."""

    def __init__(self, most: int) -> None:
        self._orders: queue.SimpleQueue[WriterOrder | None] = queue.SimpleQueue()
        self._most = most
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of audio that wait."""
        return self._bytes

    def put(self, order: WriterOrder | None) -> bool:
        """Queue an order; false for a chunk that does not fit."""
        if isinstance(order, Chunk):
            with self._lock:
                if self._bytes + 2 * order.samples > self._most:
                    return False
                self._bytes += 2 * order.samples
        self._orders.put(order)
        return True

    def take(self) -> WriterOrder | None:
        """The next order, ``None`` for the end. Raises ``queue.Empty`` after a pause."""
        order = self._orders.get(timeout=_PAUSE)
        if isinstance(order, Chunk):
            with self._lock:
                self._bytes -= 2 * order.samples
        return order

    def is_short(self) -> bool:
        """Whether there is time for other work."""
        return self._orders.qsize() < _BUSY


class Recorder:
    """The reading side, and the thread that writes."""

    def __init__(self, control: socket.socket, root: Path, keys: KeyRing | None, *, most_queued: int) -> None:
        self._control = control
        self._writer = RecordingWriter(root, keys, on_written=self._tell, on_damage=self._tell_damage)
        self._queue = _Queue(most_queued)
        self._replies: deque[RecorderReply] = deque()
        """Appended to by both threads, sent by the reading one."""
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._told: set[tuple[int, Damage]] = set()
        self._lossy: set[int] = set()
        self._feeds: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        self._orders = msgspec.msgpack.Decoder(RecorderOrder)
        self._messages = msgspec.msgpack.Decoder(TapMessage)
        self._stopping = False

    def run(self) -> None:
        """Serve until the keeper is gone."""
        thread = threading.Thread(target=self._write, name="writer")
        thread.start()
        control = self._control.fileno()
        self._epoll.register(control, select.EPOLLIN)
        self._epoll.register(self._wake, select.EPOLLIN)
        next_beat = 0.0
        while not self._stopping:
            ready = self._epoll.poll(max(0.0, next_beat - time.monotonic()))
            self._take_orders()
            for descriptor, _ in ready:
                if descriptor == self._wake:
                    os.eventfd_read(self._wake)
                elif descriptor in self._feeds:
                    self._read_feed(self._feeds[descriptor])
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + BEAT
                self._replies.append(RecorderBeat(self._queue.size))
            self._send_replies()
        for feed in [*self._feeds.values()]:
            self._read_feed(feed)
        self._queue.put(None)
        thread.join()

    # The reading thread.

    def _take_orders(self) -> None:
        while not self._stopping:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._control, LARGEST_MESSAGE, 1)
            except BlockingIOError:
                return
            except ConnectionError:
                data, descriptors = b"", []
            if not data:
                self._stopping = True
                return
            match self._orders.decode(data):
                case TakeFeed():
                    feed = socket.socket(fileno=descriptors[0])
                    feed.setblocking(False)
                    self._feeds[feed.fileno()] = feed
                    self._epoll.register(feed.fileno(), select.EPOLLIN)
                case CloseRecording() as order:
                    for feed in [*self._feeds.values()]:  # what the dead worker has sent comes first
                        self._read_feed(feed)
                    self._queue.put(order)
                case Begin() | OpenRecording() as order:
                    self._queue.put(order)

    def _read_feed(self, feed: socket.socket) -> None:
        while True:
            try:
                data = feed.recv(LARGEST_MESSAGE)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                del self._feeds[feed.fileno()]
                self._epoll.unregister(feed.fileno())
                feed.close()
                return
            self._pass_on(self._messages.decode(data))

    def _pass_on(self, message: TapMessage) -> None:
        if isinstance(message, Chunk) and message.number in self._lossy:
            message = msgspec.structs.replace(message, after_loss=True)
        if self._queue.put(message):
            if isinstance(message, Chunk):
                self._lossy.discard(message.number)
            return
        self._lossy.add(message.number)
        self._tell_damage(message.number, Damage.OVERFLOW)

    def _send_replies(self) -> None:
        while self._replies:
            try:
                self._control.send(msgspec.msgpack.encode(self._replies[0]))
            except BlockingIOError:
                return
            except OSError:
                self._stopping = True
                return
            self._replies.popleft()

    # The writing thread; only ``_replies`` and the queue are shared.

    def _write(self) -> None:
        while True:
            try:
                order = self._queue.take()
            except queue.Empty:
                pass
            else:
                if order is None:
                    break
                self._writer.follow(order, now=_now())
            if self._queue.is_short():
                self._writer.tick(now=_now())
        self._writer.stop()

    def _tell(self, reply: Written | RecordingHurt) -> None:
        self._replies.append(reply)
        os.eventfd_write(self._wake, 1)

    def _tell_damage(self, number: int, reason: Damage) -> None:
        """Tell each damage of a recording once."""
        if (number, reason) not in self._told:
            self._told.add((number, reason))
            self._tell(RecordingHurt(number, reason))


def _now() -> int:
    return time.monotonic_ns() // 1_000_000


def _end_at_once(failure: threading.ExceptHookArgs) -> None:
    """A writing thread that failed takes the process along; the keeper starts another."""
    log.error("recorder.failed", exc_info=(failure.exc_type, failure.exc_value, failure.exc_traceback))
    os._exit(70)


def main() -> None:
    """Run the recorder; started by the keeper only."""
    parser = argparse.ArgumentParser(description="recorder, started by mediad")
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--key", type=Path, default=None)
    parser.add_argument("--most-queued", type=int, default=MOST_QUEUED)
    given = parser.parse_args()
    configure_logs("recorder")
    try:
        keys = None if given.key is None else load_keys(given.key)
    except MediaError as error:
        log.error("recorder.no_key", error=str(error))
        raise SystemExit(78) from error
    control = socket.socket(fileno=given.control)
    control.setblocking(False)
    for number in (signal.SIGINT, signal.SIGTERM):  # it ends when the keeper does
        signal.signal(number, signal.SIG_IGN)
    threading.excepthook = _end_at_once
    Recorder(control, given.folder, keys, most_queued=given.most_queued).run()


if __name__ == "__main__":
    main()
