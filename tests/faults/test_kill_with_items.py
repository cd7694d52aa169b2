"""Exchange and web process are killed while messages wait, ring, are worked and are wrapped up. Nothing is lost,
nothing is there twice, and the agents have afterwards what they had before.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcenter.audit.recount import audit
from callcenter.demo.console_client import ConsoleClient, IntentRefusedError
from callcenter.replay import replay
from tests.support.floor_people import calling
from tests.support.installation import PASSWORD, Installation, Plan, running_installation, until_recorded
from tests.support.message_box import BOX_NUMBER, leave_message, site_with_box
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = pytest.mark.faults

WITHOUT_CALLS = "\n[routing]\ncapacity = { voice = 0, message = 1 }\n"
"""Agents who take messages one after the other, and need no phone."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    site = site_with_box(tmp_path) + WITHOUT_CALLS
    with running_installation(
        Plan(agents=3, records=True, ring_seconds=120, wrap_up_seconds=300, more_site=site)
    ) as house:
        yield house


@dataclass(slots=True)
class Desk:
    """An agent's console, which follows over reconnections."""

    login: str
    console: ConsoleClient

    @property
    def state(self) -> str:
        agent = self.console.agent
        return "" if agent is None else str(agent["state"])

    @property
    def has(self) -> dict[str, str]:
        """What is at this desk: contact to state."""
        here = {each["contact_id"]: each["state"] for each in self.console.contacts.values() if self._is_mine(each)}
        return {contact_id: "ringing" if state == "offered" else state for contact_id, state in here.items()}

    def _is_mine(self, contact: dict[str, object]) -> bool:
        rings = [each["agent_id"] for each in contact["ringing"]]  # type: ignore[attr-defined]
        return self.login in (contact["agent_id"], *rings)

    async def intend(self, intent: str, contact_id: str, **more: str) -> None:
        """Ask, and again while the house comes back."""

        async def done() -> bool:
            try:
                await self.console.intend(intent, contact_id=contact_id, **more)
            except IntentRefusedError as refused:
                if refused.code not in {"no-answer", "exchange-unavailable"}:
                    raise
                return False
            return True

        await until(f"{self.login} does {intent}", done)

    async def go_on_with(self, contact_id: str, state: str) -> None:
        """Do what comes next with something at this desk. Raises ``IntentRefusedError``."""
        if state == "ringing":
            await self.console.intend("offer.accept", contact_id=contact_id)
        elif state == "connected":
            await self.console.intend("contact.finish", contact_id=contact_id)
        elif state == "wrap_up":
            await self.console.intend("wrap_up.finish", contact_id=contact_id, disposition="solved", notes="")


@asynccontextmanager
async def desks(house: Installation) -> AsyncIterator[list[Desk]]:
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for login in house.agents:
            console = ConsoleClient(house.base_url, login, PASSWORD)
            following = asyncio.create_task(console.run(), name=login)
            stack.push_async_callback(asyncio.gather, following, return_exceptions=True)
            stack.callback(following.cancel)
            await until(f"{login} sees the floor", lambda each=console: each.agent is not None)  # type: ignore[misc]
            found.append(Desk(login, console))
        yield found


async def messages_left(house: Installation, *numbers: str) -> None:
    """One after the other."""
    for number in numbers:
        async with calling(house, number, "", called=BOX_NUMBER) as caller:
            await leave_message(caller, frames=60, hangs_up=True)


def waiting(boss: ConsoleClient) -> dict[str, str]:
    """The floor's items: contact to state."""
    return {each["contact_id"]: each["state"] for each in boss.contacts.values() if each["channel"] == "message"}


def check_the_journal(house: Installation, messages: int) -> None:
    """Each message came once and was closed once, and the auditor and a replay have nothing to say."""
    rows = house.journal.read()
    for kind in ("item.arrived", "item.closed"):
        found = Counter(row.entry.contact_id for row in rows if row.kind == kind)
        assert (len(found), set(found.values())) == (messages, {1}), kind
    assert audit(rows).breaches == []
    assert replay(rows).divergences == []


@pytest.mark.parametrize("victim", ["exchange", "web"])
async def test_what_waits_rings_and_is_worked_is_there_after_a_kill(house: Installation, victim: str) -> None:
    async with desks(house) as (one, two, three), watching(house) as boss:
        await messages_left(house, *(f"+1212555018{number}" for number in range(4)))
        await until("four messages wait", lambda: len(waiting(boss)) == 4)
        await one.console.intend("agent.ready")
        await until("one is rung", lambda: list(one.has.values()) == ["ringing"])
        (worked,) = one.has
        await one.intend("offer.accept", worked)
        await three.console.intend("agent.ready")
        await until("three is rung", lambda: list(three.has.values()) == ["ringing"])
        (wrapped,) = three.has
        await three.intend("offer.accept", wrapped)
        await three.intend("contact.finish", wrapped)
        await until("three wraps it up", lambda: three.has == {wrapped: "wrap_up"})
        await two.console.intend("agent.ready")
        await until("two is rung", lambda: list(two.has.values()) == ["ringing"])
        (ringing,) = two.has
        (left,) = set(waiting(boss)) - {worked, wrapped, ringing}

        killed = await house.kill(victim)
        await until(f"the {victim} is back", lambda: house.pids(victim) not in ([], [killed]), within=30)
        await house.until_up()
        await until("the consoles are connected", lambda: all(each.console._socket for each in (one, two, three)))

        # What was worked is worked, what rang rings; an earlier life's wrap-up ends with it, and that agent has room.
        await until("one works it", lambda: one.has == {worked: "connected"})
        if victim == "web":
            await until("two is rung", lambda: two.has == {ringing: "ringing"})
            await until("three wraps up", lambda: three.has == {wrapped: "wrap_up"})
            await three.intend("wrap_up.finish", wrapped, disposition="solved", notes="")
        others = ({ringing: "ringing"}, {left: "ringing"})
        await until("the others have one each", lambda: (two.has, three.has) in (others, others[::-1]))
        await until("all are ready", lambda: [each.state for each in (one, two, three)] == ["ready"] * 3)
        assert one.has == {worked: "connected"}
        for each in (two, three):
            (contact_id,) = each.has
            await each.intend("offer.accept", contact_id)
            await each.intend("contact.finish", contact_id)
        await one.intend("contact.finish", worked)
        await until("nothing waits", lambda: "connected" not in waiting(boss).values())
        async with house.signed_in() as http:
            recorded = await until_recorded(http, 8)  # four calls, four messages
        handled = {each["contact_id"]: each["agent_id"] for each in recorded if each["channel"] != "voice"}
        assert handled[worked] == "agent1"
        assert handled[wrapped] == "agent3"
        assert len(handled) == 4
    check_the_journal(house, 4)


async def test_kills_at_random_instants_lose_and_double_no_message(house: Installation) -> None:
    """Agents work what rings while callers leave messages; exchange and web process die in turn, at any instant."""
    dice = random.Random(7)
    async with desks(house) as people, watching(house) as boss:
        for each in people:
            await each.console.intend("agent.ready")

        async def work(desk: Desk) -> None:
            async for _ in desk.console.changes():
                for contact_id, state in desk.has.items():
                    with contextlib.suppress(IntentRefusedError):
                        await desk.go_on_with(contact_id, state)

        changes = boss.changes()
        workers = [asyncio.create_task(work(each), name=f"work {each.login}") for each in people]
        callers = [f"+1212555019{number}" for number in range(2)]
        for number, victim in zip(callers, ("exchange", "web"), strict=True):
            await messages_left(house, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    for _ in range(dice.randrange(12)):
                        await anext(changes)
            gone = await house.kill(victim)
            await until(f"the {victim} is back", lambda v=victim, g=gone: house.pids(v) not in ([], [g]), within=30)  # type: ignore[misc]
            await house.until_up()
        async with house.signed_in() as http:
            recorded = await until_recorded(http, 2 * len(callers), within=30)  # the last message may only be coming
        await until("all is dealt with", lambda: boss.exchange_up and not waiting(boss), within=30)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert Counter(each["channel"] for each in recorded)["voice"] == len(callers)
        await until("all are ready", lambda: [each.state for each in people] == ["ready"] * 3)
    check_the_journal(house, len(callers))
