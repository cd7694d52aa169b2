"""Callbacks with everything going wrong at random: agents who do not answer, customers who are busy, call in again,
hang up, an exchange that is killed. What must hold is asserted on the way and at the end."""

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from callcenter.calls.audio import GREETING_PLAY
from callcenter.calls.callback_facts import CallbackClosed, CallbackRequested, CallbackResult
from callcenter.site.models import Site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house
from tests.support.virtual_time import pass_seconds, settle

AGENTS = ("anna", "ben")
CUSTOMERS = tuple(f"+120255503{number:02}" for number in range(8))


@dataclass
class CallbackTurmoil:
    """One house in one run."""

    dice: random.Random
    site: Site
    flow: str
    house: House = field(init=False)
    dials: Counter[str] = field(default_factory=Counter)
    """Dials by number, over all lives of the exchange."""
    dead: list[House] = field(default_factory=list)
    """Earlier lives; they go on in their own world, and nobody hears them."""
    _seen: int = 0
    _on_line: frozenset[str] = frozenset()
    """Who was in a call of the own at the last look."""

    async def live(self, steps: int = 60) -> None:
        """So many deeds, then peace."""
        self.house = await open_house(site=self.site, flow=self.flow)
        await self.house.sign_in(*AGENTS)
        for _ in range(steps):
            await self._deed()
            await settle()
            self._look()
        self._settle_accounts()

    async def _deed(self) -> None:
        dice, house = self.dice, self.house
        phones = [leg for leg in house.signalling.legs.values() if leg.agent_id and leg.state == "offered"]
        outside = [leg for leg in self._outside() if leg.state == "offered"]
        up = [leg for leg in house.signalling.legs.values() if leg.state == "answered" and not leg.agent_id]
        match dice.randrange(12):
            case 0 | 1 | 2:
                leg = await house.call(dice.choice(CUSTOMERS))
                house.core.switchboard.on_media_event(house.digit(leg, dice.choice("1112")))
                await settle()
            case 3 | 4 | 5 if phones:
                house.signalling.answer_phone(dice.choice(phones))
            case 6 if phones:
                house.signalling.refuse(dice.choice(phones), 486)
            case 7 | 8 if greeted := [leg for leg in up if GREETING_PLAY in self._plays(leg)]:
                house.media.finish_play(GREETING_PLAY, of=house.call_id(dice.choice(greeted)))
            case 7 | 8 if outside:
                leg = dice.choice(outside)
                if dice.random() < 0.5:
                    house.signalling.answer_phone(leg)
                else:
                    house.signalling.refuse(leg, 486)
            case 9 if up:
                house.signalling.far_end_hangs_up(dice.choice(up))
            case 10:
                await house.sign_in(dice.choice(AGENTS))
            case 11 if dice.random() < 0.15:
                self._look()
                self._seen = 0
                self.dead.append(house)
                self.house = await open_house(site=self.site, flow=self.flow, journal=house.journal)
                await self.house.sign_in(*AGENTS)
            case _:
                await pass_seconds(dice.choice((1, 5, 20, 61)))

    def _plays(self, leg: FakeLeg) -> Collection[str]:
        call_id = self.house.core.switchboard._call_of_leg.get(leg.leg_id, "")
        session = self.house.media.sessions.get(call_id)
        return () if session is None else session.plays

    def _outside(self) -> list[FakeLeg]:
        return [self.house.signalling.legs[leg_id] for leg_id, _, _ in self.house.signalling.dialled]

    def _look(self) -> None:
        """No two dials to one customer at once, none to who is on the line, no more dials than agents; count the new
        ones."""
        signalling = self.house.signalling
        still = {leg.caller for leg in signalling.legs.values() if leg.caller and leg.state == "answered"}
        new = {number for _, number, _ in signalling.dialled[self._seen :]}
        assert not new & self._on_line & still, "a dial to a customer who is on the line"
        self._on_line = frozenset(still)
        there = [number for leg_id, number, _ in signalling.dialled if signalling.legs[leg_id].state != "ended"]
        ringing = [number for leg_id, number, _ in signalling.dialled if signalling.legs[leg_id].state == "offered"]
        if self.site.queues[0].callback_order == "agent":  # with whoever answered an agent talks
            ringing = there
        assert max(Counter(ringing).values(), default=0) <= 1, "two dials to one customer"
        assert len(ringing) <= len(AGENTS), "more dials than agents"
        self.dials.update(number for _, number, _ in signalling.dialled[self._seen :])
        self._seen = len(signalling.dialled)

    def _settle_accounts(self) -> None:
        asked = [entry for entry in self.house.journal.entries if isinstance(entry, CallbackRequested)]
        closed = Counter(entry.call_id for entry in self.house.journal.entries if isinstance(entry, CallbackClosed))
        assert set(closed) <= {each.call_id for each in asked}
        assert max(closed.values(), default=0) <= 1, "a callback was closed twice"
        still_open = Counter(each.caller for each in asked if each.call_id not in closed)
        assert max(still_open.values(), default=0) <= 1, "two callbacks for one customer"
        attempts = self.site.queues[0].callback_attempts
        for number, count in self.dials.items():
            promised = sum(each.caller == number for each in asked)
            assert count <= attempts * promised, "more dials than promised, whoever was killed"

    def reached(self) -> int:
        """How many customers were spoken to."""
        results = [entry.result for entry in self.house.journal.entries if isinstance(entry, CallbackClosed)]
        return results.count(CallbackResult.REACHED)

    def asked(self) -> int:
        """How many callbacks were promised."""
        return sum(isinstance(entry, CallbackRequested) for entry in self.house.journal.entries)
