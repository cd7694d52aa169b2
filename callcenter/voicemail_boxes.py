"""The voicemail boxes as the exchange knows them: how many messages wait in each, and whose phones show it.

A fold of facts; after a restart it is folded again from the journal, so no message is forgotten. Pure but for
``VoicemailDesk``, which journals.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from agent_console.ports import IntentError
from callcenter.bus import Bus
from callcenter.calls.recording_facts import RecordingStored
from callcenter.calls.voicemail import NOBODY
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailWorked
from callcenter.ports import Clock, Journal, Signalling

SHORTEST_MS = 1_000
"""What is shorter is a caller who hung up at the tone, not a message."""


@dataclass(slots=True)
class VoicemailBoxes:
    """Messages that nobody has dealt with, by box. ``watchers`` are the agents whose phones show a box."""

    watchers: Mapping[str, frozenset[str]]
    waiting: dict[str, str] = field(default_factory=dict)
    """Recording id to box."""
    stored: dict[str, str] = field(default_factory=dict)
    """Of those that wait and are on disk: recording id to path below the recordings' folder."""

    def apply(self, fact: object) -> str | None:
        """Take a fact; the box that changed."""
        match fact:
            case VoicemailBegun():
                self.waiting[fact.recording_id] = fact.box
                return fact.box
            case VoicemailWorked():
                self.stored.pop(fact.recording_id, None)
                return self.waiting.pop(fact.recording_id, None)
            case RecordingStored() if fact.recording_id in self.waiting and fact.path:
                self.stored[fact.recording_id] = fact.path
                return None
            case _:
                return None

    def fold(self, facts: Iterable[object]) -> None:
        """Take what the journal holds."""
        for fact in facts:
            self.apply(fact)

    def count(self, box: str) -> int:
        """How many messages wait in a box."""
        return sum(each == box for each in self.waiting.values())

    def heard_by(self, agent_id: str) -> tuple[str, ...]:
        """The messages on disk that wait in this agent's boxes, the oldest first."""
        return tuple(
            each for each, box in self.waiting.items() if each in self.stored and agent_id in self.watchers.get(box, ())
        )

    def count_for(self, agent_id: str) -> int:
        """How many messages wait in all boxes that this agent's phone shows."""
        return sum(agent_id in self.watchers.get(box, ()) for box in self.waiting.values())


class VoicemailDesk:
    """Keeps the boxes, the lights of the phones, and the journal together. ``hear`` is for the bus."""

    def __init__(
        self,
        boxes: VoicemailBoxes,
        *,
        clock: Clock,
        journal: Journal,
        bus: Bus,
        signalling: Signalling,
        in_background: Callable[[VoicemailWorked], None],
    ) -> None:
        """``in_background`` journals and tells a fact without anybody waiting for it."""
        self.boxes = boxes
        self._clock = clock
        self._journal = journal
        self._bus = bus
        self._signalling = signalling
        self._in_background = in_background

    def hear(self, fact: object, at: int) -> None:
        """Take a fact of the bus; an empty message is nobody's work."""
        del at
        box = self.boxes.apply(fact)
        if box is not None:
            for agent_id in sorted(self.boxes.watchers.get(box, ())):
                self.light(agent_id)
        if isinstance(fact, RecordingStored) and fact.recording_id in self.boxes.waiting:
            nothing_said = fact.duration_ms < SHORTEST_MS
            if nothing_said:
                box = self.boxes.waiting[fact.recording_id]
                self._in_background(VoicemailWorked(fact.recording_id, self._clock.now(), NOBODY, box))

    def light(self, agent_id: str) -> None:
        """Tell an agent's phones how many messages wait."""
        self._signalling.message_waiting(agent_id, new=self.boxes.count_for(agent_id), old=0)

    async def work(self, user_id: str, recording_id: str, *, may_all: bool) -> None:
        """Somebody dealt with a message. Raises ``IntentError`` when there is none, or it is not theirs."""
        box = self.boxes.waiting.get(recording_id)
        if box is None:
            raise IntentError("message-gone", "Somebody dealt with this message already.")
        if not may_all and user_id not in self.boxes.watchers.get(box, frozenset()):
            raise IntentError("not-allowed", "This message is not for you.")
        fact = VoicemailWorked(recording_id, self._clock.now(), user_id, box)
        await self._journal.committed(self._journal.append(fact, at=fact.at))
        self._bus.publish(fact, fact.at)
