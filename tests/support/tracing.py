"""The SIP messages of a running installation, as `callcenter sip trace` shows them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.installation import Installation

LONGEST_LINE = 1_000_000


@dataclass(slots=True)
class Trace:
    """What came and went since the trace began, oldest first."""

    messages: list[dict[str, object]] = field(default_factory=list)

    def came(self, line: str) -> list[dict[str, object]]:
        """The messages that reached us and whose start line begins so."""
        return [each for each in self.messages if not each["outgoing"] and str(each["line"]).startswith(line)]

    def went(self, line: str) -> list[dict[str, object]]:
        """The messages that left us and whose start line begins so."""
        return [each for each in self.messages if each["outgoing"] and str(each["line"]).startswith(line)]


@asynccontextmanager
async def tracing(house: Installation) -> AsyncIterator[Trace]:
    """Listen to the exchange's trace."""
    reader, writer = await asyncio.open_unix_connection(house.settings.sip_trace_socket, limit=LONGEST_LINE)
    trace = Trace()

    async def listen() -> None:
        while line := await reader.readline():
            trace.messages.append(json.loads(line))

    listening = asyncio.create_task(listen(), name="trace")
    try:
        yield trace
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        writer.close()


def header(message: dict[str, object], name: str) -> str:
    """A header of a traced message, empty when it has none."""
    lines = message["headers"]
    assert isinstance(lines, list)
    found = [each for each in lines if each.lower().startswith(f"{name.lower()}:")]
    return found[0].partition(":")[2].strip() if found else ""
