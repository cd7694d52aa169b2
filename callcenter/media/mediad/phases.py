"""How a worker spreads its conversations over the 20 ms of a frame.

Sending to hundreds of legs takes milliseconds. Served in one go the last of them would get each packet so much later;
in phases nobody waits for more than a quarter of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from callcenter.media.mediad.conversation import Conversation
from callcenter.media.mediad.leg import RtpLeg

PHASES = 4
"""Of 5 ms each."""
_FULL = 25
"""Conversations after which another phase is begun: they are served within a millisecond or two."""


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


def place(phases: Sequence[Phase]) -> Phase:
    """Where another conversation is served: few of them share a phase, since each costs wake-ups."""
    begun = next((phase for phase in phases if len(phase.conversations) < _FULL), None)
    return begun or min(phases, key=lambda phase: len(phase.conversations))
