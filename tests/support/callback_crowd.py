"""A crowd that asks for callbacks: many promises, agents and customers who do not answer, are busy, refuse, call in
again, and an exchange that is killed every now and then. What must hold is counted from outside: by the phones' side
and from the journal, never from what the callbacks say of themselves."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from acd.events import ContactArrived
from callcenter.audit.recount import audit
from callcenter.calls.audio import GREETING_PLAY
from callcenter.calls.callback_facts import CallbackClosed, CallbackDialled, CallbackRequested, CallbackResult
from callcenter.site.models import Site
from tests.support.callback_house import FLOW, callback_site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house
from tests.support.virtual_time import pass_seconds, settle

AGENTS = tuple(f"agent{number}" for number in range(12))
ATTEMPTS = 3
RETRY_SECONDS = 40
KILLED_EVERY = 400
"""Promises between two deaths."""


def crowd_site(order: str) -> Site:
    """A queue that promises many callbacks, and agents enough to make them; ``order`` as in the site file."""
    values = callback_site(
        callback_most=300,
        callback_attempts=ATTEMPTS,
        callback_retry_seconds=RETRY_SECONDS,
        callback_within_seconds=3_000,
        wrap_up_seconds=1,
        callback_order=order,
    ).model_dump()
    pattern: dict[str, Any] = {**values["agents"][0], "queues": ["sales"], "second_line": {}}
    values["agents"] = [{**pattern, "id": agent, "name": agent, "login": agent} for agent in AGENTS]
    return Site.model_validate(values)


@dataclass
class CallbackCrowd:
    """One run."""

    seed: int
    promises: int
    order: str = "agent"
    """Whose phone rings first."""
    house: House = field(init=False)
    dials: Counter[str] = field(default_factory=Counter)
    """Dials by number, over all lives of the exchange."""
    faults: list[str] = field(default_factory=list)
    kills: int = 0
    asked: int = 0
    """How many callbacks were promised."""
    _closed: dict[str, CallbackResult] = field(default_factory=dict)
    _read: int = 0
    _dice: random.Random = field(init=False)
    _site: Site = field(init=False)
    _callers: int = 0
    _seen: int = 0
    _killed_at: int = 0

    def __post_init__(self) -> None:
        """The dice of this run."""
        self._dice = random.Random(self.seed)
        self._site = crowd_site(self.order)

    async def live(self) -> None:
        """Until as many were promised as are wanted, and then until all of them are over."""
        self.house = await open_house(site=self._site, flow=FLOW)
        while self.asked < self.promises:
            for _ in range(self._dice.randrange(4)):
                await self._ask()
            await self._step()
            if self.asked - self._killed_at >= KILLED_EVERY:
                await self._kill()
        for _ in range(4_000):
            if len(self._closed) == self.asked:
                break
            await self._step()
        self._settle_accounts()

    def summary(self) -> str:
        """The figures of the run."""
        results = Counter(str(each) for each in self._closed.values())
        return f"{self.asked} promised, {sum(self.dials.values())} dials, {self.kills} deaths, {dict(results)}"

    async def _ask(self) -> None:
        """Somebody new asks for a callback, or somebody known calls in again and waits."""
        again = self._callers and self._dice.random() < 0.1
        number = self._dice.randrange(self._callers) if again else self._callers
        self._callers += not again
        leg = await self.house.call(f"+1202{number:07}")
        self.house.core.switchboard.on_media_event(self.house.digit(leg, "2" if again else "1"))
        await settle()
        if leg.state == "answered" and not again:
            for play in [each for each in self.house.session(leg).plays if each != "music"]:
                self.house.media.finish_play(play, of=self.house.call_id(leg))

    async def _step(self) -> None:
        signalling = self.house.signalling
        for leg in [each for each in signalling.legs.values() if each.state != "ended"]:
            self._move(leg)
        for agent in self.house.core.floor.view().agents:
            if agent.state in {"not_ready", "offline"}:
                await self.house.sign_in(agent.agent_id)
        await settle()
        self._look()
        await pass_seconds(self._dice.choice((1, 2, 5)))
        self._look()

    def _move(self, leg: FakeLeg) -> None:
        signalling, chance = self.house.signalling, self._dice.random()
        if leg.state == "offered" and not leg.inbound:
            if chance < 0.6:
                signalling.answer_phone(leg)
            elif chance < (0.65 if leg.agent_id else 0.85):
                signalling.refuse(leg, 486)
        elif leg.state == "answered" and not leg.agent_id:
            call_id = self.house.core.switchboard._call_of_leg.get(leg.leg_id, "")
            session = self.house.media.sessions.get(call_id)
            if session is not None and GREETING_PLAY in session.plays:
                self.house.media.finish_play(GREETING_PLAY, of=call_id)
            elif chance < 0.4:
                signalling.far_end_hangs_up(leg)

    def _look(self) -> None:
        signalling, rows = self.house.signalling, self.house.journal.rows
        for row in rows[self._read :]:
            self.asked += isinstance(row.entry, CallbackRequested)
            if isinstance(row.entry, CallbackClosed):
                self._closed[row.entry.call_id] = row.entry.result
        self._read = len(rows)
        over = {"ended"} if self.order == "agent" else {"ended", "answered"}
        ringing = [number for leg_id, number, _ in signalling.dialled if signalling.legs[leg_id].state not in over]
        if len(ringing) > len(AGENTS):
            self.faults.append("more dials than agents")
        self.faults += [f"two dials to {number}" for number, count in Counter(ringing).items() if count > 1]
        self.dials.update(number for _, number, _ in signalling.dialled[self._seen :])
        self._seen = len(signalling.dialled)

    async def _kill(self) -> None:
        """The exchange dies in the middle of everything; it comes back from its journal."""
        self.kills += 1
        self._killed_at = self.asked
        self.house = await open_house(site=self._site, flow=FLOW, journal=self.house.journal)
        self._seen = 0

    def _settle_accounts(self) -> None:
        entries = self.house.journal.entries
        asked = {entry.call_id: entry for entry in entries if isinstance(entry, CallbackRequested)}
        closed = Counter(entry.call_id for entry in entries if isinstance(entry, CallbackClosed))
        dialled = Counter(entry.call_id for entry in entries if isinstance(entry, CallbackDialled))
        self.faults += [f"{name} was lost" for name in asked if name not in closed]
        self.faults += [f"{name} ended {count} times" for name, count in closed.items() if count > 1]
        self.faults += [f"{name} was dialled {count} times" for name, count in dialled.items() if count > ATTEMPTS]
        last: dict[str, int] = {}
        for entry in entries:
            if isinstance(entry, CallbackDialled):
                if entry.at - last.get(entry.call_id, 0) < RETRY_SECONDS * 1000:
                    self.faults.append(f"{entry.call_id} was dialled again at once")
                last[entry.call_id] = entry.at
        places: dict[str, int] = {
            entry.contact_id: entry.arrived_at for entry in entries if isinstance(entry, ContactArrived)
        }
        self.faults += [
            f"{entry.call_id} lost its place"
            for entry in entries
            if isinstance(entry, CallbackDialled) and places[entry.contact_id] != asked[entry.call_id].arrived_at
        ]
        written: Counter[str] = Counter()
        for name, count in dialled.items():
            written[asked[name].caller] += count
        self.faults += [
            f"{number}: {count} dials, {written[number]} written down"
            for number, count in self.dials.items()
            if count > written[number]
        ]
        self.faults += [breach for breach in audit(self.house.journal.rows).breaches if breach.startswith(("I4", "I6"))]
