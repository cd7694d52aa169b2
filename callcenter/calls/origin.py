"""How a call began, and what follows from that for whoever is shown in it."""

from dataclasses import dataclass

from callcenter.calls import events as ev
from callcenter.calls.facts import CallArrived
from callcenter.calls.legs import LegOffered, Party
from callcenter.calls.segments import SegmentKind, TargetKind
from callcenter.chance import random_hex


@dataclass(frozen=True, slots=True)
class Origin:
    """How a call began: a customer's leg that came in, or an agent's order to call somebody."""

    offered: LegOffered | None
    """The leg that came in: the customer's, or that of the agent's phone; ``None`` for a call the desk ordered."""
    flow: str = ""
    order: ev.DialOrdered | ev.PhoneDialled | ev.CallBackOrdered | None = None
    """What an agent or a promise wants, ``None`` for a customer's call."""

    @property
    def customer_leg_id(self) -> str:
        """The leg that is the customer's, or will be; empty between colleagues, where nobody is one."""
        if self.order is not None:
            return "" if self.direction is SegmentKind.INTERNAL else self.order.called_leg_id
        return "" if self.offered is None else self.offered.leg_id

    @property
    def direction(self) -> SegmentKind:
        """What kind of call it is."""
        if self.order is None:
            return SegmentKind.INBOUND
        inside = self.order.target.kind is TargetKind.AGENT
        return SegmentKind.INTERNAL if inside else SegmentKind.OUTBOUND

    def arrived(self, call_id: str, now: int) -> CallArrived:
        """The call's first fact."""
        leg, order = self.offered, self.order
        caller = Party(order.agent_id) if order is not None else Party("")
        return CallArrived(
            call_id=call_id,
            at=now,
            caller=caller.number if leg is None or order is not None else leg.caller.number,
            caller_name="" if leg is None else leg.caller.display_name,
            called=order.target.id if order is not None else "" if leg is None else leg.called.number,
            trunk_id="" if leg is None else leg.trunk_id or "",
            sip_call_id="" if leg is None else leg.sip_call_id,
            flow=self.flow,
            direction=self.direction,
            agent_id="" if order is None else order.agent_id,
            diverted_from=self.diverted_from,
        )

    @property
    def diverted_from(self) -> str:
        """What the customer dialled when the call was forwarded to us; the first of all who forwarded it."""
        leg = self.offered if self.order is None else None
        return leg.diversions[-1].number if leg is not None and leg.diversions else ""

    @property
    def customer_number(self) -> str:
        """Who is at the other end: who called us, or who is called."""
        if self.order is not None:
            return self.order.target.id
        return "" if self.offered is None else self.offered.caller.number

    def shown_to(self, agent_id: str) -> Party:
        """Whom an agent's phone shows: the customer, or who calls; the own phone of who calls shows who is called."""
        if self.order is None:
            return Party("") if self.offered is None else self.offered.caller
        if agent_id == self.order.agent_id or self.direction is SegmentKind.OUTBOUND:
            return Party(self.order.target.id)
        return self.shown_colleague(self.order.agent_id)

    def shown_colleague(self, agent_id: str) -> Party:
        """How a colleague is shown who calls, or is handed on."""
        called = self.order is not None and agent_id == self.order.agent_id and self.offered is not None
        return Party(agent_id, self.offered.caller.display_name if called and self.offered is not None else "")

    @property
    def shown_outside(self) -> Party:
        """Whom a number outside sees: the customer who is handed on; for an agent's call the trunk's rules decide."""
        return Party("") if self.offered is None or self.order is not None else self.offered.caller


def person(number: str) -> str:
    """Who has a number, however it is written: its digits."""
    return "".join(filter(str.isdigit, number))


def new_leg_id() -> str:
    """An id for a leg that we start."""
    return f"a-{random_hex(8)}"
