"""Any order of events on a small floor: the invariants hold after each of them."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentOrder,
    AgentPresenceSeen,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueClosed,
    QueueDelay,
    QueueOpened,
    QueueSpec,
    RingStyle,
    SkillLevel,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpMode,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import AgentState, Outcome
from acd.route_plans import RoutePlan, RouteStep, StepGuard
from tests.support.acd_invariants import (
    check_contact_books,
    check_offer_books,
    check_order,
    check_places,
    check_steps,
    check_work_conservation,
)

pytestmark = pytest.mark.unit

AGENTS = [AgentId(f"a{n}") for n in range(4)]
QUEUES = [QueueId(f"q{n}") for n in range(3)]
CONTACTS = [ContactId(f"c{n}") for n in range(8)]
levels = st.lists(st.builds(SkillLevel, st.sampled_from(["en", "zh"]), st.integers(1, 2)), max_size=2).map(tuple)
DEEDS = [AgentSignedIn, AgentSignedOut, AgentMadeReady, WrapUpFinished, AgentPresenceSeen]
agent_ids = st.sampled_from(AGENTS)
contact_ids = st.sampled_from(CONTACTS)
demands = st.sampled_from(
    ["", "en", "en >= 2", "not zh", "agent:a1", "agent:a3 and floor", "not agent:a0", "queue:q2", "floor"]
)


@st.composite
def plans(draw: st.DrawFn) -> RoutePlan | None:
    """None, or up to three steps."""
    steps = [
        RouteStep(
            draw(demands),
            20 * (number + 1),
            draw(st.sampled_from([0, 0, 1])),
            draw(st.sampled_from(StepGuard)),
            draw(st.sampled_from([0, 0, 1])),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    return RoutePlan(tuple(steps), draw(st.sampled_from([None, "voicemail"]))) if steps else None


@st.composite
def floors(draw: st.DrawFn) -> FloorConfigured:
    """A floor of some of the queues and some of the agents."""
    queue_ids = draw(st.lists(st.sampled_from(QUEUES), min_size=1, unique=True))
    queues = [
        QueueSpec(
            q,
            q,
            ring_timeout_ms=draw(st.sampled_from([10, 20])),
            wrap_up_ms=draw(st.sampled_from([0, 30])),
            order=draw(st.sampled_from(AgentOrder)),
            ring=draw(st.sampled_from(RingStyle)),
            ring_step_ms=4,
            weight=draw(st.sampled_from([0, 1])),
            max_waiting=draw(st.sampled_from([None, None, 2])),
            entry=draw(st.sampled_from([StepGuard.NONE, *StepGuard])),
            resume_window_ms=draw(st.sampled_from([0, 30])),
            wrap_up_mode=draw(st.sampled_from([WrapUpMode.TIMED, *WrapUpMode])),
            wrap_up_extension_ms=draw(st.sampled_from([0, 10])),
            wrap_up_timeout_code="timeout",
        )
        for q in queue_ids
    ]
    names = draw(st.lists(agent_ids, unique=True))
    served = st.lists(st.sampled_from(queue_ids), min_size=1, unique=True).map(tuple)
    delays = st.lists(st.builds(QueueDelay, st.sampled_from(QUEUES), st.sampled_from([8, 30])), max_size=1).map(tuple)
    agents = tuple(AgentSpec(a, a, draw(served), draw(levels), draw(delays)) for a in names)
    return FloorConfigured(
        tuple(queues),
        agents,
        draw(st.sampled_from([None, 15])),
        draw(st.integers(0, 9)),
        draw(st.sampled_from([None, 12])),
        draw(st.sampled_from([None, 2])),
        30,
    )


START = FloorConfigured(
    tuple(QueueSpec(q, q, ring_timeout_ms=20, wrap_up_ms=30) for q in QUEUES),
    tuple(
        AgentSpec(a, a, tuple(QUEUES[: n + 1]), (SkillLevel("en", 1 + n % 2),) if n else ())
        for n, a in enumerate(AGENTS)
    ),
)


class FloorMachine(RuleBasedStateMachine):
    """Feeds one engine, its restored twin, and a book of everything that was said."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000
        self.acd = Acd()
        self.twin = Acd()
        self.book: list[tuple[Event | None, int]] = []
        self.said: list[list[Outcome] | str] = []
        self.floor = START

    @initialize(floor=st.one_of(st.just(START), floors()))
    def open(self, floor: FloorConfigured) -> None:
        self.feed(floor)
        for agent_id in AGENTS:
            self.now += 1
            self.feed(AgentSignedIn(agent_id))
            self.feed(AgentMadeReady(agent_id))

    def feed(self, event: Event | None) -> None:
        before = self.acd.snapshot()
        answer = tell(self.acd, event, self.now)
        self.book.append((event, self.now))
        self.said.append(answer)
        assert tell(self.twin, event, self.now) == answer, "the restored engine behaves differently"
        if isinstance(answer, str):
            assert self.acd.snapshot() == before, "a refused event changed something"
        else:
            check_order(self.acd, answer)
            self.floor = event if isinstance(event, FloorConfigured) else self.floor

    @rule(floor=floors())
    def configure(self, floor: FloorConfigured) -> None:
        self.feed(floor)

    @rule(agent_id=agent_ids)
    def sign_in(self, agent_id: AgentId) -> None:
        self.feed(AgentSignedIn(agent_id))
        self.feed(AgentMadeReady(agent_id))

    @rule(agent_id=agent_ids, kind=st.sampled_from(DEEDS))
    def agent_does(self, agent_id: AgentId, kind: type[AgentSignedIn]) -> None:
        self.feed(kind(agent_id))

    @rule(agent_id=agent_ids, by_ms=st.integers(-1, 8))
    def extend(self, agent_id: AgentId, by_ms: int) -> None:
        self.feed(WrapUpExtended(agent_id, by_ms))

    @rule(agent_id=agent_ids)
    def release(self, agent_id: AgentId) -> None:
        self.feed(AgentMadeReady(agent_id, released=True))

    @rule(agent_id=agent_ids, reason=st.sampled_from(["lunch", "training"]))
    def pause(self, agent_id: AgentId, reason: str) -> None:
        self.feed(AgentMadeNotReady(agent_id, reason))

    @rule(
        contact_id=contact_ids,
        queue_id=st.sampled_from(QUEUES),
        age=st.integers(0, 40),
        priority=st.sampled_from([0, 0, 0, 1]),
        required=levels,
        plan=plans(),
        identity=st.sampled_from([None, "i1", "i2"]),
    )
    def arrive(
        self,
        contact_id: ContactId,
        queue_id: QueueId,
        age: int,
        priority: int,
        required: tuple[SkillLevel, ...],
        plan: RoutePlan | None,
        identity: str | None,
    ) -> None:
        self.feed(ContactArrived(contact_id, queue_id, self.now - age, priority, required, plan, identity))

    @rule(queue_id=st.sampled_from(QUEUES), send_away=st.booleans())
    def close(self, queue_id: QueueId, send_away: bool) -> None:
        self.feed(QueueClosed(queue_id, "closed", send_away))

    @rule(queue_id=st.sampled_from(QUEUES))
    def open_again(self, queue_id: QueueId) -> None:
        self.feed(QueueOpened(queue_id))

    @rule(contact_id=contact_ids)
    def leave(self, contact_id: ContactId) -> None:
        self.feed(ContactLeft(contact_id))

    @rule(contact_id=contact_ids)
    def finish(self, contact_id: ContactId) -> None:
        self.feed(ContactFinished(contact_id))

    @rule(agent_id=agent_ids, contact_id=contact_ids, wrap_up_ms=st.sampled_from([0, 30]))
    def engage(self, agent_id: AgentId, contact_id: ContactId, wrap_up_ms: int) -> None:
        self.feed(AgentEngaged(agent_id, contact_id, wrap_up_ms=wrap_up_ms))

    @precondition(lambda self: self.acd.offers())
    @rule(pick=st.integers(0, 3))
    def accept(self, pick: int) -> None:
        offers = self.acd.offers()
        self.feed(OfferAccepted(offers[pick % len(offers)].offer_id))

    @precondition(lambda self: self.acd.offers())
    @rule(pick=st.integers(0, 3), cause=st.sampled_from(list(DeclineCause)))
    def decline(self, pick: int, cause: DeclineCause) -> None:
        offers = self.acd.offers()
        self.feed(OfferDeclined(offers[pick % len(offers)].offer_id, cause))

    @precondition(lambda self: self.acd.offers())
    @rule(pick=st.integers(0, 3))
    def decline_and_come_back(self, pick: int) -> None:
        offers = self.acd.offers()
        offer = offers[pick % len(offers)]
        self.feed(OfferDeclined(offer.offer_id, DeclineCause.DECLINED))
        self.feed(AgentMadeReady(offer.agent_id))

    @rule(number=st.integers(1, 12))
    def accept_any(self, number: int) -> None:
        self.feed(OfferAccepted(OfferId(f"o{number}")))

    @rule(elapsed=st.integers(0, 25))
    def time_passes(self, elapsed: int) -> None:
        self.now += elapsed
        self.feed(None)
        deadline = self.acd.next_deadline()
        assert deadline is None or deadline > self.now

    @rule()
    def restart(self) -> None:
        """The twin is taken down and comes back from a snapshot that went over the wire."""
        saved = self.acd.snapshot()
        self.twin = Acd.restore(json.loads(json.dumps(saved)))
        assert self.twin.snapshot() == saved

    @invariant()
    def everything_is_in_its_place(self) -> None:
        check_places(self.acd)

    @invariant()
    def nothing_waits_while_a_matching_agent_idles(self) -> None:
        check_work_conservation(self.acd)

    @invariant()
    def every_contact_is_in_the_step_that_holds(self) -> None:
        check_steps(self.acd, self.now, self.floor.priority_worth_ms)

    @invariant()
    def only_a_talking_agent_outlives_the_configuration(self) -> None:
        if not self.book:
            return
        configured = {spec.agent_id for spec in self.floor.agents}
        assert configured <= {agent.agent_id for agent in self.acd.agents()}
        for agent in self.acd.agents():
            assert agent.agent_id in configured or agent.state is AgentState.BUSY

    @invariant()
    def every_offer_is_accounted_for(self) -> None:
        check_offer_books(self.outcomes(), len(self.acd.offers()))

    @invariant()
    def every_contact_is_accounted_for(self) -> None:
        check_contact_books(self.outcomes(), self.acd)
        lengths = {queue.spec.queue_id: queue.waiting for queue in self.acd.queues() if queue.waiting}
        assert {queue_id: length for queue_id, length in self.acd._board.lengths.items() if length} == lengths

    def outcomes(self) -> list[Outcome]:
        return [outcome for answer in self.said if not isinstance(answer, str) for outcome in answer]

    def teardown(self) -> None:
        replayed = Acd()
        assert [tell(replayed, event, now) for event, now in self.book] == self.said
        assert replayed.snapshot() == self.acd.snapshot()
        for contact in self.acd.contacts():
            self.feed(ContactLeft(contact.contact_id))
        for agent in self.acd.agents():
            self.feed(AgentSignedOut(agent.agent_id))
        assert not self.acd.contacts()
        assert not self.acd.offers()
        assert all(agent.state is AgentState.OFFLINE for agent in self.acd.agents())
        assert self.acd.next_deadline() is None
        check_offer_books(self.outcomes(), 0)


def tell(acd: Acd, event: Event | None, now: int) -> list[Outcome] | str:
    """What the engine says to an event, or to its timer when there is none; a refusal is its code."""
    if event is None:
        return list(acd.handle_timer(now=now))
    try:
        return list(acd.receive(event, now=now))
    except AcdError as error:
        return error.code


FloorMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, derandomize=True, print_blob=False
)
TestFloor = FloorMachine.TestCase
