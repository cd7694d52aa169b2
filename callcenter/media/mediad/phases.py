"""How a worker spreads its conversations over the 20 ms of a frame, and how late they are served.

Sending to hundreds of legs takes milliseconds. Served in one go the last of them would get each packet so much later;
in phases nobody waits for more than a quarter of that.
"""

from dataclasses import dataclass, field

from callcenter.media.mediad.conversation import Conversation
from callcenter.media.mediad.leg import RtpLeg

PHASES = 4
"""Of 5 ms each."""
LATEST = 60
"""Milliseconds; what is later counts as that."""


@dataclass(slots=True)
class Phase:
    """Conversations that are served at the same instant."""

    conversations: list[Conversation] = field(default_factory=list)
    ticking: list[RtpLeg] = field(default_factory=list)
    """Their legs that hear more than one relayed source."""

    @property
    def has_work(self) -> bool:
        """Whether somebody is to be served."""
        return bool(self.ticking) or any(conversation.plays for conversation in self.conversations)

    def gather(self) -> None:
        """Find the legs anew, after a change."""
        self.ticking = [leg for conversation in self.conversations for leg in conversation.ticking]

    def drop(self, conversation: Conversation) -> None:
        """A conversation is over."""
        if conversation in self.conversations:
            self.conversations.remove(conversation)


class Lateness:
    """Counts how many milliseconds after its time the last packet of a tick left."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def note(self, milliseconds: int) -> None:
        """One tick is done."""
        late = min(max(0, milliseconds), LATEST)
        self._counts[late] = self._counts.get(late, 0) + 1

    def take(self) -> dict[int, int]:
        """Ticks by their lateness, since this was asked last."""
        counts, self._counts = self._counts, {}
        return counts


def percentile(counts: dict[int, int], share: float) -> float | None:
    """The lateness that this share of ticks did not exceed, ``None`` without any."""
    left = share * sum(counts.values())
    for late in sorted(counts):
        left -= counts[late]
        if left <= 0:
            return float(late)
    return None
