"""Signalling that waits for the journal: nobody outside hears of anything before what it follows from is on disk.

Of what becomes safe together the phones come first: somebody waits for the answer, or for the phone to ring. A caller
whose call is over waits for nothing: that BYE is sent after the next caller's INVITE. An agent's phone must be free
before it rings again, so there the order stays.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from callcenter.calls.legs import EndCause, Party
from callcenter.ports import EncryptionPolicy, PhoneTarget, Signalling, TrunkPolicy


class OnceSafe(Protocol):
    """``Journal.once_safe``."""

    def __call__(self, act: Callable[[], None], *, first: bool = ...) -> None:
        """See there."""
        ...


class SafeSignalling:
    """Implements ``Signalling`` in front of another one. The order of orders to one leg stays. ``is_callers`` tells the
    legs of callers from outside."""

    def __init__(self, signalling: Signalling, once_safe: OnceSafe, is_callers: Callable[[str], bool]) -> None:
        self._outside = signalling
        self._once_safe = once_safe
        self._is_callers = is_callers

    def ring(self, leg_id: str) -> None:
        """See ``Signalling.ring``."""
        self._once_safe(partial(self._outside.ring, leg_id), first=True)

    def progress(self, leg_id: str, sdp: str) -> None:
        """See ``Signalling.progress``."""
        self._once_safe(partial(self._outside.progress, leg_id, sdp), first=True)

    def answer(self, leg_id: str, sdp: str) -> None:
        """See ``Signalling.answer``."""
        self._once_safe(partial(self._outside.answer, leg_id, sdp), first=True)

    def accept_reoffer(self, leg_id: str, sdp: str) -> None:
        """See ``Signalling.accept_reoffer``."""
        self._once_safe(partial(self._outside.accept_reoffer, leg_id, sdp), first=True)

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """See ``Signalling.reoffer``."""
        self._once_safe(partial(self._outside.reoffer, leg_id, sdp), first=True)

    def send_digit(self, leg_id: str, digit: str) -> None:
        """See ``Signalling.send_digit``."""
        self._once_safe(partial(self._outside.send_digit, leg_id, digit), first=True)

    def report_transfer(self, leg_id: str, status: int, reason: str = "") -> None:
        """See ``Signalling.report_transfer``."""
        self._once_safe(partial(self._outside.report_transfer, leg_id, status, reason), first=True)

    def acknowledge(self, leg_id: str, sdp: str) -> None:
        """See ``Signalling.acknowledge``."""
        self._once_safe(partial(self._outside.acknowledge, leg_id, sdp), first=True)

    def invite(self, leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        """See ``Signalling.invite``."""
        self._once_safe(partial(self._outside.invite, leg_id, target, caller=caller, sdp=sdp), first=True)

    def dial(self, leg_id: str, number: str, policy: TrunkPolicy, *, caller: Party, sdp: str) -> None:
        """See ``Signalling.dial``."""
        self._once_safe(partial(self._outside.dial, leg_id, number, policy, caller=caller, sdp=sdp), first=True)

    def message_waiting(self, agent_id: str, *, new: int, old: int) -> None:
        """See ``Signalling.message_waiting``."""
        self._once_safe(partial(self._outside.message_waiting, agent_id, new=new, old=old), first=True)

    def end(self, leg_id: str, cause: EndCause, reason: str = "") -> None:
        """See ``Signalling.end``."""
        self._once_safe(partial(self._outside.end, leg_id, cause, reason), first=not self._is_callers(leg_id))

    def encryption_for(self, agent_id: str) -> EncryptionPolicy | None:
        """See ``Signalling.encryption_for``."""
        return self._outside.encryption_for(agent_id)

    def expect_calls(self, agent_id: str, *, wanted: bool) -> None:
        """See ``Signalling.expect_calls``; nothing that must be on disk before."""
        self._outside.expect_calls(agent_id, wanted=wanted)

    def reachable(self, agent_id: str) -> bool:
        """See ``Signalling.reachable``."""
        return self._outside.reachable(agent_id)
