"""The parts of one console, put together once and reached by every route."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from agent_console.explanations import Explanations
from agent_console.live import ConsoleHub
from agent_console.opening_hours import OpeningHours
from agent_console.ports import Accounts, Desk, DeskSettings, Floor, Tokens
from agent_console.sessions import Sessions
from agent_console.throttle import RequestRates, SignInThrottle


@dataclass(frozen=True, slots=True)
class Console:
    """Everything a route needs. ``clock`` tells milliseconds since the epoch."""

    accounts: Accounts
    desk: Desk
    floor: Floor
    settings: DeskSettings
    sessions: Sessions
    throttle: SignInThrottle
    hub: ConsoleHub
    clock: Callable[[], int]
    password_checks: asyncio.Semaphore
    """How many passwords may be verified side by side."""
    explanations: Explanations | None = None
    """``None`` where no decisions are kept."""
    opening_hours: OpeningHours | None = None
    tokens: Tokens | None = None
    """``None`` where no programs come in."""
    program_rates: RequestRates = field(default_factory=lambda: RequestRates(burst=100, per_second=20))
    wrong_token_rates: RequestRates = field(default_factory=lambda: RequestRates(burst=20, per_second=1))
    """By address."""


def console_of(connection: HTTPConnection) -> Console:
    """The console that serves this request or socket."""
    return cast("Console", connection.app.state.console)
