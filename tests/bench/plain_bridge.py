"""A plain bridged call through our SIP front end: what comes from the caller's trunk is called at the other trunk.

``python -m tests.bench.plain_bridge PORT GATEWAY_PORT [LAG_MS [SLOWER]]`` serves until it is ended.
No media, no routing: what ``b2bua_simple`` of sippy does. ``SLOWER`` is how many times as long as on this machine each
message and each timer takes.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import uvloop

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegEvent, LegOffered, LegRefused, LegRinging
from callcenter.clock import SystemClock
from callcenter.ports import TrunkPolicy
from callcenter.sip.admission import MAX_LAG_MS
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.settings import SipSettings
from callcenter.sip.standing_delay import ServiceTime
from callcenter.sip.station import Station
from callcenter.sip.trunks import Trunk
from callcenter.sip.user_agent import UserAgent
from tests.bench.sipp_load import CALLER_HOST

WAY_OUT = TrunkPolicy(("gateway",))


class NoPhones:
    """Implements ``Credentials``: nobody may register."""

    def ha1(self, username: str, algorithm: str) -> str | None:
        """Nobody's."""
        del username, algorithm
        return None

    def agent_of(self, username: str) -> str | None:
        """Nobody's."""
        del username
        return None

    def media_rule(self, agent_id: str) -> MediaRule:
        """As by default."""
        del agent_id
        return MediaRule()


class Bridge:
    """Two legs for each call."""

    def __init__(self, port: int, gateway_port: int, max_lag_ms: float) -> None:
        trunks = [
            Trunk("callers", (ip_network(f"{CALLER_HOST}/32"),)),
            Trunk("gateway", (), gateway="127.0.0.1", gateway_port=gateway_port, options_seconds=0),
        ]
        self.agent = UserAgent(
            clock=SystemClock(),
            sink=self._take,
            settings=SipSettings(port=port, max_legs=100_000, max_lag_ms=max_lag_ms),
            directory=NoPhones(),
            trunks=trunks,
            secret=b"b" * 32,
        )
        self._others: dict[str, str] = {}

    def _take(self, event: LegEvent) -> None:
        if isinstance(event, LegOffered):
            leg_id = f"o{event.leg_id}"
            self._others[event.leg_id], self._others[leg_id] = leg_id, event.leg_id
            self.agent.dial(leg_id, event.called.number, WAY_OUT, caller=event.caller, sdp=event.sdp)
        elif isinstance(event, LegRinging):
            if (other := self._others.get(event.leg_id)) is not None:
                self.agent.ring(other)
        elif isinstance(event, LegAnswered):
            if (other := self._others.get(event.leg_id)) is not None:
                self.agent.answer(other, event.sdp)
        elif isinstance(event, LegEnded | LegRefused) and (other := self._others.pop(event.leg_id, None)):
            self._others.pop(other, None)
            self.agent.end(other, EndCause.NORMAL)


def slowed(work: Callable[..., Any], times: int) -> Callable[..., Any]:
    """The same work by a processor so many times slower: the time that it took is spent again."""

    def work_slowly(*arguments: Any) -> Any:
        begun = time.thread_time()
        done = work(*arguments)
        enough = begun + times * (time.thread_time() - begun)
        while time.thread_time() < enough:
            pass
        return done

    return work_slowly


async def main(port: int, gateway_port: int, max_lag_ms: float = MAX_LAG_MS, slower: int = 1) -> None:
    """Serve until SIGTERM."""
    if slower > 1:
        took = ServiceTime.took
        for name in ("_receive", "_ring"):
            setattr(Station, name, slowed(getattr(Station, name), slower))
        setattr(ServiceTime, "took", lambda service, milliseconds: took(service, milliseconds * slower))  # noqa: B010
    bridge = Bridge(port, gateway_port, max_lag_ms)
    await bridge.agent.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await bridge.agent.stop()


if __name__ == "__main__":
    uvloop.run(main(*(int(each) for each in sys.argv[1:])))
