"""Whether the phones of agents who wait for calls are still there. Pure.

A connection that breaks tells so; datagrams tell nothing, and a phone that lost its power stays registered until its
registration runs out. So each phone that is reached by datagrams is asked every few seconds (OPTIONS, RFC 3261 section
11), for as long as its agent may be rung any moment, and only then. Whatever it answers shows life. One that owes an
answer is asked more often; one that owes four in a row is *silent*: it is asked on, and back after two answers in a
row, or when it registers. A phone that never answered an OPTIONS is not judged by it: some do not know the method.

These questions are many, and all alike: each phone's is laid out once, and its answer known by the branch before it is
read. So each is the least of a client transaction (RFC 3261 section 17.1.2): unique, and sent three times in all.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from callcenter.sip.flows import Flow, Transport
from callcenter.sip.phone_questions import Branches, Question
from callcenter.sip.registrar import Binding
from callcenter.sip.wire import Wire

PHONE_WATCH = "phone_watch"
"""Owner of the alarm."""
ANSWER_BEGIN = b"SIP/2.0 "
DOUBT_MS = 1_300
"""An answer that is owed for so long is missed; the next question follows at once."""
SENT_AGAIN_MS = (400, 900)
"""When a question is sent again to a phone that used to answer; so lost datagrams are no silence."""
MISSES_TO_SILENT = 4
"""After 9.4 seconds at most, with a question every 4 while all is well."""
ANSWERS_TO_BACK = 2
MOST_A_SECOND = 300
"""Questions at most while all is well, and to phones that do not answer; with more phones each is asked less often."""
REMEMBERED = 4
"""Questions to one phone whose answers are life still when they come late."""
SLOT_MS = 100
"""Phones whose turn comes within so long of each other are looked at together."""
UNREACHED = frozenset({b"408", b"430", b"480", b"503"})
"""What a proxy on the way says of a phone that is not there."""


@dataclass(slots=True)
class _Watched:
    """One phone."""

    name: str
    question: Question
    due: int = 0
    """When it is looked at next; what else stands in a slot for it is history."""
    asked_at: int = 0
    owed: bytes = b""
    """The branch of the question that is out."""
    data: bytes = b""
    """Its octets."""
    sent: int = 0
    """How often it went out."""
    misses: int = 0
    answers: int = 0
    branches: list[bytes] = field(default_factory=list)
    """The last few questions."""


class PhoneWatch:
    """Owned by ``registered_phones``, whose ``find`` gives the binding of a name and whether its agent may be rung, and
    who is told by ``changed`` that a phone fell silent or is back. ``every_ms`` 0 asks nobody."""

    def __init__(
        self,
        wire: Wire,
        *,
        every_ms: int,
        find: Callable[[str, int], tuple[Binding, bool] | None],
        changed: Callable[[str], None],
    ) -> None:
        self._wire = wire
        self._every_ms = every_ms
        self._find = find
        self._changed = changed
        self._branches = Branches(wire)
        self._watched: dict[str, _Watched] = {}
        self._asked: dict[bytes, _Watched] = {}
        """By branch: whose answer it would be."""
        self._slots: dict[int, list[_Watched]] = defaultdict(list)
        self._silent: set[str] = set()
        self._answering: set[str] = set()
        """Phones that ever answered."""
        self._next_slot: int | None = None
        """For which the alarm is set."""
        self._number = 0

    def __len__(self) -> int:
        return len(self._watched)

    @property
    def anybody_silent(self) -> bool:
        """Whether there is any phone that owes its answers."""
        return bool(self._silent)

    def is_silent(self, name: str) -> bool:
        """Whether this phone owes its answers."""
        return name in self._silent

    def begin(self, name: str, binding: Binding, now: int) -> None:
        """The phone's agent may be rung from now on."""
        if self._every_ms and binding.flow.transport is Transport.UDP and name not in self._watched:
            watched = _Watched(name, self._question(name, binding))
            self._watched[name] = watched
            self._ask(watched, now)

    def registered(self, name: str) -> None:
        """The phone gave a sign of life of its own."""
        self._silent.discard(name)
        watched = self._watched.get(name)
        if watched is not None:
            watched.misses, watched.owed = 0, b""

    def forget(self, name: str) -> None:
        """The phone is registered no more."""
        self._silent.discard(name)
        self._answering.discard(name)
        self._leave(name)

    def _leave(self, name: str) -> None:
        watched = self._watched.pop(name, None)
        if watched is not None:
            watched.due = -1
            for branch in watched.branches:
                self._asked.pop(branch, None)

    def alarm(self, now: int) -> None:
        """It is somebody's turn."""
        for slot in sorted(slot for slot in self._slots if slot * SLOT_MS <= now):
            for watched in self._slots.pop(slot):
                if watched.due == slot:
                    self._look_at(watched, now)
        self._next_slot = None
        if not self._watched:
            self._slots.clear()
        elif self._slots:
            self._set_alarm(min(self._slots))

    def _set_alarm(self, slot: int) -> None:
        self._next_slot = slot
        self._wire.alarms.set((PHONE_WATCH, "", ""), slot * SLOT_MS)

    def _plan(self, watched: _Watched, at: int) -> None:
        watched.due = -(-at // SLOT_MS)
        self._slots[watched.due].append(watched)
        if self._next_slot is None or watched.due < self._next_slot:
            self._set_alarm(watched.due)

    def _look_at(self, watched: _Watched, now: int) -> None:
        """Ask for the first time, again, or anew."""
        found = self._find(watched.name, now)
        if found is None:
            self.forget(watched.name)
        elif not found[1]:
            self._leave(watched.name)
        elif watched.owed and self._is_sent_again(watched):
            self._send(watched, now)
        else:
            if watched.owed:
                self._missed(watched)
            if found[0] != watched.question.binding:
                watched.question = self._question(watched.name, found[0])
            self._ask(watched, now)

    def _is_pressed(self, watched: _Watched) -> bool:
        """Whether it is to be known soon that this phone lives no more."""
        return watched.name in self._answering and watched.name not in self._silent

    def _is_sent_again(self, watched: _Watched) -> bool:
        return watched.sent <= len(SENT_AGAIN_MS) and self._is_pressed(watched)

    def _pace_ms(self) -> int:
        return max(self._every_ms, len(self._watched) * 1_000 // MOST_A_SECOND)

    def _missed(self, watched: _Watched) -> None:
        name = watched.name
        watched.answers = 0
        watched.misses += 1
        if watched.misses >= MISSES_TO_SILENT and name in self._answering and name not in self._silent:
            self._silent.add(name)
            self._wire.counts["phones silent"] += 1
            self._changed(name)

    def heard(self, data: bytes, flow: Flow) -> bool:
        """Whether these octets are the answer to a question; it needs no further reading then."""
        branch = self._branches.find(data) if data.startswith(ANSWER_BEGIN) else None
        watched = None if branch is None else self._asked.get(branch)
        if watched is None or branch is None:
            return False
        status = data[len(ANSWER_BEGIN) : len(ANSWER_BEGIN) + 3]
        self._wire.count(f"in {status.decode('ascii', 'replace')}", flow)
        if not status.startswith(b"1") and status not in UNREACHED:
            self._answered(watched, branch)
        return True

    def _answered(self, watched: _Watched, branch: bytes) -> None:
        name = watched.name
        self._answering.add(name)
        watched.misses = 0
        if branch != watched.owed:  # a late one; many of them come at once when a line is back
            return
        watched.owed = b""
        watched.answers += 1
        is_back = name in self._silent and watched.answers >= ANSWERS_TO_BACK
        if is_back:
            self._silent.discard(name)
        in_doubt = name in self._silent
        self._plan(watched, watched.asked_at + (DOUBT_MS if in_doubt else self._pace_ms()))
        if is_back:
            self._changed(name)

    def _ask(self, watched: _Watched, now: int) -> None:
        self._number += 1
        branch = self._branches.branch(self._number)
        watched.branches.append(branch)
        if len(watched.branches) > REMEMBERED:
            self._asked.pop(watched.branches.pop(0), None)
        self._asked[branch] = watched
        watched.owed, watched.asked_at, watched.sent = branch, now, 0
        watched.data = watched.question.asked(branch, self._number)
        self._wire.count("out OPTIONS", watched.question.binding.flow)
        self._send(watched, now)

    def _send(self, watched: _Watched, now: int) -> None:
        flow = watched.question.binding.flow
        self._wire.transmit(watched.data, flow)
        watched.sent += 1
        if self._is_sent_again(watched):
            after_ms = SENT_AGAIN_MS[watched.sent - 1]
        else:
            after_ms = DOUBT_MS if self._is_pressed(watched) else self._pace_ms()
        self._plan(watched, max(now, watched.asked_at + after_ms))

    def _question(self, name: str, binding: Binding) -> Question:
        return Question(self._wire, binding, f"watch-{self._wire.stateless_name(name)}")
