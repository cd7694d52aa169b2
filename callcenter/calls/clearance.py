"""The one door out: may this number be called now, by the outbound rules and by whoever it belongs to?

The rules are the exchange's own and answer at once; consent, do-not-call list and quiet hours are the customer store's,
which may be slow or away. Every refusal is written down with its reason, and so is every call that went out unasked.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec
import structlog

from callcenter.calls.segments import Target
from callcenter.calls.targets import Directory
from callcenter.ports import Allowed, Answer, Clock, CustomerDirectory, Journal, Refused

log = structlog.get_logger(__name__)

UNASKED = "store_silent"
"""The code of a call about which the customer store said nothing in time."""
NOT_CONTACTABLE = "not-contactable"
"""The code of a call that the customer, or the do-not-call list, is against."""
CANNOT_TELL = Refused(NOT_CONTACTABLE, "Whether this number may be called cannot be told now; try again in a moment.")


class Way(StrEnum):
    """How a call was to leave."""

    DESK = "desk"
    """Dialled, transferred or consulted at a desk."""
    PHONE = "phone"
    """Dialled at a phone."""
    REFER = "refer"
    """A phone hands its call on."""
    REDIRECT = "redirect"
    """A phone that rings, or a carrier, sends the call to another number (3xx)."""
    CALLBACK = "callback"
    """A callback was to be promised; one that may not be made any more is closed with its reasons."""


class CallOutChecked(msgspec.Struct, frozen=True):
    """A call out was refused, or left although nobody could be asked. The number is not kept: what is refused is
    nobody's call, and no erasure would find it."""

    agent_id: str
    """Who wanted it; empty for the house."""
    at: int
    way: Way
    code: str
    """Why: the code of an outbound rule, ``not-contactable``, ``quiet-hours`` or ``store_silent``."""
    reasons: tuple[str, ...] = ()
    """The customer store's reasons against."""
    went_out: bool = False
    call_id: str = ""
    """The call that was to be handed on, empty for one that never began."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """Asks the rules, then the store. ``calls_unasked``: phones may call while the store does not answer."""

    clock: Clock
    journal: Journal
    targets: Directory
    directory: CustomerDirectory
    calls_unasked: bool = True

    async def target(self, agent_id: str, kind: str, text: str, way: Way, call_id: str = "") -> Target | Refused:
        """What ``text`` means to this agent (as ``Directory.resolve``), and whether it may be called now."""
        found = self.targets.resolve(agent_id, kind, text, self.clock.now())
        if isinstance(found, Refused):
            self._note(agent_id, way, found.code, call_id)
            return found
        if found.policy is None or found.policy.is_emergency:
            return found
        refused = await self._ask(agent_id, found.id, way, call_id)
        if refused is not None:
            self.targets.rules.withdraw(found.policy)
            return refused
        return found

    async def may_be_sent_to(self, agent_id: str, allowed: Allowed) -> bool:
        """Whether a call that the rules let go to another number (3xx) may go there."""
        return allowed.policy.is_emergency or await self._ask(agent_id, allowed.e164, Way.REDIRECT, "") is None

    async def _ask(self, agent_id: str, number: str, way: Way, call_id: str) -> Refused | None:
        leave = await self.directory.may_dial(agent_id, number)
        if leave.answer is Answer.YES:
            return None
        if leave.answer is Answer.NO:
            self._note(agent_id, way, leave.code, call_id, leave.reasons)
            return Refused(leave.code, leave.text)
        # At a desk somebody reads the answer and tries again in a moment; a phone would only seem to be broken.
        goes = self.calls_unasked and way is not Way.DESK
        self._note(agent_id, way, UNASKED, call_id, went_out=goes)
        return None if goes else CANNOT_TELL

    def _note(
        self,
        agent_id: str,
        way: Way,
        code: str,
        call_id: str,
        reasons: tuple[str, ...] = (),
        *,
        went_out: bool = False,
    ) -> None:
        now = self.clock.now()
        log.info("call out checked", agent_id=agent_id, way=way, code=code, went_out=went_out)
        self.journal.append(CallOutChecked(agent_id, now, way, code, reasons, went_out, call_id), at=now)
