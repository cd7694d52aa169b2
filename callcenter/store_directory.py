"""What exchange and desk ask of the customer store: who calls, who somebody is, and whether a number may be called."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from agent_console.ports import IntentError
from callcenter.ports import Answer, Leave, Match
from crm_bridge.consents import check_contact, clear_for_contact, contact_zones, override_hours
from crm_bridge.contact_rules import BY_HAND, CALLBACK, Against, Contactability
from crm_bridge.customers import get_customer
from crm_bridge.database import Database
from crm_bridge.errors import CrmError, NotContactable
from crm_bridge.familiar_agents import FamiliarAgents, familiar_agents
from crm_bridge.matching import lookup_parsed, party_of
from crm_bridge.models.base import utc_now
from crm_bridge.phone_numbers import normal_forms

log = structlog.get_logger(__name__)

CLEARANCE_SECONDS = 2.0
GRANTED_FOR = timedelta(minutes=2)
_CANNOT_TELL = "Whether this number may be called cannot be told now; try again in a moment."


@dataclass(frozen=True, slots=True)
class HandRules:
    """How quiet hours hold for what agents dial: whether at all, and who may override them."""

    keeps_hours: bool = True
    may_override: frozenset[str] = frozenset()


class StoreDirectory:
    """Answers from the customer store what the exchange and the desk ask of it."""

    def __init__(
        self,
        database: Database,
        *,
        region: str,
        own_numbers: frozenset[str],
        hands: HandRules = HandRules(),
        now: Callable[[], datetime] = utc_now,
        patience_seconds: float = CLEARANCE_SECONDS,
    ) -> None:
        """``patience_seconds``: how long the store may think about whether a number may be called."""
        self._database = database
        self._region = region
        self._own_numbers = own_numbers
        self._hands = hands
        self._now = now
        self._patience_seconds = patience_seconds
        self._granted: dict[tuple[str, str], datetime] = {}
        """Until when an agent answers for the hour, by agent and number in its normal form."""

    async def match(self, number: str) -> Match:
        """Who has this number; ``unavailable`` while the store does not answer."""
        party = party_of(number, self._region, self._own_numbers)
        if party.normal_form is None:
            return Match("none")
        try:
            async with self._database.glance() as connection:
                found = await lookup_parsed(connection, party)
                only = found.candidates[0] if found.only_customer_id is not None else None
                familiar = FamiliarAgents() if only is None else await familiar_agents(connection, only.customer_id)
        except CrmError as error:
            log.warning("customer lookup failed", error=str(error))
            return Match("unavailable")
        return Match(
            found.state,
            tuple(str(each.customer_id) for each in found.candidates),
            None if only is None else only.display_name,
            None if only is None else only.preferred_language,
            None if only is None else only.level,
            familiar.owner,
            familiar.last,
        )

    async def who_is(self, customer_id: str) -> tuple[str, str]:
        """A customer's name and the code of the level, empty for none. Raises ``IntentError`` when there is no such
        customer, or no store to ask."""
        try:
            async with self._database.read() as session:
                customer = await get_customer(session, int(customer_id))
                return customer.display_name, customer.level or ""
        except (CrmError, ValueError) as error:
            raise IntentError("unknown-customer", "This customer could not be found; search again.") from error

    async def may_call_back(self, number: str) -> Leave:
        """Whether somebody who asked for it may be called back; ``unknown`` while the store does not answer."""
        asked: dict[str, Any] = {"channel": "voice", "region": self._region}
        try:
            async with self._database.read() as session:
                found = await check_contact(session, number, purpose=CALLBACK, now=self._now(), **asked)
                zones = await contact_zones(session, number, **asked)
        except CrmError as error:
            log.warning("leave to call back not found", error=str(error))
            return Leave()
        against = tuple(str(reason) for reason in found.reasons if reason is not Against.NOT_REACHABLE)
        return Leave(Answer.NO if against else Answer.YES, against, tuple(zones))

    async def may_dial(self, agent_id: str, number: str) -> Leave:
        """Whether an agent may dial a number now; ``unknown`` while the store does not answer.

        A no has the code ``not-contactable`` when the customer or the do-not-call list says it; when only the hour
        does, ``quiet-hours`` for those who may override that and ``quiet-hours-firm`` for the others. What is no
        customer's number in any form is for the exchange's own dialling rules to judge.
        """
        now = self._now()
        asked: dict[str, Any] = {"channel": "voice", "purpose": BY_HAND, "now": now, "region": self._region}
        answered_for = not self._hands.keeps_hours or self._granted.get((agent_id, self._form(number)), now) > now
        try:
            async with asyncio.timeout(self._patience_seconds), self._database.read() as session:
                try:
                    await clear_for_contact(session, number, **asked, whatever_the_hour=answered_for)
                except NotContactable:
                    decision = await check_contact(session, number, **asked)
                else:
                    return Leave(Answer.YES)
        except (CrmError, TimeoutError) as error:
            log.warning("leave to dial not found", error=str(error))
            return Leave()
        against = tuple(str(reason) for reason in decision.reasons)
        if against == (Against.NOT_REACHABLE,):
            return Leave(Answer.YES)
        code, text = "not-contactable", f"This number must not be called: {', '.join(against)}."
        if decision.is_of_the_clock:
            code, text = self._of_the_clock(agent_id, decision)
        return Leave(Answer.NO, against, code=code, text=text)

    async def override_hours(self, agent_id: str, number: str, reason: str) -> None:
        """An agent takes it upon themselves to call this number now; written down, and good for two minutes.

        Raises ``IntentError`` when they may not, or when it is not only the hour.
        """
        if agent_id not in self._hands.may_override:
            raise IntentError("not-allowed", "Your role does not allow this.")
        now = self._now()
        asked: dict[str, Any] = {"actor_id": agent_id, "purpose": BY_HAND, "now": now, "region": self._region}
        try:
            async with asyncio.timeout(self._patience_seconds), self._database.begin() as session:
                await override_hours(session, number, reason, **asked)
        except NotContactable as error:
            raise IntentError("not-contactable", f"This number must not be called: {error}.") from error
        except (CrmError, TimeoutError) as error:
            raise IntentError("not-contactable", _CANNOT_TELL) from error
        self._granted = {key: until for key, until in self._granted.items() if until > now}
        self._granted[agent_id, self._form(number)] = now + GRANTED_FOR

    def _form(self, number: str) -> str:
        """A number as it is compared, however it was dialled."""
        return next(iter(normal_forms((number,), self._region)), number)

    def _of_the_clock(self, agent_id: str, decision: Contactability) -> tuple[str, str]:
        first, last = (f"{decision.local_times[place]:%H:%M}" for place in (0, -1))
        times = first if first == last else f"{first} to {last}"
        text = f"It is {times} where the customer is: {', '.join(decision.reasons)}."
        return ("quiet-hours" if agent_id in self._hands.may_override else "quiet-hours-firm"), text
