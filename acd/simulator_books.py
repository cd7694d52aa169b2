"""The books of a simulation: what happened to every contact, and how much time went where."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress, pairwise


class Book:
    """What happened to each contact of one class, in order of arrival."""

    RECORDS = (
        "instants",
        "handles",
        "patiences",
        "waits",
        "agents",
        "delayed",
        "served",
        "abandoned",
        "in_time",
    )
    """What is noted of every contact."""
    FURTHER = ("sent_away", "called_back", "unreached", "redialled", "starts", "ends_in")
    """What is noted besides where more than matching happens; empty where it does not."""

    __slots__ = (*RECORDS, *FURTHER, "marks")

    def __init__(self) -> None:
        self.instants = array("q")
        """When it arrived."""
        self.handles = array("q")
        """Conversation time it asked for."""
        self.patiences = array("q")
        """How long it would have waited; -1 for ever."""
        self.waits = array("q")
        """Milliseconds until connected or gone; for a contact that still waits, 0."""
        self.agents = array("q")
        """Number of the agent who took the contact, -1 for none."""
        self.delayed = bytearray()
        """1 for a contact that was not offered to anybody on arrival."""
        self.served = bytearray()
        self.abandoned = bytearray()
        self.in_time = bytearray()
        self.sent_away = bytearray()
        """1 for a contact that was not let in, or whose route plan came to its end."""
        self.called_back = bytearray()
        """1 for a customer who was promised a callback."""
        self.unreached = bytearray()
        """1 for one of them who was called in vain until the promise was over."""
        self.redialled = bytearray()
        """1 for a contact of somebody who had given up before."""
        self.starts = array("q")
        """When the conversation began, -1 for none."""
        self.ends_in = array("h")
        """Number of the queue it was in last."""
        self.marks: list[int] = []
        """Where batches begin; the last mark ends the last batch."""

    def enter(self, now: int, handle_ms: int, patience_ms: int | None, queue: int, *, again: bool = False) -> int:
        """A contact arrived, ``again`` by somebody who gave up before, in the queue of this number; its place."""
        self.instants.append(now)
        self.handles.append(handle_ms)
        self.patiences.append(-1 if patience_ms is None else patience_ms)
        self.waits.append(0)
        self.agents.append(-1)
        self.delayed.append(0)
        self.served.append(0)
        self.abandoned.append(0)
        self.in_time.append(0)
        self.sent_away.append(0)
        self.called_back.append(0)
        self.unreached.append(0)
        self.redialled.append(again)
        self.starts.append(-1)
        self.ends_in.append(queue)
        return len(self.waits) - 1

    def mark(self) -> None:
        """A batch begins, or the last one ends."""
        self.marks.append(len(self.waits))

    def tallies(self) -> "list[Tally]":
        """One tally for each batch."""
        return [self._tally(slice(start, end)) for start, end in pairwise(self.marks)]

    def _tally(self, part: slice) -> "Tally":
        waits, served = self.waits[part], self.served[part]
        return Tally(
            offered=len(waits),
            served=sum(served),
            abandoned=sum(self.abandoned[part]),
            delayed=sum(self.delayed[part]),
            in_time=sum(self.in_time[part]),
            wait_ms=sum(waits),
            served_wait_ms=sum(compress(waits, served)),
            sent_away=sum(self.sent_away[part]),
            called_back=sum(self.called_back[part]),
            unreached=sum(self.unreached[part]),
            redialled=sum(self.redialled[part]),
        )

    def ends_elsewhere(self, queue: int) -> "dict[int, int]":
        """How many of the measured contacts were last in another queue than this one, by queue."""
        measured = self.ends_in[self.marks[0] : self.marks[-1]] if self.marks else ()
        return {number: count for number, count in Counter(measured).items() if number != queue}


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over the contacts that arrived during one batch."""

    offered: int = 0
    served: int = 0
    abandoned: int = 0
    delayed: int = 0
    in_time: int = 0
    wait_ms: int = 0
    served_wait_ms: int = 0
    sent_away: int = 0
    called_back: int = 0
    unreached: int = 0
    redialled: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.offered + other.offered,
            self.served + other.served,
            self.abandoned + other.abandoned,
            self.delayed + other.delayed,
            self.in_time + other.in_time,
            self.wait_ms + other.wait_ms,
            self.served_wait_ms + other.served_wait_ms,
            self.sent_away + other.sent_away,
            self.called_back + other.called_back,
            self.unreached + other.unreached,
            self.redialled + other.redialled,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """The floor during one batch: integrals over its time, in milliseconds."""

    length_ms: int
    queue_ms: int
    """Contacts waiting, ringing included, times time."""
    busy_ms: int
    """Agents with a contact or in wrap-up, times time."""
    staffed_ms: int
    """Agents ready, ringing, with a contact or in wrap-up, times time."""


class Meter:
    """Integrates over time how many contacts wait and how many agents work. Counts change between two instants only."""

    __slots__ = ("_areas", "_marks", "busy", "now", "queued", "staffed")

    def __init__(self) -> None:
        self.now = 0
        self.queued = 0
        self.busy = 0
        self.staffed = 0
        self._areas = (0, 0, 0)
        self._marks: list[tuple[int, tuple[int, int, int]]] = []

    def pass_until(self, now: int) -> None:
        """Time passes with the counts as they are."""
        elapsed = now - self.now
        if elapsed:
            queue, busy, staffed = self._areas
            self._areas = (queue + self.queued * elapsed, busy + self.busy * elapsed, staffed + self.staffed * elapsed)
            self.now = now

    def take(self, now: int, queue_ms: int, busy_ms: int, staffed_ms: int) -> None:
        """Take over integrals that were kept elsewhere."""
        self.now, self._areas = now, (queue_ms, busy_ms, staffed_ms)

    def mark(self) -> None:
        """A batch begins, or the last one ends."""
        self._marks.append((self.now, self._areas))

    def bounds(self) -> tuple[int, int]:
        """The instants of the first and the last mark."""
        return self._marks[0][0], self._marks[-1][0]

    def spans(self) -> list[Span]:
        """The floor during each batch."""
        return [
            Span(end - start, *(after - before for before, after in zip(old, new, strict=True)))
            for (start, old), (end, new) in pairwise(self._marks)
        ]


def digest(books: Sequence[Book]) -> str:
    """Tells apart any two runs in which somebody was connected to somebody else, or at another instant.

    Warm-up counts, who came after the last mark does not.
    """
    log = blake2b(digest_size=16)
    for book in books:
        measured = book.marks[-1]
        for record in (book.waits, book.agents, book.abandoned):
            log.update(record[:measured])
    return log.hexdigest()
