"""One ``Signalling`` in front of the agents' two kinds of phone: SIP phones and browsers.

An agent may have either or both. A leg to an agent with both rings on both; the first answer wins and the other stops.
Calls know one leg all the time, whichever phone it ends up on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegEvent, LegRefused, LegRinging, Party
from callcenter.ports import EncryptionPolicy, PhoneTarget, Signalling, TrunkPolicy
from callcenter.sip.media_keys import without_keys


class PhoneKind(StrEnum):
    """What an agent's phone is."""

    SIP = "sip"
    BROWSER = "browser"
    BOTH = "both"


class BrowserPhones(Protocol):
    """The browsers' side (``softphones.Softphones``)."""

    def invite(self, leg_id: str, agent_id: str, *, sdp: str) -> None:
        """Ring the agent's page."""
        ...

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """Tell of a new description."""
        ...

    def end(self, leg_id: str, cause: EndCause) -> None:
        """End a leg."""
        ...

    def reachable(self, agent_id: str) -> bool:
        """Whether a page of this agent takes calls."""
        ...


@dataclass(slots=True)
class _Fork:
    """A leg to an agent: the kinds of phone it still rings on, and the one that answered."""

    ringing: set[PhoneKind] = field(default_factory=set)
    winner: PhoneKind | None = None
    has_rung: bool = False


class PhoneRouter:
    """Implements ``callcenter.ports.Signalling``. Feed it the events of both stacks, and ``on_presence``."""

    def __init__(
        self,
        *,
        sip: Signalling,
        browsers: BrowserPhones,
        kinds: Mapping[str, PhoneKind],
        sink: Callable[[LegEvent], None],
        presence: Callable[[str, bool], None],
    ) -> None:
        self._sip, self._browsers, self._kinds = sip, browsers, kinds
        self._sink, self._presence = sink, presence
        self._forks: dict[str, _Fork] = {}
        self._told: dict[str, bool] = {}

    # Events of both stacks

    def on_sip_event(self, event: LegEvent) -> None:
        """A leg event of the SIP stack; most are of legs that no browser has."""
        fork = self._forks.get(event.leg_id)
        if fork is None:
            self._sink(event)
        else:
            self._on_event(PhoneKind.SIP, event, fork)

    def on_browser_event(self, event: LegEvent) -> None:
        """A leg event of a browser."""
        fork = self._forks.get(event.leg_id)
        if fork is None:
            self._sink(event)
        else:
            self._on_event(PhoneKind.BROWSER, event, fork)

    def on_presence(self, agent_id: str) -> None:
        """A phone of this agent came or went."""
        reachable = self.reachable(agent_id)
        if self._told.get(agent_id, False) is not reachable:
            self._told[agent_id] = reachable
            self._presence(agent_id, reachable)

    def _on_event(self, kind: PhoneKind, event: LegEvent, fork: _Fork) -> None:
        match event:
            case LegRinging():
                if fork.winner is None and not fork.has_rung:
                    fork.has_rung = True
                    self._sink(event)
            case LegAnswered() if fork.winner in (None, kind):
                fork.winner = kind
                self._sink(event)
                for other in fork.ringing - {kind}:
                    self._end_at(other, event.leg_id, EndCause.ANSWERED_ELSEWHERE)
            case LegAnswered():  # both answered in the same moment
                self._end_at(kind, event.leg_id, EndCause.ANSWERED_ELSEWHERE)
            case LegRefused() | LegEnded():
                fork.ringing.discard(kind)
                if fork.winner is kind or (fork.winner is None and not fork.ringing):
                    del self._forks[event.leg_id]
                    self._sink(event)
            case _:
                if fork.winner is kind:
                    self._sink(event)

    # Orders that concern both

    def invite(self, leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        """Ring the phones of an agent."""
        kinds = self._present(target.agent_id) or {PhoneKind.SIP}
        if PhoneKind.BROWSER in kinds:
            self._forks[leg_id] = _Fork(set(kinds))
            self._browsers.invite(leg_id, target.agent_id, sdp=without_keys(sdp))  # it has keys of its own (DTLS)
        if PhoneKind.SIP in kinds:
            self._sip.invite(leg_id, target, caller=caller, sdp=sdp)

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """Offer a leg that is up a new description."""
        if self._is_browser(leg_id):
            self._browsers.reoffer(leg_id, sdp)
        else:
            self._sip.reoffer(leg_id, sdp)

    def end(self, leg_id: str, cause: EndCause, reason: str = "") -> None:
        """End a leg wherever it is; browsers do not call, so a reason is for SIP."""
        fork = self._forks.get(leg_id)
        if fork is None:
            self._sip.end(leg_id, cause, reason)
            return
        for kind in [fork.winner] if fork.winner is not None else sorted(fork.ringing):
            self._end_at(kind, leg_id, cause)

    def reachable(self, agent_id: str) -> bool:
        """Whether any phone of this agent takes calls now."""
        return bool(self._present(agent_id))

    def expect_calls(self, agent_id: str, *, wanted: bool) -> None:
        """Watch the agent's SIP phones; a browser's page is known to be there by its socket."""
        self._sip.expect_calls(agent_id, wanted=wanted)

    def encryption_for(self, agent_id: str) -> EncryptionPolicy | None:
        """How media to this agent's phones is to be offered; a browser reads plain descriptions only."""
        kinds = self._present(agent_id)
        if PhoneKind.SIP not in kinds:
            return None
        wanted = self._sip.encryption_for(agent_id)
        return EncryptionPolicy.OPTIONAL if wanted is not None and PhoneKind.BROWSER in kinds else wanted

    def _present(self, agent_id: str) -> set[PhoneKind]:
        wanted = self._kinds.get(agent_id, PhoneKind.BOTH)
        kinds = set()
        if wanted is not PhoneKind.BROWSER and self._sip.reachable(agent_id):
            kinds.add(PhoneKind.SIP)
        if wanted is not PhoneKind.SIP and self._browsers.reachable(agent_id):
            kinds.add(PhoneKind.BROWSER)
        return kinds

    def _end_at(self, kind: PhoneKind, leg_id: str, cause: EndCause) -> None:
        if kind is PhoneKind.BROWSER:
            self._browsers.end(leg_id, cause)
        else:
            self._sip.end(leg_id, cause)

    def _is_browser(self, leg_id: str) -> bool:
        fork = self._forks.get(leg_id)
        return fork is not None and fork.winner is PhoneKind.BROWSER

    # Orders that only SIP knows

    def ring(self, leg_id: str) -> None:
        """Tell the far end of an inbound leg that it rings."""
        self._sip.ring(leg_id)

    def progress(self, leg_id: str, sdp: str) -> None:
        """Let the far end of an inbound leg hear us before the answer."""
        self._sip.progress(leg_id, sdp)

    def answer(self, leg_id: str, sdp: str) -> None:
        """Answer an inbound leg."""
        self._sip.answer(leg_id, sdp)

    def accept_reoffer(self, leg_id: str, sdp: str) -> None:
        """Answer a ``LegReoffered``; browsers never send one."""
        self._sip.accept_reoffer(leg_id, sdp)

    def report_transfer(self, leg_id: str, status: int, reason: str = "") -> None:
        """Tell how a transfer goes; browsers order theirs at the desk."""
        self._sip.report_transfer(leg_id, status, reason)

    def acknowledge(self, leg_id: str, sdp: str) -> None:
        """Answer the offer that came with an answer; browsers always get ours."""
        self._sip.acknowledge(leg_id, sdp)

    def dial(self, leg_id: str, number: str, policy: TrunkPolicy, *, caller: Party, sdp: str) -> None:
        """Call a number through a trunk."""
        self._sip.dial(leg_id, number, policy, caller=caller, sdp=sdp)

    def message_waiting(self, agent_id: str, *, new: int, old: int) -> None:
        """Say how many voice messages wait; the console shows browsers' agents by other ways."""
        self._sip.message_waiting(agent_id, new=new, old=old)

    def send_digit(self, leg_id: str, digit: str) -> None:
        """Send a digit in signalling (SIP INFO); browsers get theirs with the audio."""
        if not self._is_browser(leg_id):
            self._sip.send_digit(leg_id, digit)
