"""Messages that callers left, past tense. ``at`` is an instant in milliseconds since the epoch.

A message is known by its recording; whether there is anything in it says ``RecordingStored``.
"""

import msgspec


class VoicemailBegun(msgspec.Struct, frozen=True):
    """A caller begins to speak. Journaled before anything is recorded, so that no message is unknown."""

    call_id: str
    at: int
    recording_id: str
    box: str
    """A queue's or an agent's id."""
    caller: str
    caller_name: str
    language: str


class VoicemailWorked(msgspec.Struct, frozen=True):
    """Somebody dealt with a message; ``by`` is ``system`` for one that nothing was said in."""

    recording_id: str
    at: int
    by: str
    box: str


class VoicemailHeard(msgspec.Struct, frozen=True):
    """Somebody is about to hear a message by phone; ``by`` is an agent."""

    recording_id: str
    at: int
    by: str
    box: str


VoicemailFact = VoicemailBegun | VoicemailWorked | VoicemailHeard
