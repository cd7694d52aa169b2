"""States of a call, as the customer lives through it."""

from enum import StrEnum


class CallState(StrEnum):
    """Where a call stands."""

    IN_FLOW = "in_flow"
    """The flow speaks with the customer."""
    QUEUED = "queued"
    """The customer waits and hears music."""
    OFFERED = "offered"
    """The customer waits, an agent's phone rings."""
    CONNECTING = "connecting"
    """The agent's phone answered; the routing engine has yet to confirm that the offer still stood."""
    AGENT_LOST = "agent_lost"
    """The agent's phone went away while connecting; the customer goes back as soon as the engine has answered."""
    TALKING = "talking"
    ENDED = "ended"
