"""The switchboard: makes a runner for each inbound leg, and brings every event to the runner it belongs to."""

import asyncio
import secrets
from collections.abc import Callable, Mapping

import structlog

from acd.events import ContactLeft
from acd.ids import ContactId
from acd.outcomes import (
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    DequeueReason,
    OfferContact,
    OfferLapsed,
    WithdrawOffer,
)
from callcenter.calls import events as ev
from callcenter.calls.legs import EndCause, LegAnswered, LegEvent, LegOffered
from callcenter.calls.runner import CallDependencies, CallRunner, Mail
from callcenter.errors import JournalError
from callcenter.ports import MediaEvent

log = structlog.get_logger(__name__)


class Switchboard:
    """Owns the runners of all calls in progress."""

    def __init__(
        self, deps: CallDependencies, *, flow_of: Callable[[str], str | None], on_fatal: Callable[[BaseException], None]
    ) -> None:
        """``flow_of`` names the flow of a called number (``None``: nobody lives there); ``on_fatal`` hears of a runner
        that could not journal, after which the process must end."""
        self._deps = deps
        self._flow_of = flow_of
        self._on_fatal = on_fatal
        self._runners: dict[str, CallRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._call_of_leg: dict[str, str] = {}
        self._legs_of_call: dict[str, list[str]] = {}

    @property
    def calls(self) -> Mapping[str, CallRunner]:
        """The calls in progress."""
        return self._runners

    def on_leg_event(self, event: LegEvent) -> None:
        """Take an event of the signalling stack."""
        if isinstance(event, LegOffered):
            self._open_call(event)
            return
        call_id = self._call_of_leg.get(event.leg_id)
        if call_id is not None:
            self._runners[call_id].tell(event)
        elif isinstance(event, LegAnswered):  # answered in the same moment as its call ended
            self._deps.signalling.end(event.leg_id, EndCause.ANSWERED_ELSEWHERE)

    def on_media_event(self, event: MediaEvent) -> None:
        """Take an event of the media plane; a session is named by its call."""
        runner = self._runners.get(event.session_id)
        if runner is not None:
            runner.tell(event)

    def tell(self, call_id: str, mail: Mail) -> bool:
        """Bring mail to a call. ``False`` when it is over."""
        runner = self._runners.get(call_id)
        if runner is None:
            return False
        runner.tell(mail)
        return True

    def on_routing_outcome(self, outcome: object, contact_id: str | None) -> None:
        """Bring a routing order or answer to its call; ``contact_id`` is who reported an offer that had lapsed."""
        match outcome:
            case OfferContact():
                offered = ev.AgentOffered(
                    outcome.offer_id,
                    outcome.agent_id,
                    outcome.queue_id,
                    outcome.expires_at,
                    leg_id=f"a-{secrets.token_hex(8)}",
                )
                if not self.tell(outcome.contact_id, offered):
                    self._deps.routing.post(ContactLeft(ContactId(outcome.contact_id)))
            case WithdrawOffer():
                self.tell(outcome.contact_id, ev.OfferTakenBack(outcome.offer_id, outcome.result))
            case ContactAssigned():
                self.tell(outcome.contact_id, ev.OfferConfirmed(outcome.offer_id))
            case OfferLapsed() if contact_id is not None:
                self.tell(contact_id, ev.OfferTooLate(outcome.offer_id))
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED):
                self.tell(outcome.contact_id, ev.QueueVanished())
            case ContactOverflowed():
                self.tell(outcome.contact_id, ev.QueueOverflowed(outcome.target, outcome.reason))
            case _:
                pass

    async def close(self) -> None:
        """End every call politely and wait for the runners."""
        for runner in list(self._runners.values()):
            runner.tell(ev.ShutdownOrdered())
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=5)

    def _open_call(self, offered: LegOffered) -> None:
        flow = self._flow_of(offered.called.number) if offered.trunk_id is not None else None
        if flow is None:
            self._deps.signalling.end(offered.leg_id, EndCause.NO_SUCH_NUMBER)
            return
        call_id = new_call_id(self._deps.clock.now())
        runner = CallRunner(call_id, flow, offered, self._deps, self._add_leg)
        self._runners[call_id] = runner
        self._add_leg(offered.leg_id, call_id)
        task = asyncio.create_task(runner.run(), name=f"call {call_id}")
        self._tasks[call_id] = task
        task.add_done_callback(lambda done: self._close_call(call_id, done))

    def _add_leg(self, leg_id: str, call_id: str) -> None:
        self._call_of_leg[leg_id] = call_id
        self._legs_of_call.setdefault(call_id, []).append(leg_id)

    def _close_call(self, call_id: str, task: asyncio.Task[None]) -> None:
        del self._runners[call_id], self._tasks[call_id]
        for leg_id in self._legs_of_call.pop(call_id, ()):
            self._call_of_leg.pop(leg_id, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JournalError):
            self._on_fatal(error)
        elif error is not None:  # the call could not even be ended politely; the others must not suffer for it
            log.error("call lost", call_id=call_id, exc_info=error)


def new_call_id(now: int) -> str:
    """A call id that sorts by time and cannot be guessed: 11 hexadecimal digits of milliseconds, 10 of chance."""
    return f"{now:011x}{secrets.token_hex(5)}"
