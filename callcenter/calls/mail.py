"""What may be put into a call's mailbox, besides news of legs and media."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from callcenter.calls import events as ev
from callcenter.calls.card_entry import SecureAsked
from callcenter.calls.facts import CustomerIdentified, CustomerMatched
from callcenter.calls.legs import LegEvent, LegOffered
from callcenter.calls.recorder import RecordingAsked
from callcenter.calls.segments import Seat, Target
from callcenter.calls.supervision import SupervisionAsked
from callcenter.ports import MediaEvent, Refused


class Identified(msgspec.Struct, frozen=True):
    """The agent said which customer this is."""

    customer_id: str
    customer_name: str
    customer_level: str
    agent_id: str

    def as_fact(self, contact_id: str, at: int) -> CustomerIdentified:
        """The same of a contact, as it is journaled."""
        return CustomerIdentified(
            contact_id, at, self.customer_id, self.agent_id, self.customer_name, self.customer_level
        )


class Matched(msgspec.Struct, frozen=True):
    """The customer store answered."""

    fact: CustomerMatched


class DigitsOrdered(msgspec.Struct, frozen=True):
    """The agent sends digits to whom she talks with."""

    contact_id: str
    digits: str


class PickUpAsked(msgspec.Struct, frozen=True):
    """An agent's phone calls to take over a leg of this call, or the customer out of the slot when none is named."""

    offered: LegOffered
    agent_id: str
    leg_id: str = ""


class TransferChecked(msgspec.Struct, frozen=True):
    """Whether a phone's transfer to ``target`` may be made; ``leg_id`` is the phone's."""

    leg_id: str
    target: Target | Refused


@dataclass(frozen=True, slots=True)
class PartyAsked:
    """Another call of the same phone wants this one's far end; ``leg_id`` is the phone's leg here."""

    leg_id: str
    done: "asyncio.Future[Seat | None]" = field(compare=False)


Mail = (
    ev.CallEvent
    | LegEvent
    | MediaEvent
    | Identified
    | Matched
    | RecordingAsked
    | SecureAsked
    | DigitsOrdered
    | PickUpAsked
    | PartyAsked
    | TransferChecked
    | SupervisionAsked
)
