"""What the call machine is told of parties: whose phone rings, answers, refuses, sounds or is gone."""

import msgspec

from callcenter.calls.legs import EndCause


class CustomerGone(msgspec.Struct, frozen=True):
    """The customer's leg ended."""

    cause: EndCause


class AgentRinging(msgspec.Struct, frozen=True):
    """The agent's phone rings."""

    leg_id: str


class AgentAnswered(msgspec.Struct, frozen=True):
    """The agent's phone answered."""

    leg_id: str


class AgentRefused(msgspec.Struct, frozen=True):
    """The agent's phone refused, or was not reached; ``status`` is the final SIP status."""

    leg_id: str
    status: int


class AgentGone(msgspec.Struct, frozen=True):
    """The leg of the agent who is sought ended after it was answered."""

    leg_id: str
    cause: EndCause


class AgentLeft(msgspec.Struct, frozen=True):
    """The leg of the agent who has the customer ended. Told as ``AgentGone``; the machine knows whose leg it is."""

    leg_id: str
    cause: EndCause


class TalkOver(msgspec.Struct, frozen=True):
    """The agent hung up, by phone or at the desk, and the customer is to be asked something. Told as ``AgentGone`` or
    ``HangUpOrdered``; the machine knows that the flow goes on."""

    gone: bool
    """Whether the agent's leg has ended already."""


class ConsultedLeft(msgspec.Struct, frozen=True):
    """The second party's leg ended. Told as ``AgentGone``."""

    leg_id: str
    cause: EndCause


class NumberRinging(msgspec.Struct, frozen=True):
    """It rings at the number that is dialled beside the customer. Told as ``AgentRinging``."""

    leg_id: str


class NumberAnswered(msgspec.Struct, frozen=True):
    """The number that is dialled beside the customer answered. Told as ``AgentAnswered``."""

    leg_id: str


class NumberRefused(msgspec.Struct, frozen=True):
    """The number that is dialled beside the customer refused. Told as ``AgentRefused``."""

    leg_id: str
    status: int


class NumberEarlyMedia(msgspec.Struct, frozen=True):
    """The number outside that is sought sounds before it answers."""

    leg_id: str


class CustomerEarlyMedia(msgspec.Struct, frozen=True):
    """Whoever is called sounds before the answer."""


class CustomerRinging(msgspec.Struct, frozen=True):
    """It rings at whoever an agent called."""


class CustomerAnswered(msgspec.Struct, frozen=True):
    """Whoever an agent called answered."""


class CustomerRefused(msgspec.Struct, frozen=True):
    """Whoever an agent called refused, or was not reached."""

    status: int


class LeftWithNumber(msgspec.Struct, frozen=True):
    """A colleague is alone with a number outside, and has the call from here on."""


class MediaFailed(msgspec.Struct, frozen=True):
    """The call's audio is gone for good, or could not be set up; ``cause`` is what the customer's leg is told."""

    detail: str
    cause: EndCause = EndCause.ERROR
