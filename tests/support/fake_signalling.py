"""A signalling stack without SIP: keeps the orders, and lets a test play the far ends."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegEvent,
    LegOffered,
    LegReanswered,
    LegRefused,
    LegReoffered,
    LegRinging,
    Party,
)
from callcenter.media.sdp import LocalStream, build_offer
from callcenter.ports import EncryptionPolicy, PhoneTarget, TrunkPolicy

CUSTOMER_ADDRESS = "127.0.0.2"
PHONE_ADDRESS = "127.0.0.3"
REFUSAL_STATUS = {EndCause.CANCELLED: 487, EndCause.NO_ANSWER: 487, EndCause.REJECTED: 603}


def some_sdp(address: str, port: int) -> str:
    """A description that any media plane accepts."""
    return build_offer(LocalStream(address, port, 1, 1))


@dataclass(slots=True)
class FakeLeg:
    """One leg as the far end sees it."""

    leg_id: str
    agent_id: str | None
    """The agent whose phone it is, ``None`` for a customer's leg."""
    state: str = "offered"
    """``offered``, ``answered`` or ``ended``."""
    cause: EndCause | None = None
    inbound: bool = False
    """Whether the far end called."""
    shown: str = ""
    """Whose number a phone that is rung shows."""
    caller: str = ""
    """The number of a customer who called."""


class FakeSignalling:
    """Implements ``Signalling`` in memory."""

    def __init__(self) -> None:
        self.sink: Callable[[LegEvent], None] = lambda _: None
        self.registered: set[str] = set()
        self.watched: set[str] = set()
        """Agents who may be rung any moment."""
        self.legs: dict[str, FakeLeg] = {}
        self.dialled: list[tuple[str, str, tuple[str, ...]]] = []
        """Calls out: leg, number, trunks."""
        self.transfers: list[tuple[str, int]] = []
        """What was reported of transfers."""
        self.encrypted: dict[str, EncryptionPolicy] = {}
        """By agent: how media is offered, where not plain."""
        self.reasons: dict[str, str] = {}
        """By leg: why its call, or its transfer, was refused."""
        self.waiting: dict[str, tuple[int, int]] = {}
        """By agent: voice messages not yet heard, and heard."""
        self.rung_back: list[str] = []
        """Legs that were told that it rings."""
        self.progressed: dict[str, str] = {}
        """By leg that hears us before the answer: our description."""
        self.digits: list[tuple[str, str]] = []
        """What was sent in signalling: leg, digit."""
        self.hops: dict[str, int] = {}
        """By leg that we began: how often its call may still be passed on."""
        self.reoffered: list[str] = []
        """Legs that were offered another description, in order."""
        self._numbers = itertools.count(1)

    # What a test does.

    def customer_calls(
        self, caller: str, called: str, max_forwards: int = 70, diversions: tuple[str, ...] = ()
    ) -> FakeLeg:
        """A call comes in from a trunk; ``diversions`` are those who forwarded it, the latest first."""
        number = next(self._numbers)
        leg = FakeLeg(f"leg-{number}", None, inbound=True, caller=caller)
        self.legs[leg.leg_id] = leg
        sdp = some_sdp(CUSTOMER_ADDRESS, 30_000 + 2 * number)
        offered = LegOffered(
            leg.leg_id,
            "trunk",
            None,
            Party(caller),
            Party(called),
            sdp,
            f"call-{number}@test",
            CUSTOMER_ADDRESS,
            tuple(Party(each) for each in diversions),
            max_forwards=max_forwards,
        )
        self.sink(offered)
        return leg

    def phone_calls(self, agent_id: str, called: str, *, replaces: str | None = None) -> FakeLeg:
        """An agent's phone calls somebody, or calls to take a leg over."""
        number = next(self._numbers)
        leg = FakeLeg(f"leg-{number}", agent_id, inbound=True)
        self.legs[leg.leg_id] = leg
        sdp = some_sdp(PHONE_ADDRESS, 30_000 + 2 * number)
        self.sink(
            LegOffered(
                leg.leg_id,
                None,
                agent_id,
                Party(agent_id),
                Party(called),
                sdp,
                f"call-{number}@test",
                PHONE_ADDRESS,
                replaces_leg_id=replaces,
            )
        )
        return leg

    def sound_early(self, leg: FakeLeg, port: int = 41_000) -> None:
        """A number sounds before it answers; another port is another far end."""
        self.sink(LegEarlyMedia(leg.leg_id, some_sdp(CUSTOMER_ADDRESS, port), CUSTOMER_ADDRESS))

    def answer_phone(self, leg: FakeLeg) -> None:
        """An agent answers the phone."""
        leg.state = "answered"
        self.sink(LegAnswered(leg.leg_id, some_sdp(PHONE_ADDRESS, 40_000), PHONE_ADDRESS))

    def refuse(self, leg: FakeLeg, status: int) -> None:
        """An agent's phone refuses."""
        leg.state = "ended"
        self.sink(LegRefused(leg.leg_id, status, "Refused"))

    def far_end_hangs_up(self, leg: FakeLeg) -> None:
        """The far end ends the leg."""
        if leg.state != "ended":
            cause = EndCause.NORMAL if leg.state == "answered" else EndCause.CANCELLED
            leg.state, leg.cause = "ended", cause
            self.sink(LegEnded(leg.leg_id, cause))

    def far_end_reoffers(self, leg: FakeLeg, direction: str = "sendrecv") -> None:
        """The far end renegotiates: ``sendonly`` or ``inactive`` puts us on hold."""
        sdp = some_sdp(CUSTOMER_ADDRESS, 50_000).replace("a=sendrecv", f"a={direction}")
        self.sink(LegReoffered(leg.leg_id, sdp, CUSTOMER_ADDRESS))

    def ringing_phone(self, agent_id: str) -> FakeLeg | None:
        """The leg that rings at this agent's phone."""
        found = [
            leg for leg in self.legs.values() if leg.agent_id == agent_id and leg.state == "offered" and not leg.inbound
        ]
        return found[-1] if found else None

    # The port.

    def ring(self, leg_id: str) -> None:
        """Tell the far end that it rings."""
        self.rung_back.append(leg_id)

    def progress(self, leg_id: str, sdp: str) -> None:
        """Let the far end hear us before the answer."""
        self.progressed[leg_id] = sdp

    def answer(self, leg_id: str, sdp: str) -> None:
        """Answer an inbound leg; what was described before the answer stands."""
        assert sdp
        assert self.progressed.get(leg_id, sdp) == sdp
        if self.legs[leg_id].state == "offered":
            self.legs[leg_id].state = "answered"

    def accept_reoffer(self, leg_id: str, sdp: str) -> None:
        """Answer a renegotiation."""
        assert sdp

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """Renegotiate: the far end takes it."""
        address = PHONE_ADDRESS if self.legs[leg_id].agent_id is not None else CUSTOMER_ADDRESS
        if self.legs[leg_id].state == "answered":
            self.reoffered.append(leg_id)
            self.sink(LegReanswered(leg_id, some_sdp(address, 50_002), address))

    def send_digit(self, leg_id: str, digit: str) -> None:
        """Send a digit."""
        self.digits.append((leg_id, digit))

    def report_transfer(self, leg_id: str, status: int, reason: str = "") -> None:
        """Say how a transfer goes."""
        if reason:
            self.reasons[leg_id] = reason
        self.transfers.append((leg_id, status))

    def acknowledge(self, leg_id: str, sdp: str) -> None:
        """Answer a late offer."""

    def invite(self, leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        """Ring an agent's phone."""
        assert sdp
        leg = FakeLeg(leg_id, target.agent_id, shown=caller.number)
        self.legs[leg_id] = leg
        self.hops[leg_id] = target.max_forwards
        if target.agent_id not in self.registered:
            leg.state = "ended"
            self.sink(LegRefused(leg_id, 480, "Temporarily Unavailable"))
        else:
            self.sink(LegRinging(leg_id))

    def dial(self, leg_id: str, number: str, policy: TrunkPolicy, *, caller: Party, sdp: str) -> None:
        """Call a number outside; it rings."""
        self.dialled.append((leg_id, number, policy.trunk_ids))
        self.hops[leg_id] = policy.max_forwards
        self.legs[leg_id] = FakeLeg(leg_id, None)
        self.sink(LegRinging(leg_id))

    def message_waiting(self, agent_id: str, *, new: int, old: int) -> None:
        """The lamps of the agent's phones."""
        self.waiting[agent_id] = (new, old)

    def end(self, leg_id: str, cause: EndCause, reason: str = "") -> None:
        """End a leg; its end is told as the real stack tells it."""
        if reason:
            self.reasons[leg_id] = reason
        leg = self.legs.get(leg_id)
        if leg is None or leg.state == "ended":  # one that was never begun is like one that is over
            return
        was, leg.state, leg.cause = leg.state, "ended", cause
        if not leg.inbound and was == "offered":
            self.sink(LegRefused(leg_id, REFUSAL_STATUS.get(cause, 487), "Request Terminated"))
        else:
            self.sink(LegEnded(leg_id, cause))

    def encryption_for(self, agent_id: str) -> EncryptionPolicy | None:
        """Phones are offered plain media."""
        return self.encrypted.get(agent_id)

    def expect_calls(self, agent_id: str, *, wanted: bool) -> None:
        """Whose phones are watched."""
        (self.watched.add if wanted else self.watched.discard)(agent_id)

    def reachable(self, agent_id: str) -> bool:
        """Whether a phone of this agent is registered."""
        return agent_id in self.registered
