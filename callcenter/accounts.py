"""Who may sign in: the people of the site file. Passwords are argon2id hashes."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent_console.ports import Principal, Role
from callcenter.site.models import AgentModel, Site


def hash_password(password: str) -> str:
    """An argon2id hash with the library's present parameters (RFC 9106)."""
    return PasswordHasher().hash(password)


@cache
def _nobody() -> str:
    """A hash that no password fits, so that an unknown login takes as long as a known one."""
    return hash_password("nobody has this password")


class SiteAccounts:
    """Implements the console's ``Accounts`` port from the site.

    An account of the role ``integration`` opens nothing, neither by its password nor by a session from before: a
    program comes in with a token, which is narrowed, expires and is revoked on its own.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        people = [agent for agent in site.agents if Role.INTEGRATION not in agent.roles]
        self._by_login = {agent.login: agent for agent in people}
        self._by_id = {agent.id: agent for agent in people}
        self._hasher = PasswordHasher()

    async def verify(self, login: str, password: str) -> Principal | None:
        """The person with this login and password; see the port."""
        agent = self._by_login.get(login)
        fits = await asyncio.to_thread(self._fits, agent.password_hash if agent else _nobody(), password)
        return principal_of(agent, self._site) if agent is not None and fits else None

    async def find(self, user_id: str) -> Principal | None:
        """The person with this id."""
        agent = self._by_id.get(user_id)
        return None if agent is None else principal_of(agent, self._site)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def principal_of(agent: AgentModel, site: Site) -> Principal:
    """A person of the site as the console knows people."""
    led = site.led_by(agent)
    return Principal(
        user_id=agent.id,
        name=agent.name,
        roles=frozenset(Role(role) for role in agent.roles),
        agent_id=agent.id if agent.queues else None,
        queue_ids=frozenset(agent.queues),
        language=agent.language,
        teams=frozenset(agent.teams),
        led_agents=led,
        led_queues=frozenset(queue_id for each in site.agents if each.id in led for queue_id in each.queues),
    )
