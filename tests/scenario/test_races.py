"""Hang-up, answer, decline, pause, time-out and lost phones in every order, against the whole exchange.

After each story the floor must be clean: every call recorded once, no phone ringing, no agent held by a contact that
is gone, no media left. These are the races that leave agents stuck and calls as ghosts in queue engines that poll.
"""

import random
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest

from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from callcenter.audit.recount import audit
from callcenter.replay import replay
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

AGENTS = ("anna", "ben", "chen")
RINGS = ("one", "all", "progressive")
STORIES = 60
STEPS = 70


class Floor:
    """A house and everybody who can do something in it."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.customers: list[FakeLeg] = []
        self.calls = 0
        self.happenings = (
            *(self.call, self.press, self.customer_leaves, self.phone_answers, self.phone_answers),
            *(self.phone_refuses, self.phone_hangs_up, self.desk_declines, self.desk_hangs_up),
            *(self.pause, self.ready, self.lose_phone),
        )

    async def step(self) -> None:
        """One thing happens; often several happen before anybody could react to the first."""
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            await self.chance.choice(self.happenings)()
        if self.chance.random() < 0.7:
            await settle()
        if self.chance.random() < 0.3:
            await pass_seconds(self.chance.choice((0.001, 1, 5, 16, 31)))

    async def call(self) -> None:
        self.calls += 1
        self.customers.append(self.house.signalling.customer_calls(f"+1202555{self.calls:04d}", "+12025550100"))

    async def press(self) -> None:
        for leg in self.customers:
            if leg.state == "answered" and leg.leg_id in self.house.core.switchboard._call_of_leg:
                for play in [each for each in self.house.session(leg).plays if each != "music"]:
                    self.house.media.finish_play(play)
                self.house.core.switchboard.on_media_event(self.house.digit(leg, "1"))

    async def customer_leaves(self) -> None:
        if self.customers:
            self.house.signalling.far_end_hangs_up(self.chance.choice(self.customers))

    def phone(self, state: str) -> FakeLeg | None:
        legs = [leg for leg in self.house.signalling.legs.values() if leg.agent_id and leg.state == state]
        return self.chance.choice(legs) if legs else None

    async def phone_answers(self) -> None:
        if leg := self.phone("offered"):
            self.house.signalling.answer_phone(leg)

    async def phone_refuses(self) -> None:
        if leg := self.phone("offered"):
            self.house.signalling.refuse(leg, self.chance.choice((480, 486, 603)))

    async def phone_hangs_up(self) -> None:
        if leg := self.phone("answered"):
            self.house.signalling.far_end_hangs_up(leg)

    async def desk_declines(self) -> None:
        await self.at_desk("decline")

    async def desk_hangs_up(self) -> None:
        await self.at_desk("hang_up")

    async def at_desk(self, order: str) -> None:
        agent = self.house.agent(self.chance.choice(AGENTS))
        with suppress(IntentError):
            await getattr(self.house.core.desk, order)(agent.agent_id, agent.contact_id or "none")

    async def pause(self) -> None:
        await self.house.core.desk.not_ready(self.chance.choice(AGENTS), "break")

    async def ready(self) -> None:
        await self.house.sign_in(self.chance.choice(AGENTS))

    async def lose_phone(self) -> None:
        agent_id = self.chance.choice(AGENTS)
        self.house.signalling.registered.discard(agent_id)
        self.house.core.on_registration(agent_id, False)


def busy_agents_have_their_contact(house: House) -> None:
    contacts = {contact.contact_id: contact for contact in house.contacts()}
    for agent_id in AGENTS:
        agent = house.agent(agent_id)
        if agent.state is AgentState.BUSY:
            assert agent.contact_id in contacts
            assert contacts[agent.contact_id].state is ContactState.CONNECTED


async def live_through(seed: int) -> None:
    """One story of this seed, and the floor afterwards."""
    house = await open_house(site=small_site(wrap_up_seconds=seed % 2 * 10, ring=RINGS[seed % 3]))
    floor = Floor(house, seed)
    await house.sign_in(*AGENTS)
    for _ in range(STEPS):
        await floor.step()
    await settle()
    busy_agents_have_their_contact(house)
    for leg in floor.customers:
        house.signalling.far_end_hangs_up(leg)
    await pass_seconds(120)
    assert house.fatal == []
    assert Counter(record.sip_call_id for record in house.records()).most_common(1)[0][1] == 1
    assert len(house.records()) == floor.calls
    assert [leg for leg in house.signalling.legs.values() if leg.state != "ended"] == []
    assert house.core.routing.engine.contacts() == ()
    assert house.core.routing.engine.offers() == ()
    assert audit(house.journal.rows).breaches == []
    assert replay(house.journal.rows).divergences == []
    assert {house.agent(agent_id).state for agent_id in AGENTS} <= {AgentState.READY, AgentState.NOT_READY}
    assert house.contacts() == ()
    assert house.media.sessions == {}
    assert house.core.switchboard.calls == {}
    assert [queue.waiting for queue in house.core.floor.view().queues] == [0, 0]
    for queue in house.core.floor.view().queues:
        assert queue.offered == queue.answered + queue.abandoned


@pytest.mark.parametrize("seed", range(STORIES))
def test_whatever_the_order_the_floor_is_clean_afterwards(seed: int) -> None:
    run_virtual(partial(live_through, seed))
