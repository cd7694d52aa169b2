"""Carries out what ``calls.recordings`` decides for one call: journals it, tells it, orders it of the media plane.

A recording that fails never harms its call. Starts and stops are journaled before they are ordered; a pause is told
only once it is known to be so, because people act on it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from callcenter.calls.recording_facts import RecordingAnnounced, RecordingFact, RecordingImpaired, RecordingPaused
from callcenter.calls.recordings import (
    CallRecordings,
    Decision,
    PauseCause,
    PauseOrder,
    RecordingOrder,
    RecordingRefused,
    RecordingRule,
    ResumeOrder,
    StartOrder,
    StopOrder,
)
from callcenter.calls.surroundings import RecordingSurroundings
from callcenter.errors import MediaError
from callcenter.ports import RecordingAction
from ivr.effects import PromptText

log = structlog.get_logger(__name__)

CONSENT_PLAY = "recording-consent"


@dataclass(frozen=True, slots=True)
class RecordingAsked:
    """Mail of a desk: ``action`` for what this agent's talk with the customer shall leave behind.

    ``done`` is resolved when it is so, or gets the ``RecordingRefused`` or ``MediaError`` that says why it is not.
    """

    action: RecordingAction
    agent_id: str
    done: "asyncio.Future[None]" = field(compare=False)


class RecorderSurroundings(RecordingSurroundings, Protocol):
    """What a recorder needs; ``calls.dependencies.CallDependencies`` has it."""

    @property
    def recording_rules(self) -> Mapping[str, RecordingRule]:
        """How each queue records; a queue that is not there does not."""
        ...


class CallRecorder:
    """The recordings of one call; owned by its runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: RecorderSurroundings) -> None:
        self._call_id = call_id
        self._deps = deps
        self._recordings = CallRecordings(call_id, deps.recording_rules)

    def needs_announcement(self, queue_id: str, language: str | None) -> PromptText | None:
        """What the customer must hear first; see ``CallRecordings``."""
        return self._recordings.needs_announcement(queue_id, language)

    async def announced(self, queue_id: str) -> None:
        """The customer heard the announcement to its end."""
        self._recordings.announced = True
        await self._tell(RecordingAnnounced(self._call_id, self._deps.clock.now(), queue_id))

    async def bridged(
        self, agent_leg: str, customer_leg: str, *, agent_id: str, queue_id: str, contact_id: str = ""
    ) -> None:
        """An agent's media leg hears the customer's, and the other way round; in this stretch of the call."""
        now = self._deps.clock.now()
        await self._carry_out(
            self._recordings.bridge(
                agent_leg, customer_leg, agent_id=agent_id, queue_id=queue_id, now=now, contact_id=contact_id
            )
        )

    async def unbridged(self, agent_leg: str) -> None:
        """An agent's media leg is about to go; harmless for one that was never bridged."""
        await self._carry_out(self._recordings.unbridge(agent_leg, now=self._deps.clock.now()))

    async def secure(self, on: bool) -> None:
        """The call's secure mode begins or ends. Raises ``MediaError`` when what is said could not be kept out."""
        decisions = self._recordings.secure(on, now=self._deps.clock.now())
        try:
            await self._carry_out(decisions, strict=True)
        except MediaError:
            self._undo(RecordingAction.PAUSE if on else RecordingAction.RESUME, PauseCause.SECURE)
            raise

    async def take(self, asked: RecordingAsked) -> None:
        """Do what a desk asked for, and answer it."""
        try:
            await self._carry_out(self._decide(asked), strict=True)
        except (RecordingRefused, MediaError) as error:
            if isinstance(error, MediaError):
                self._undo(asked.action, PauseCause.DESK)
            if not asked.done.done():
                asked.done.set_exception(error)
        else:
            if not asked.done.done():
                asked.done.set_result(None)

    def _undo(self, action: RecordingAction, cause: PauseCause) -> None:
        if action is RecordingAction.PAUSE:
            self._recordings.undo_pause(cause)
        elif action is RecordingAction.RESUME:
            self._recordings.undo_resume(cause)

    def _decide(self, asked: RecordingAsked) -> Sequence[Decision]:
        now = self._deps.clock.now()
        match asked.action:
            case RecordingAction.START:
                return self._recordings.start(asked.agent_id, now=now)
            case RecordingAction.STOP:
                return self._recordings.stop(asked.agent_id, now=now)
            case RecordingAction.PAUSE:
                return self._recordings.pause(asked.agent_id, now=now)
            case RecordingAction.RESUME:
                return self._recordings.resume(asked.agent_id, now=now)

    async def _carry_out(self, decisions: Sequence[Decision], *, strict: bool = False) -> None:
        """Each decision in turn. What media refuses is told as an impaired recording, and raised when ``strict``, once
        all the others were tried."""
        refusal: MediaError | None = None
        for fact, order in decisions:
            first = not isinstance(order, PauseOrder | ResumeOrder)
            if first:
                await self._tell(fact)
            try:
                await self._order(order)
            except MediaError as error:
                log.warning("recording order failed", call_id=self._call_id, order=type(order).__name__)
                await self._suffer(order, fact)
                refusal = refusal or error
                continue
            if not first:
                await self._tell(fact)
        if refusal is not None and strict:
            raise refusal

    async def _suffer(self, order: RecordingOrder, fact: RecordingFact) -> None:
        now = self._deps.clock.now()
        if isinstance(order, StartOrder):
            self._recordings.forget(order.recording_id)
            await self._tell(RecordingImpaired(self._call_id, now, order.recording_id, "not_started"))
        elif isinstance(fact, RecordingPaused):
            await self._tell(RecordingImpaired(self._call_id, now, order.recording_id, "not_paused"))

    async def _order(self, order: RecordingOrder) -> None:
        media, call_id = self._deps.media, self._call_id
        match order:
            case StartOrder(recording_id=recording_id):
                await media.record(
                    call_id,
                    recording_id,
                    RecordingAction.START,
                    left=order.left,
                    right=order.right,
                    retention=order.retention,
                )
            case PauseOrder(recording_id=recording_id):
                await media.record(call_id, recording_id, RecordingAction.PAUSE)
            case ResumeOrder(recording_id=recording_id):
                await media.record(call_id, recording_id, RecordingAction.RESUME)
            case StopOrder(recording_id=recording_id):
                await media.record(call_id, recording_id, RecordingAction.STOP)

    async def _tell(self, fact: RecordingFact) -> None:
        seq = self._deps.journal.append(fact, at=fact.at)
        await self._deps.journal.committed(seq)
        self._deps.bus.publish(fact, fact.at)
