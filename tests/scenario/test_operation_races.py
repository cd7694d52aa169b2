"""Every operation of a call crossed with every hang-up, refusal and answer, at random, against the whole exchange.

Whatever was pressed in whatever order: no call fails, every leg is ended, every call is recorded once with one outcome,
the times of each segment add up, routing holds nobody, and the journal audits and replays without a word.
"""

import random
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest

from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from callcenter.audit.recount import audit
from callcenter.calls.facts import CallArrived
from callcenter.calls.legs import TransferRequested
from callcenter.link.web_side import FloorCopy
from callcenter.replay import replay
from callcenter.reporting.book import Grain
from callcenter.reporting.postings import SubjectKind
from callcenter.reporting.report import Wanted, report
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.surveys import surveying_flow
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

AGENTS = ("anna", "ben", "chen")
TARGETS = (
    ("agent", "anna"),
    ("agent", "ben"),
    ("agent", "chen"),
    ("queue", "sales"),
    ("queue", "support"),
    ("number", "+12025550177"),
    ("number", "+12025550188"),
    ("number", "+882160000000"),
)
ORDERS = ("hold", "resume", "complete", "cancel", "swap", "conference", "park", "hang_up", "decline")
RINGS = ("one", "all", "progressive")
STORIES = 45
FOUND = (100_275,)
"""Stories in which the long runs found something: a pause asked for in wrap-up, an own call before its end."""
STEPS = 90


class Crowd:
    """Customers, agents, phones and numbers outside, each doing what it likes."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.calls = 0
        self.customers: list[FakeLeg] = []
        self.happenings = (
            *(self.call, self.press, self.press, self.customer_leaves),
            *(self.leg_answers, self.leg_answers, self.leg_answers, self.leg_refuses, self.leg_hangs_up),
            *(self.order, self.order, self.order, self.hand_on, self.hand_on, self.refer, self.retrieve),
            *(self.dial, self.phone_dials, self.ready, self.pause),
        )

    async def step(self) -> None:
        """Often several things happen before anybody could react to the first."""
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            await self.chance.choice(self.happenings)()
        if self.chance.random() < 0.7:
            await settle()
        if self.chance.random() < 0.25:
            await pass_seconds(self.chance.choice((0.001, 1, 5, 21, 46, 181)))

    def leg(self, *states: str, outside: bool = False) -> FakeLeg | None:
        legs = [leg for leg in self.house.signalling.legs.values() if leg.state in states]
        legs = [leg for leg in legs if not leg.inbound or (not outside and leg.agent_id)]
        return self.chance.choice(legs) if legs else None

    async def call(self) -> None:
        if len(self.customers) < 12:
            self.calls += 1
            self.customers.append(self.house.signalling.customer_calls(f"+1202555{self.calls:04d}", "+12025550100"))

    async def press(self) -> None:
        for leg in self.customers:
            if leg.state == "answered" and leg.leg_id in self.house.core.switchboard._call_of_leg:
                session = self.house.media.sessions.get(self.house.call_id(leg))
                for play in [each for each in (session.plays if session else ()) if not each.startswith("music")]:
                    self.house.media.finish_play(play)
                self.house.core.switchboard.on_media_event(self.house.digit(leg, "1"))

    async def customer_leaves(self) -> None:
        if self.customers:
            self.house.signalling.far_end_hangs_up(self.chance.choice(self.customers))

    async def leg_answers(self) -> None:
        if (leg := self.leg("offered")) and not leg.inbound:
            self.house.signalling.answer_phone(leg)

    async def leg_refuses(self) -> None:
        if (leg := self.leg("offered")) and not leg.inbound:
            self.house.signalling.refuse(leg, self.chance.choice((404, 480, 486, 603)))

    async def leg_hangs_up(self) -> None:
        if leg := self.leg("answered"):
            self.house.signalling.far_end_hangs_up(leg)

    async def order(self) -> None:
        await self.at_desk(self.chance.choice(ORDERS))

    async def hand_on(self) -> None:
        await self.at_desk(self.chance.choice(("transfer", "consult")), *self.chance.choice(TARGETS))

    async def at_desk(self, order: str, *more: str) -> None:
        agent = self.house.agent(self.chance.choice(AGENTS))
        with suppress(IntentError):
            await getattr(self.house.core.desk, order)(agent.agent_id, agent.contact_id or "none", *more)

    async def refer(self) -> None:
        legs = [leg for leg in self.house.signalling.legs.values() if leg.agent_id and leg.state == "answered"]
        if legs:
            leg = self.chance.choice(legs)
            own = [each for each in legs if each.agent_id == leg.agent_id and each is not leg]
            replaced = self.chance.choice(own).leg_id if own and self.chance.random() < 0.7 else None
            target = self.chance.choice(("ben", "sales", "+12025550177", "+33", ""))
            self.house.signalling.sink(TransferRequested(leg.leg_id, target, replaced))

    async def retrieve(self) -> None:
        with suppress(IntentError):
            await self.house.core.desk.retrieve(self.chance.choice(AGENTS), self.chance.choice(("701", "702")))

    async def dial(self) -> None:
        with suppress(IntentError):
            await self.house.core.desk.dial(self.chance.choice(AGENTS), *self.chance.choice(TARGETS))

    async def phone_dials(self) -> None:
        agent_id = self.chance.choice(AGENTS)
        called = self.chance.choice(("anna", "ben", "chen", "+12025550199", "+882160000000", "*8", "*68"))
        self.house.signalling.phone_calls(agent_id, called)

    async def ready(self) -> None:
        with suppress(IntentError):
            await self.house.core.desk.ready(self.chance.choice(AGENTS))

    async def pause(self) -> None:
        with suppress(IntentError):
            await self.house.core.desk.not_ready(self.chance.choice(AGENTS), "break")


def check_in_the_middle(house: House) -> None:
    """Whoever is busy has a contact of the own on the floor; so has not who only has a second call."""
    contacts = {contact.contact_id: contact for contact in house.contacts()}
    machines = [runner.machine for runner in house.core.switchboard.calls.values()]
    seats = [(seat, machine) for machine in machines for seat in (machine.agent, machine.colleague)]
    aside = {seat.agent_id for seat, machine in seats if seat is not None and machine.unengaged}
    for agent_id in AGENTS:
        agent = house.agent(agent_id)
        if agent.state is AgentState.BUSY and agent_id not in aside:
            contact = contacts.get(agent.contact_id or "")
            assert contact is not None, f"{agent_id} is busy with {agent.contact_id}, which is not on the floor"
            assert contact.agent_id == agent_id
            assert contact.state in {ContactState.CONNECTED, ContactState.DIALLING, ContactState.OFFERED}


def consulted_by_report(house: House) -> dict[str, int]:
    """How long each agent was asked, added up over quarter hours."""
    found: Counter[str] = Counter()
    for line in report(house.journal.rows, Wanted(grain=Grain.INTERVAL)).lines:
        if line.subject.kind is SubjectKind.AGENT and line.subject.id:
            found[line.subject.id] += line.values["consulted_split"]  # type: ignore[operator]
    return dict(+found)


def consulted_by_records(house: House) -> dict[str, int]:
    """The same by what the calls' records say."""
    found: Counter[str] = Counter()
    for record in house.records():
        for segment in record.segments:
            if segment.agent_id:
                found[segment.agent_id] += segment.consult_ms
    return dict(+found)


async def live_through(seed: int) -> None:
    """One story of this seed, and house, books and copies afterwards."""
    asks = {"flow": surveying_flow()} if seed % 3 == 1 else {}
    house = await open_house(site=small_site(wrap_up_seconds=seed % 2 * 10, ring=RINGS[seed % 3]), **asks)
    copy = FloorCopy()
    copy.replace(house.core.floor.view())
    tell = house.core._on_changes

    def both(changes: tuple) -> None:
        tell(changes)
        for change in changes:
            copy.apply(change)

    house.core._on_changes = both
    crowd = Crowd(house, seed)
    await house.sign_in(*AGENTS)
    for _ in range(STEPS):
        await crowd.step()
    await settle()
    check_in_the_middle(house)
    for leg in list(house.signalling.legs.values()):
        if leg.inbound:
            house.signalling.far_end_hangs_up(leg)
    for _ in range(3):
        await pass_seconds(100)
        for leg in list(house.signalling.legs.values()):
            house.signalling.far_end_hangs_up(leg)
    await pass_seconds(400)
    assert house.fatal == []
    assert [leg for leg in house.signalling.legs.values() if leg.state != "ended"] == []
    assert house.core.switchboard.calls == {}
    assert house.media.sessions == {}
    assert house.core.routing.engine.contacts() == ()
    assert house.contacts() == ()
    assert {house.agent(agent_id).state for agent_id in AGENTS} <= {AgentState.READY, AgentState.NOT_READY}
    assert [queue.waiting for queue in house.core.floor.view().queues] == [0, 0]
    arrived = [entry for entry in house.journal.entries if isinstance(entry, CallArrived)]
    assert len(house.records()) == len(arrived)
    assert audit(house.journal.rows).breaches == []
    assert consulted_by_report(house) == consulted_by_records(house)
    assert replay(house.journal.rows).divergences == []
    assert copy.snapshot() == house.core.floor.view()


@pytest.mark.parametrize("seed", [*range(STORIES), *FOUND])
def test_whatever_is_pressed_nothing_is_left_and_the_books_balance(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    run_virtual(partial(live_through, seed))
    assert "call failed" not in caplog.text
