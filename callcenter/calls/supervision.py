"""Supervisors in one call: their phones are rung, they listen, whisper, speak with all, or take the call over.

Who hears whom says ``calls.participants``; here is who is there, how, and that it is journaled before it is so. A
supervisor who fails to come, or leaves, never touches the conversation.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from callcenter.calls.audio import CallAudio
from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegEvent, LegReanswered, LegRefused, Party
from callcenter.calls.participants import Supervision
from callcenter.calls.segments import SEPARATOR, Seat
from callcenter.calls.supervision_facts import (
    SupervisionChanged,
    SupervisionEnded,
    SupervisionFact,
    SupervisionJoined,
    SupervisionOrdered,
)
from callcenter.calls.surroundings import WritingSurroundings
from callcenter.errors import CallCenterError, MediaError
from callcenter.ports import LegProfile, PhoneTarget, Signalling

log = structlog.get_logger(__name__)


class SupervisionWish(StrEnum):
    """What a supervisor may want of an agent's conversation."""

    MONITOR = "monitor"
    WHISPER = "whisper"
    BARGE = "barge"
    TAKE_OVER = "take_over"
    """Have the customer instead of the agent."""
    LEAVE = "leave"
    END = "end"
    """End the call of a customer who was handed to a number outside, where no agent is any more."""


class SupervisionRefused(CallCenterError):
    """What a supervisor wants cannot be; the text says why."""

    code = "supervision-refused"


@dataclass(frozen=True, slots=True)
class SupervisionAsked:
    """Mail of a desk; ``done`` is resolved when it is so or, for who joins, when the phone is being rung.

    It gets the ``SupervisionRefused`` or ``MediaError`` that says why it is not.
    """

    supervisor_id: str
    wish: SupervisionWish
    done: "asyncio.Future[None]" = field(compare=False)


class SupervisionSurroundings(WritingSurroundings, Protocol):
    """What is needed from outside; ``calls.dependencies.CallDependencies`` has it."""

    @property
    def signalling(self) -> Signalling: ...  # noqa: D102


@dataclass(slots=True)
class _Supervisor:
    supervisor_id: str
    leg_id: str
    contact_id: str
    how: Supervision
    is_there: bool = False
    """Whether the phone answered."""


class CallSupervision:
    """The supervisors of one call; owned by its runner, whose task is the only one that calls it."""

    def __init__(
        self, call_id: str, deps: SupervisionSurroundings, audio: CallAudio, on_leg: Callable[[str, str], None]
    ) -> None:
        """``on_leg`` tells the switchboard which legs belong to this call."""
        self._call_id = call_id
        self._deps = deps
        self._audio = audio
        self._on_leg = on_leg
        self.supervisors: dict[str, _Supervisor] = {}
        """By leg; for others to see whether there is any."""
        self._taken_over = 0

    async def take(self, asked: SupervisionAsked, agent: Seat | None, caller: Party) -> None:
        """Do what a supervisor asks for (all but taking over), and answer it. ``agent`` is who has the customer."""
        try:
            await self._take(asked, agent, caller)
        except (SupervisionRefused, MediaError) as error:
            if not asked.done.done():
                asked.done.set_exception(error)
        else:
            if not asked.done.done():
                asked.done.set_result(None)

    async def _take(self, asked: SupervisionAsked, agent: Seat | None, caller: Party) -> None:
        present = self._of(asked.supervisor_id)
        if asked.wish is SupervisionWish.LEAVE:
            if present is None:
                raise SupervisionRefused("You do not take part in this call.")
            await self._let_go(present, "left")
            return
        how = Supervision(asked.wish.value)
        if present is not None:
            await self._change(present, how)
            return
        if agent is None or not agent.agent_id:
            raise SupervisionRefused("No agent talks in this call.")
        if agent.agent_id == asked.supervisor_id:
            raise SupervisionRefused("This is your own conversation.")
        if not self._deps.signalling.reachable(asked.supervisor_id):
            raise SupervisionRefused("Your phone is not registered; switch it on first.")
        await self._ring(asked.supervisor_id, agent, how, caller)

    async def _ring(self, supervisor_id: str, agent: Seat, how: Supervision, caller: Party) -> None:
        leg_id, now = f"s-{secrets.token_hex(8)}", self._deps.clock.now()
        self._on_leg(leg_id, self._call_id)
        sdp = await self._audio.offer(leg_id)
        self.supervisors[leg_id] = _Supervisor(supervisor_id, leg_id, agent.contact_id, how)
        await self._tell(
            SupervisionOrdered(self._call_id, now, supervisor_id, agent.contact_id, agent.agent_id, how.value)
        )
        self._deps.signalling.invite(leg_id, PhoneTarget(supervisor_id), caller=caller, sdp=sdp)

    async def _change(self, supervisor: _Supervisor, how: Supervision) -> None:
        if supervisor.how is how:
            return
        supervisor.how = how
        if not supervisor.is_there:
            return
        now = self._deps.clock.now()
        await self._tell(
            SupervisionChanged(self._call_id, now, supervisor.supervisor_id, supervisor.contact_id, how.value)
        )
        await self._audio.supervise(supervisor.leg_id, how)

    async def news(self, event: LegEvent, agent: Seat | None) -> None:
        """What became of a supervisor's leg."""
        supervisor = self.supervisors[event.leg_id]
        match event:
            case LegAnswered() | LegReanswered():
                await self._join(supervisor, event, agent)
            case LegRefused():
                await self._forget(supervisor, "refused")
            case LegEnded():
                await self._forget(supervisor, "left")
            case _:
                pass

    async def _join(self, supervisor: _Supervisor, event: LegAnswered | LegReanswered, agent: Seat | None) -> None:
        try:
            await self._audio.accept(supervisor.leg_id, event.sdp, LegProfile(peer_address=event.peer_address))
        except MediaError as error:
            log.warning("supervisor's answer refused by media", call_id=self._call_id, error=str(error))
            await self._let_go(supervisor, "refused")
            return
        if supervisor.is_there:
            return
        if agent is None:
            await self._let_go(supervisor, "agent_gone")
            return
        supervisor.is_there = True
        now, contact_id = self._deps.clock.now(), supervisor.contact_id
        await self._tell(
            SupervisionJoined(
                self._call_id, now, supervisor.supervisor_id, contact_id, agent.agent_id, supervisor.how.value
            )
        )
        await self._audio.supervise(supervisor.leg_id, supervisor.how)

    async def hand_over(self, supervisor_id: str, agent: Seat | None) -> Seat:
        """The supervisor is no longer one, and may have the customer: the seat to be brought into the call.

        Raises ``SupervisionRefused`` unless the supervisor is in the call and the agent is, too.
        """
        supervisor = self._of(supervisor_id)
        if supervisor is None or not supervisor.is_there:
            raise SupervisionRefused("Listen to the call first, then take it over.")
        if agent is None:
            raise SupervisionRefused("No agent talks in this call.")
        del self.supervisors[supervisor.leg_id]
        await self._audio.supervise(supervisor.leg_id, None)
        now = self._deps.clock.now()
        await self._tell(SupervisionEnded(self._call_id, now, supervisor_id, supervisor.contact_id, "took_over"))
        self._taken_over += 1
        contact_id = f"{self._call_id}{SEPARATOR}s{self._taken_over}"
        return Seat(supervisor.leg_id, contact_id, supervisor_id, agent.queue_id)

    async def close(self, cause: str) -> None:
        """Nobody takes part any longer: no agent is there, or the call is over."""
        for supervisor in list(self.supervisors.values()):
            await self._let_go(supervisor, cause)

    async def _let_go(self, supervisor: _Supervisor, cause: str) -> None:
        self._deps.signalling.end(supervisor.leg_id, EndCause.NORMAL)
        await self._forget(supervisor, cause)

    async def _forget(self, supervisor: _Supervisor, cause: str) -> None:
        del self.supervisors[supervisor.leg_id]
        try:
            if supervisor.is_there:
                await self._audio.supervise(supervisor.leg_id, None)
        except MediaError as error:  # the session is gone, and the leg with it
            log.info("supervisor's media was gone", call_id=self._call_id, error=str(error))
        self._audio.forget(supervisor.leg_id)
        now = self._deps.clock.now()
        await self._tell(SupervisionEnded(self._call_id, now, supervisor.supervisor_id, supervisor.contact_id, cause))

    def _of(self, supervisor_id: str) -> _Supervisor | None:
        return next((each for each in self.supervisors.values() if each.supervisor_id == supervisor_id), None)

    async def _tell(self, fact: SupervisionFact) -> None:
        await self._deps.journal.committed(self._deps.journal.append(fact, at=fact.at))
        self._deps.bus.publish(fact, fact.at)
