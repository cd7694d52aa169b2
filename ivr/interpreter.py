"""A flow being run for one call: events in, effects out, time as an argument. ``ivr.turn`` holds what an event does."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ivr.effects import Effect
from ivr.errors import BadSnapshot, UnknownName, UnknownStep
from ivr.events import Event
from ivr.flow import Flow, HoursStep, Step, prompts_of
from ivr.turn import Phase, RunState, Turn

SNAPSHOT_VERSION = 1


class FlowRun:
    """One call in one flow.

    Raises ``UnknownStep`` or ``UnknownName`` at once for a flow whose steps lead nowhere: such a flow never meets a
    caller. Afterwards only ``UnexpectedEvent`` can come out of it, and the run is then unchanged.
    """

    def __init__(self, flow: Flow) -> None:
        _check_references(flow)
        self._flow = flow
        self._state = RunState()

    @property
    def finished(self) -> bool:
        """Whether the flow has handed the call on or ended it. Late events are ignored from then on."""
        return self._state.phase is Phase.OVER

    def receive(self, event: Event, *, now: int) -> Sequence[Effect]:
        """Tell the run what happened. Raises ``UnexpectedEvent`` for what cannot have happened now."""
        turn = Turn(self._flow, self._state, now)
        turn.take(event)
        return turn.effects

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` wants to be called; ``None``: not needed."""
        return self._state.deadline

    def handle_timer(self, *, now: int) -> Sequence[Effect]:
        """The deadline has passed. Harmless when it has not."""
        if self._state.deadline is None or now < self._state.deadline:
            return ()
        turn = Turn(self._flow, self._state, now)
        turn.time_out()
        return turn.effects

    def snapshot(self) -> dict[str, object]:
        """The run as plain data (JSON types only), to be taken up by ``restore``. Holds what the caller typed."""
        return {"version": SNAPSHOT_VERSION, "flow": self._flow.name, **asdict(self._state)}

    @classmethod
    def restore(cls, flow: Flow, snapshot: Mapping[str, object]) -> "FlowRun":
        """Take up a run where it was saved. Raises ``BadSnapshot``, or ``UnknownStep`` when its step has gone."""
        data: dict[str, Any] = dict(snapshot)
        if (data.pop("version", None), data.pop("flow", None)) != (SNAPSHOT_VERSION, flow.name):
            raise BadSnapshot(f"not a snapshot of flow {flow.name!r} in version {SNAPSHOT_VERSION}")
        run = cls(flow)
        try:
            state = RunState(**data)
            state.phase = Phase(state.phase)
            state.variables, state.own = dict(state.variables), list(state.own)
        except (TypeError, ValueError) as error:
            raise BadSnapshot(f"damaged snapshot of flow {flow.name!r}: {error}") from error
        if state.step not in flow.steps and state.phase is not Phase.NEW:
            raise UnknownStep(flow.name, state.step)
        run._state = state
        return run


_SOUND: dict[int, Flow] = {}
"""Flows whose steps lead somewhere, by identity: all calls of a number begin runs of the same one. They are kept, so
that no other flow gets their place in memory."""
_MOST_SOUND = 1_000


def _check_references(flow: Flow) -> None:
    if _SOUND.get(id(flow)) is flow:
        return
    for target in (flow.start, *(target.step for step in flow.steps.values() for target in step.targets())):
        if target not in flow.steps:
            raise UnknownStep(flow.name, target)
    for step in flow.steps.values():
        _check_names(flow, step)
    if len(_SOUND) >= _MOST_SOUND:
        _SOUND.clear()
    _SOUND[id(flow)] = flow


def _check_names(flow: Flow, step: Step) -> None:
    if isinstance(step, HoursStep) and step.hours not in flow.hours:
        raise UnknownName(flow.name, "hours table", step.hours)
    for prompt in prompts_of(step):
        for part in prompt:
            if part.name not in flow.prompts:
                raise UnknownName(flow.name, "prompt", part.name)
