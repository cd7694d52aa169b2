"""What happened to the recordings of calls, past tense: journaled like the facts of the calls themselves.

A recording outlives its call: the last of these may come long after the call's record is closed, and after a restart.
``at`` is an instant in milliseconds since the epoch.
"""

import msgspec


class RecordingAnnounced(msgspec.Struct, frozen=True):
    """The customer was told, to the end of the announcement, that this call will be recorded."""

    call_id: str
    at: int
    queue_id: str


class RecordingStarted(msgspec.Struct, frozen=True):
    """From here on it is recorded what customer and agent say to each other. Journaled before the order goes out."""

    call_id: str
    at: int
    recording_id: str
    agent_id: str
    queue_id: str
    retention: str
    announced: bool
    """Whether the customer was told before."""
    contact_id: str = ""
    """The stretch of the call that it belongs to, when that is not the call's first."""


class RecordingPaused(msgspec.Struct, frozen=True):
    """Nothing is recorded until it is resumed; ``cause`` is ``desk`` or ``secure``."""

    call_id: str
    at: int
    recording_id: str
    cause: str


class RecordingResumed(msgspec.Struct, frozen=True):
    """It is recorded again."""

    call_id: str
    at: int
    recording_id: str


class RecordingStopped(msgspec.Struct, frozen=True):
    """The recording ends here; its file is closed a moment later."""

    call_id: str
    at: int
    recording_id: str


class RecordingImpaired(msgspec.Struct, frozen=True):
    """Audio is being lost, or nothing can be recorded at all (``not_started``)."""

    call_id: str
    at: int
    recording_id: str
    reason: str


class RecordingStored(msgspec.Struct, frozen=True):
    """The file is closed and on disk. One for each ``RecordingStarted`` that could be carried out."""

    call_id: str
    at: int
    recording_id: str
    path: str
    """Relative to the folder of the recordings; empty when nothing could be written."""
    sha256: str
    """Of the file as it is on disk, in hexadecimal digits."""
    duration_ms: int
    """Length, paused stretches included."""
    truncated: str | None
    """Why audio is missing, ``None`` when none is."""
    pauses: tuple[tuple[int, int], ...] = ()
    """Paused stretches, from and to in milliseconds from the start."""


class CardEntryBegun(msgspec.Struct, frozen=True):
    """The customer types card data from here on: unheard, unrecorded."""

    call_id: str
    at: int
    agent_id: str


class CardEntryEnded(msgspec.Struct, frozen=True):
    """The customer is heard again. ``digits`` is how many keys were pressed meanwhile; which ones nobody knows."""

    call_id: str
    at: int
    agent_id: str
    digits: int
    reason: str = ""
    """``agent`` (given up), ``sent``, ``handed_on`` (transferred, parked, ...) or ``ended``; empty in old journals."""


class CardEntryAnswered(msgspec.Struct, frozen=True):
    """What the payment system made of the card data, see ``callcenter.payments.port.PaymentAnswer``."""

    call_id: str
    at: int
    contact_id: str
    agent_id: str
    fields: tuple[str, ...]
    """Which were sent: ``number``, ``expiry``, ``code``."""
    result: str
    token: str
    last4: str
    message: str


class CardEntryShown(msgspec.Struct, frozen=True):
    """How far the customer is: told on the bus for the agent's screen, journaled nowhere."""

    call_id: str
    at: int
    field: str
    """Which one is being typed."""
    typed: tuple[tuple[str, int, bool], ...]
    """Each field with its number of digits, and whether they are well-formed."""


CardEntryFact = CardEntryBegun | CardEntryEnded | CardEntryAnswered
RecordingFact = (
    RecordingAnnounced
    | RecordingStarted
    | RecordingPaused
    | RecordingResumed
    | RecordingStopped
    | RecordingImpaired
    | RecordingStored
)
