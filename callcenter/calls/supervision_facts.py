"""Who listened to a call, past tense: journaled before anything of it is heard, so that no ear goes unrecorded.

``at`` is an instant in milliseconds since the epoch; ``contact_id`` is the stretch of the call as the floor knows it.
"""

import msgspec


class SupervisionOrdered(msgspec.Struct, frozen=True):
    """A supervisor wants to take part in an agent's conversation; the supervisor's phone is rung next."""

    call_id: str
    at: int
    supervisor_id: str
    contact_id: str
    agent_id: str
    how: str
    """``monitor``, ``whisper`` or ``barge``."""


class SupervisionJoined(msgspec.Struct, frozen=True):
    """The supervisor's phone answered: from here on the call is heard there."""

    call_id: str
    at: int
    supervisor_id: str
    contact_id: str
    agent_id: str
    how: str


class SupervisionChanged(msgspec.Struct, frozen=True):
    """The supervisor takes part another way."""

    call_id: str
    at: int
    supervisor_id: str
    contact_id: str
    how: str


class SupervisionEnded(msgspec.Struct, frozen=True):
    """The supervisor takes part no more; ``cause``: ``left``, ``refused``, ``agent_gone``, ``took_over``, ``ended``."""

    call_id: str
    at: int
    supervisor_id: str
    contact_id: str
    cause: str


class SupervisorHungUp(msgspec.Struct, frozen=True):
    """A supervisor ends the call of a customer who was handed to a number outside; the end follows."""

    call_id: str
    at: int
    supervisor_id: str
    contact_id: str


SupervisionFact = SupervisionOrdered | SupervisionJoined | SupervisionChanged | SupervisionEnded | SupervisorHungUp
