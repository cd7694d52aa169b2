"""A caller in a flow: drives a ``FlowRun`` the way a host does and remembers what was ordered."""

from collections.abc import Mapping, Sequence

from ivr.effects import Effect, EnqueueContact, HangUpCall, PlayPrompt, StepEntered, StopPrompt
from ivr.events import CallAnswered, CallStarted, DigitPressed, Event, PromptFinished, VariablesChanged
from ivr.flow import Flow
from ivr.interpreter import FlowRun
from ivr.parser import parse_flow


class FlowCaller:
    """Time is ``now`` and moves only by ``wait``. Each method returns the effects it brought about."""

    def __init__(self, flow: Flow | str, *, now: int = 1_780_000_000_000) -> None:
        self.flow = parse_flow(flow, source="test.toml") if isinstance(flow, str) else flow
        self.run = FlowRun(self.flow)
        self.now = now
        self.effects: list[Effect] = []

    def tell(self, event: Event) -> list[Effect]:
        """Any event."""
        return self._keep(self.run.receive(event, now=self.now))

    def call(self, variables: Mapping[str, str] | None = None, *, answer: bool = True) -> list[Effect]:
        """The call comes in and, where the flow asks for it, is answered."""
        effects = self.tell(CallStarted(tuple((variables or {}).items())))
        return effects + self.tell(CallAnswered()) if answer else effects

    def press(self, digits: str) -> list[Effect]:
        """Press these digits, all at once."""
        return [effect for digit in digits for effect in self.tell(DigitPressed(digit))]

    def listen(self) -> list[Effect]:
        """Hear the present prompt to its end."""
        return self.tell(PromptFinished(self.playing.play_id))

    def wait(self, milliseconds: int) -> list[Effect]:
        """Do nothing for so long; the timers that fall due are handled when they do."""
        until, effects = self.now + milliseconds, []
        while (deadline := self.run.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            effects += self._keep(self.run.handle_timer(now=self.now))
        self.now = until
        return effects

    def learn(self, **variables: str) -> list[Effect]:
        """The host learns something."""
        return self.tell(VariablesChanged(tuple(variables.items())))

    def restart(self) -> None:
        """The run is saved, lost and taken up again."""
        self.run = FlowRun.restore(self.flow, self.run.snapshot())

    @property
    def playing(self) -> PlayPrompt:
        """The prompt ordered last."""
        return next(effect for effect in reversed(self.effects) if isinstance(effect, PlayPrompt))

    @property
    def heard(self) -> list[str]:
        """Every text ordered so far, as ``name:language``."""
        plays = (effect for effect in self.effects if isinstance(effect, PlayPrompt))
        return [f"{text.name}:{text.language}" for play in plays for text in play.prompts]

    @property
    def path(self) -> list[str]:
        """Every step entered so far."""
        return [effect.step for effect in self.effects if isinstance(effect, StepEntered)]

    @property
    def stopped(self) -> list[str]:
        """Ids of the prompts stopped so far."""
        return [effect.play_id for effect in self.effects if isinstance(effect, StopPrompt)]

    @property
    def end(self) -> EnqueueContact | HangUpCall | None:
        """How the flow ended, ``None`` while it goes on."""
        ends = [
            effect
            for effect in self.effects
            if isinstance(effect, HangUpCall) or (isinstance(effect, EnqueueContact) and not effect.may_return)
        ]
        assert len(ends) == int(self.run.finished)
        return ends[0] if ends else None

    def _keep(self, effects: Sequence[Effect]) -> list[Effect]:
        kept = list(effects)
        self.effects += kept
        return kept
