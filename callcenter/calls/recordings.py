"""What is recorded of a call, and when: decided from who is bridged, the queue's rule, and what is asked. Pure.

A call has one recording for each stretch in which an agent talks with the customer. It is paused while anybody wants
it paused: the desk, or the call's secure mode; both must have let go before it is resumed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.calls.recording_facts import (
    RecordingFact,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
)
from callcenter.errors import CallCenterError
from ivr.effects import PromptText


class RecordingMode(StrEnum):
    """Whether a queue's conversations are recorded."""

    OFF = "off"
    ON = "on"
    ON_DEMAND = "on_demand"
    """Only while the agent asks for it."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """How one queue records. ``consent`` is said to the customer before, by language; empty: nothing is said."""

    mode: RecordingMode = RecordingMode.OFF
    consent: Mapping[str, str] = field(default_factory=dict)
    retention: str = "standard"

    def announcement(self, queue_id: str, language: str | None) -> PromptText | None:
        """What must be said before anything of this queue may be recorded; ``None`` when that is nothing."""
        if self.mode is RecordingMode.OFF or not self.consent:
            return None
        code = language if language is not None and language in self.consent else next(iter(self.consent))
        return PromptText(f"recording-consent-{queue_id}", code, self.consent[code])


NO_RECORDING = RecordingRule()


class PauseCause(StrEnum):
    """Who wants a recording paused."""

    DESK = "desk"
    SECURE = "secure"


class RecordingRefused(CallCenterError):
    """What was asked of a recording cannot be: there is none, there is one already, the queue's rule forbids it."""

    code = "recording-refused"


@dataclass(frozen=True, slots=True)
class StartOrder:
    """Record these two legs."""

    recording_id: str
    left: str
    right: str
    retention: str


@dataclass(frozen=True, slots=True)
class PauseOrder:
    """Record nothing for now."""

    recording_id: str


@dataclass(frozen=True, slots=True)
class ResumeOrder:
    """Record again."""

    recording_id: str


@dataclass(frozen=True, slots=True)
class StopOrder:
    """The recording is over."""

    recording_id: str


RecordingOrder = StartOrder | PauseOrder | ResumeOrder | StopOrder

Decision = tuple[RecordingFact, RecordingOrder]
"""What is told, and what media is ordered."""


@dataclass(slots=True)
class _Stretch:
    """An agent who is bridged with the customer."""

    agent_id: str
    queue_id: str
    agent_leg: str
    customer_leg: str
    contact_id: str
    recording_id: str | None = None


@dataclass(slots=True)
class CallRecordings:
    """The recordings of one call. Each method returns what follows, in order."""

    call_id: str
    rules: Mapping[str, RecordingRule]
    announced: bool = False
    """Whether the customer was told that this call is recorded."""
    _stretches: dict[str, _Stretch] = field(default_factory=dict)
    _paused_by: set[PauseCause] = field(default_factory=set)
    _count: int = 0

    def needs_announcement(self, queue_id: str, language: str | None) -> PromptText | None:
        """What the customer must hear before being connected in this queue; at most once in a call."""
        return None if self.announced else self.rules.get(queue_id, NO_RECORDING).announcement(queue_id, language)

    def bridge(
        self, agent_leg: str, customer_leg: str, *, agent_id: str, queue_id: str, now: int, contact_id: str = ""
    ) -> Sequence[Decision]:
        """An agent talks with the customer from here on. Without the announcement that its queue wants, the stretch
        is not recorded."""
        if agent_leg in self._stretches:
            return ()
        stretch = _Stretch(agent_id, queue_id, agent_leg, customer_leg, contact_id)
        self._stretches[agent_leg] = stretch
        self._paused_by.discard(PauseCause.DESK)
        rule = self.rules.get(queue_id, NO_RECORDING)
        return self._start(stretch, rule, now) if rule.mode is RecordingMode.ON and self._may(rule) else ()

    def unbridge(self, agent_leg: str, *, now: int) -> Sequence[Decision]:
        """This agent talks with the customer no more."""
        stretch = self._stretches.pop(agent_leg, None)
        return () if stretch is None else self._stop(stretch, now)

    def start(self, agent_id: str, *, now: int) -> Sequence[Decision]:
        """The agent asks for a recording. Raises ``RecordingRefused``."""
        stretch = self._stretch_of(agent_id)
        rule = self.rules.get(stretch.queue_id, NO_RECORDING)
        if stretch.recording_id is not None:
            raise RecordingRefused("This call is being recorded already.")
        if rule.mode is RecordingMode.OFF:
            raise RecordingRefused("Calls of this queue are not recorded.")
        if not self._may(rule):
            raise RecordingRefused("The customer was not told that this call may be recorded.")
        return self._start(stretch, rule, now)

    def stop(self, agent_id: str, *, now: int) -> Sequence[Decision]:
        """The agent ends a recording that was asked for. Raises ``RecordingRefused``, also where the queue insists."""
        stretch = self._recorded(agent_id)
        if self.rules.get(stretch.queue_id, NO_RECORDING).mode is RecordingMode.ON:
            raise RecordingRefused("Every call of this queue is recorded; you can pause it.")
        return self._stop(stretch, now)

    def pause(self, agent_id: str, *, now: int) -> Sequence[Decision]:
        """The agent wants nothing recorded for now; harmless when that is so. Raises ``RecordingRefused``."""
        self._recorded(agent_id)
        return self._pause(PauseCause.DESK, now)

    def resume(self, agent_id: str, *, now: int) -> Sequence[Decision]:
        """The agent lets it be recorded again; harmless when it is. Raises ``RecordingRefused``."""
        self._recorded(agent_id)
        if PauseCause.SECURE in self._paused_by:
            raise RecordingRefused("Nothing is recorded while the customer enters card data.")
        return self._resume(PauseCause.DESK, now)

    def secure(self, on: bool, *, now: int) -> Sequence[Decision]:
        """The call's secure mode begins or ends; it goes before what the desk wants."""
        return self._pause(PauseCause.SECURE, now) if on else self._resume(PauseCause.SECURE, now)

    def undo_pause(self, cause: PauseCause) -> None:
        """The pause could not be carried out: it is recorded on."""
        self._paused_by.discard(cause)

    def undo_resume(self, cause: PauseCause) -> None:
        """The end of the pause could not be carried out: nothing is recorded."""
        self._paused_by.add(cause)

    def forget(self, recording_id: str) -> None:
        """The recording could not be started."""
        for stretch in self._stretches.values():
            if stretch.recording_id == recording_id:
                stretch.recording_id = None

    @property
    def under_way(self) -> tuple[str, ...]:
        """The recordings that are not over."""
        return tuple(each.recording_id for each in self._stretches.values() if each.recording_id is not None)

    def _may(self, rule: RecordingRule) -> bool:
        return self.announced or not rule.consent

    def _start(self, stretch: _Stretch, rule: RecordingRule, now: int) -> Sequence[Decision]:
        self._count += 1
        stretch.recording_id = recording_id = f"{self.call_id}-r{self._count}"
        fact = RecordingStarted(
            self.call_id,
            now,
            recording_id,
            stretch.agent_id,
            stretch.queue_id,
            rule.retention,
            self.announced,
            "" if stretch.contact_id == self.call_id else stretch.contact_id,
        )
        started = (fact, StartOrder(recording_id, stretch.customer_leg, stretch.agent_leg, rule.retention))
        if not self._paused_by:
            return (started,)
        paused = RecordingPaused(self.call_id, now, recording_id, PauseCause.SECURE)
        return (started, (paused, PauseOrder(recording_id)))

    def _stop(self, stretch: _Stretch, now: int) -> Sequence[Decision]:
        recording_id, stretch.recording_id = stretch.recording_id, None
        if recording_id is None:
            return ()
        return ((RecordingStopped(self.call_id, now, recording_id), StopOrder(recording_id)),)

    def _pause(self, cause: PauseCause, now: int) -> Sequence[Decision]:
        was_paused = bool(self._paused_by)
        self._paused_by.add(cause)
        if was_paused:
            return ()
        return [(RecordingPaused(self.call_id, now, each, cause), PauseOrder(each)) for each in self.under_way]

    def _resume(self, cause: PauseCause, now: int) -> Sequence[Decision]:
        if cause not in self._paused_by:
            return ()
        self._paused_by.discard(cause)
        if self._paused_by:
            return ()
        return [(RecordingResumed(self.call_id, now, each), ResumeOrder(each)) for each in self.under_way]

    def _stretch_of(self, agent_id: str) -> _Stretch:
        for stretch in self._stretches.values():
            if stretch.agent_id == agent_id:
                return stretch
        raise RecordingRefused("You do not talk with this customer.")

    def _recorded(self, agent_id: str) -> _Stretch:
        stretch = self._stretch_of(agent_id)
        if stretch.recording_id is None:
            raise RecordingRefused("This call is not being recorded.")
        return stretch
