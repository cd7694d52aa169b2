"""The flow of one call: it is told what happens, and its orders become events of the call and prompts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.audio import is_beside_the_flow
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.facts import CallFact, CallStepTaken
from callcenter.calls.identity import CallerIdentity
from callcenter.calls.origin import Origin
from callcenter.calls.queueing import queue_request
from callcenter.calls.recorder import CONSENT_PLAY, CallRecorder
from callcenter.calls.segments import Seat
from callcenter.calls.voicemail import CallVoicemail
from callcenter.ports import PlayFinished
from ivr import effects as flow_fx
from ivr import events as flow_ev
from ivr.interpreter import FlowRun


class CallFlow:
    """Owned by the call's runner, whose task is the only one that calls it.

    ``talked_with`` is the last agent who had the customer, ``feed`` takes an event of the call, ``write`` journals and
    tells facts, ``is_over`` says whether the call ended, ``queued_at`` since when it waits, 0 when it never did.
    """

    def __init__(
        self,
        call_id: str,
        deps: CallDependencies,
        origin: Origin,
        recorder: CallRecorder,
        *,
        feed: Callable[[ev.CallEvent], Awaitable[None]],
        write: Callable[[tuple[CallFact, ...], int], None],
        is_over: Callable[[], bool],
        queued_at: Callable[[], int],
        identity: CallerIdentity,
        talked_with: Callable[[], Seat | None],
    ) -> None:
        self._call_id = call_id
        self._deps = deps
        self._origin = origin
        self._recorder = recorder
        self._voicemail = CallVoicemail(call_id, deps)
        self._feed = feed
        self._write = write
        self._is_over = is_over
        self._queued_at = queued_at
        self._identity = identity
        self._talked_with = talked_with
        self._asked_at = 0
        self._run: FlowRun | None = None
        self._consented: flow_fx.EnqueueContact | None = None
        """The queue that the call goes to once the customer was told that it is recorded."""

    async def start(self, flow: str, caller: str, called: str) -> None:
        """Run this flow from its beginning."""
        self._run = run = FlowRun(self._deps.flows[flow])
        if flow in self._deps.asking_flows:
            await self._identity.until_known()
        dialled = (("caller", caller), ("called", called), ("diverted_from", self._origin.diverted_from))
        variables = (*dialled, *self._identity.variables())
        await self._obey(run.receive(flow_ev.CallStarted(variables), now=self._deps.clock.now()))

    def stop(self) -> None:
        """The flow is not to be heard any more."""
        self._run = None

    def next_deadline(self) -> int | None:
        """When ``run_timer`` has something to do."""
        return None if self._run is None else self._run.next_deadline()

    async def run_timer(self) -> None:
        """Let what is due happen."""
        if self._run is not None:
            await self._obey(self._run.handle_timer(now=self._deps.clock.now()))

    async def end_play(self, over: PlayFinished) -> None:
        """A play of this call is over; those that are not the flow's mean nothing to it."""
        if over.play_id == CONSENT_PLAY:
            await self._enter_announced_queue(heard=over.reason == "end")
        elif not is_beside_the_flow(over.play_id):
            await self.tell(flow_ev.PromptFinished(over.play_id))

    async def fall_silent(self, *, has_spoken: bool) -> None:
        """Who leaves a message says nothing any more; a message that nothing was said in is nobody's work."""
        if not has_spoken:
            await self._voicemail.discard()
        await self.tell(flow_ev.CallerFellSilent())

    async def tell(self, event: flow_ev.Event) -> None:
        """Something happened that the flow may wait for."""
        if self._run is not None and not self._run.finished:
            await self._obey(self._run.receive(event, now=self._deps.clock.now()))

    async def _obey(self, effects: Sequence[flow_fx.Effect]) -> None:
        for effect in effects:
            match effect:
                case flow_fx.StepEntered(step=step, choice=choice):
                    now = self._deps.clock.now()
                    self._write((CallStepTaken(self._call_id, now, step, choice),), now)
                case flow_fx.AnswerCall():
                    await self._feed(ev.AnswerRequested())
                    await self.tell(flow_ev.CallAnswered())
                case flow_fx.PlayPrompt():
                    await self._play(effect)
                case flow_fx.StopPrompt(play_id=play_id):
                    await self._deps.media.stop_play(self._call_id, play_id)
                case flow_fx.EnqueueContact():
                    await self._enqueue(effect)
                case flow_fx.RecordMessage():
                    await self._take_message(effect)
                case flow_fx.EndMessage():
                    await self._voicemail.end()
                case flow_fx.RequestCallback():
                    since = self._queued_at() or self._deps.clock.now()
                    number = self._origin.customer_number
                    bonus = self._deps.call_routing.bonus(effect.queue_id, self._identity.customer)
                    order = replace(effect, priority=effect.priority + bonus)
                    taken = await self._deps.callbacks.request(self._call_id, number, order, since)
                    await self.tell(flow_ev.CallbackSettled(taken))
                case flow_fx.SurveyPut() | flow_fx.SurveyGiven():
                    self._survey(effect)
                case flow_fx.HangUpCall(reason=reason):
                    await self._feed(ev.HangUpRequested(reason))

    def _survey(self, told: flow_fx.SurveyPut | flow_fx.SurveyGiven) -> None:
        """A survey is about the conversation there was; without one it is only a question."""
        seat, now = self._talked_with(), self._deps.clock.now()
        if seat is None:
            return
        kind, who = SurveyKind(told.kind), (seat.queue_id, seat.agent_id, "call")
        if isinstance(told, flow_fx.SurveyPut):
            self._asked_at = now
            asked = SurveyAsked(self._call_id, now, kind, *who)
            self._deps.journal.append(asked, at=now)
            self._deps.journal.once_safe(lambda: self._deps.bus.publish(asked, now), telling=True)
        else:
            answer = SurveyAnswered(self._call_id, now, kind, told.score, *who, self._asked_at)
            self._deps.journal.append(answer, at=now)

    async def _take_message(self, order: flow_fx.RecordMessage) -> None:
        name = self._origin.shown_outside.display_name
        number = self._origin.customer_number
        await self._voicemail.begin(order.box, caller=number, caller_name=name, language=order.language)

    async def _enqueue(self, order: flow_fx.EnqueueContact) -> None:
        """Hand the call to a queue; one that records tells the customer first."""
        announcement = self._recorder.needs_announcement(order.queue_id, order.language)
        if self._deps.call_routing.asks_who_calls(order.queue_id, order.plan):
            await self._identity.until_known()
        if announcement is None:
            await self._feed(queue_request(order))
            return
        await self._feed(ev.AnswerRequested())
        if self._is_over():
            return
        self._consented = order
        path = await self._deps.prompts.path(announcement)
        await self._deps.media.play(self._call_id, fx.CUSTOMER_LEG, CONSENT_PLAY, [path])

    async def _enter_announced_queue(self, *, heard: bool) -> None:
        """The announcement is over. One that was not heard lets the call go on, unrecorded."""
        order, self._consented = self._consented, None
        if order is None or self._is_over():
            return
        if heard:
            await self._recorder.announced(order.queue_id)
        await self._feed(queue_request(order))

    async def _play(self, order: flow_fx.PlayPrompt) -> None:
        paths = [await self._deps.prompts.path(prompt) for prompt in order.prompts]
        await self._deps.media.play(self._call_id, fx.CUSTOMER_LEG, order.play_id, paths, barge_in=order.barge_in)
