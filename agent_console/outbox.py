"""What waits to be sent to one browser: bounded, coalescing, and never a silent gap. Pure."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from agent_console import envelope
from agent_console.messages import (
    AgentChanged,
    CallbackChanged,
    CallbackRemoved,
    Change,
    ContactChanged,
    ContactRemoved,
    ExchangeStatus,
    Pong,
    QueueChanged,
    Unnumbered,
)

REPLY_LIMIT = 256
"""Answers that may wait. A browser that keeps asking without reading is past any use."""


@dataclass(frozen=True, slots=True)
class NumberedBody:
    """A numbered frame that lacks only its ``after``."""

    seq: int
    at: int
    body: str


class Outbox:
    """Two lanes: answers first, then numbered frames in order.

    A queue's counts that are still unsent are replaced by newer ones of the same queue. When ``limit`` numbered frames
    wait, all of them are dropped and a snapshot, made at the moment it is sent, takes their place.
    """

    def __init__(self, *, limit: int = 1_000) -> None:
        self._limit = limit
        self._replies: deque[Unnumbered] = deque()
        self._numbered: OrderedDict[Hashable, NumberedBody] = OrderedDict()
        self._following = False
        self._stale = False
        self._last_seq = 0
        self.resyncs = 0
        """How often the browser was too slow."""

    def __len__(self) -> int:
        return len(self._replies) + len(self._numbered)

    def reply(self, frame: Unnumbered) -> bool:
        """Queue an answer; ``False`` when there are too many. Only the newest pong and the newest status are kept."""
        if isinstance(frame, Pong | ExchangeStatus):
            self._replies = deque(waiting for waiting in self._replies if type(waiting) is not type(frame))
        if len(self._replies) >= REPLY_LIMIT:
            return False
        self._replies.append(frame)
        return True

    def start_after(self, seq: int) -> None:
        """Follow the numbering from ``seq`` on, which the browser has."""
        self._numbered.clear()
        self._following = True
        self._stale = False
        self._last_seq = seq

    def start_afresh(self) -> None:
        """Follow the numbering from a new snapshot on."""
        self._numbered.clear()
        self._following = True
        self._stale = True

    def push(self, change: Change, frame: NumberedBody) -> None:
        """Queue a change. Ignored before the numbering starts, and while a snapshot is due, which will contain it."""
        if not self._following or self._stale:
            return
        key = _key(change, frame.seq)
        self._numbered[key] = frame
        self._numbered.move_to_end(key)
        if len(self._numbered) > self._limit:
            self.resyncs += 1
            self.start_afresh()

    def take(self, snapshot: Callable[[], NumberedBody]) -> str | None:
        """The next frame to send, ``None`` when there is none. ``snapshot`` is called only when one is due."""
        if self._replies:
            return envelope.unnumbered(self._replies.popleft())
        if self._stale:
            self._stale = False
            return self._complete(snapshot(), after=0)
        if self._numbered:
            _, frame = self._numbered.popitem(last=False)
            return self._complete(frame, after=self._last_seq)
        return None

    def _complete(self, frame: NumberedBody, *, after: int) -> str:
        self._last_seq = frame.seq
        return envelope.numbered(frame.body, seq=frame.seq, after=after, at=frame.at)


def _key(change: Change, seq: int) -> Hashable:
    match change:
        case QueueChanged(queue=queue):
            return queue.queue_id
        case AgentChanged() | ContactChanged() | ContactRemoved() | CallbackChanged() | CallbackRemoved():
            return seq
