"""What happened to callbacks, past tense. ``call_id`` is the call in which the promise was made, and names it."""

from enum import StrEnum

import msgspec


class CallbackRequested(msgspec.Struct, frozen=True):
    """A customer is promised a callback."""

    call_id: str
    at: int
    caller: str
    queue_id: str
    arrived_at: int
    """The instant that gives it its place."""
    priority: int = 0
    required_skills: tuple[tuple[str, int], ...] = ()
    by: str = ""
    """The agent who promised it; empty when the customer asked for it in the flow."""
    language: str = ""
    """What the customer speaks, as far as it was known."""


class CallbackDialled(msgspec.Struct, frozen=True):
    """The customer is about to be called: written down before the call goes out, so that a dial that a dying exchange
    may have made is counted. ``contact_id`` is the call."""

    call_id: str
    at: int
    contact_id: str


class CallbackTried(msgspec.Struct, frozen=True):
    """A callback was made and did not reach the customer; ``contact_id`` is the call that was made."""

    call_id: str
    at: int
    contact_id: str
    counts: bool
    """Whether it was an attempt at the customer; an agent's own phone that did not answer is none."""


class CallbackResult(StrEnum):
    """How a callback ended."""

    REACHED = "reached"
    UNREACHED = "unreached"
    """All attempts were made."""
    CALLED_IN = "called_in"
    """The customer called in again and has the place."""
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    """The number may not be called, by the rules of calls out."""
    NOT_CONTACTABLE = "not_contactable"
    """The customer does not want to be called any more, or the number is on the do-not-call list."""
    ABANDONED = "abandoned"
    """The customer was called first, answered, and hung up before an agent was there."""
    ERASED = "erased"
    """The person was erased."""
    CALLED_OFF = "called_off"
    """Somebody at a console called it off."""


class CallbackClosed(msgspec.Struct, frozen=True):
    """A callback is over; one for each ``CallbackRequested``."""

    call_id: str
    at: int
    result: CallbackResult
    detail: str = ""
    """Why, where there is more to say: the store's reasons against calling."""
    by: str = ""
    """Who called it off."""


class CallbackMoved(msgspec.Struct, frozen=True):
    """Somebody at a console changed when it is made, or whose it is: ``how`` is ``now`` (no waiting for the next
    attempt), ``top`` (before everybody in its queue) or ``handed`` (whose promise it is: ``to``)."""

    call_id: str
    at: int
    how: str
    by: str
    to: str = ""


CallbackFact = CallbackRequested | CallbackDialled | CallbackTried | CallbackMoved | CallbackClosed
