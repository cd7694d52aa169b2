"""The simulated agents: one process, a SIP phone and a console for each.

Each answers after a moment, talks until the customer or patience ends it, and wraps up. What the phones heard is
printed as one JSON line for each conversation, for whoever started the process.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
from dataclasses import dataclass

from callcenter.demo.company import PASSWORD_VARIABLE, PHONE_HOST
from callcenter.demo.console_client import ConsoleClient, IntentRefusedError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.nursery.kinship import die_with_parent
from callcenter.sip.phone import PhoneCall, SoftPhone

AGENT_TONE_HZ = 620.0
CALLER_TONE_HZ = 440.0
DISPOSITIONS = ("solved", "order", "follow-up")
NOTES = ("Explained the invoice.", "Changed the delivery address.", "Will be called back on Monday.", "")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How fast an agent works, in seconds."""

    answer_after: tuple[float, float]
    talk_at_most: float
    wrap_up: tuple[float, float]


HUMAN = Rhythm(answer_after=(1.5, 4.0), talk_at_most=120.0, wrap_up=(4.0, 9.0))
FAST = Rhythm(answer_after=(0.05, 0.15), talk_at_most=30.0, wrap_up=(0.0, 0.05))


class SimulatedAgent:
    """One agent: a phone that answers and a console that is ready whenever it may be."""

    def __init__(
        self, login: str, password: str, *, sip: tuple[str, int], web_url: str, rhythm: Rhythm, seed: int, phone: bool
    ) -> None:
        """``phone`` is false for an agent whose phone is somebody else's program."""
        self._login = login
        self._password = password
        self._sip = sip
        self._rhythm = rhythm
        self._random = random.Random(f"{login}-{seed}")  # noqa: S311 - manners, not secrets
        self._console = ConsoleClient(web_url, login, password)
        self._has_phone = phone

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._has_phone:
                group.create_task(self._serve_phone())
            group.create_task(self._console.run())
            group.create_task(self._serve_desk())

    async def _serve_phone(self) -> None:
        async with asyncio.TaskGroup() as group:
            phone = SoftPhone(
                host=PHONE_HOST,
                server=self._sip,
                username=self._login,
                password=self._password,
                display_name=self._login,
            )
            await phone.start()
            try:
                await phone.register(expires=120)
                while True:
                    group.create_task(self._talk(await phone.next_call()))
            finally:
                await phone.stop()

    async def _talk(self, call: PhoneCall) -> None:
        call.ring()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._between(self._rhythm.answer_after)):
                await call.ended()
                return
        endpoint = await RtpEndpoint.open(PHONE_HOST)
        try:
            call.answer(endpoint.sdp_answer(call.sdp))
            endpoint.start(AGENT_TONE_HZ)
            _report(agent=self._login, caller=call.caller.number, heard=await self._hears_caller(endpoint, call))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rhythm.talk_at_most):
                    await call.ended()
            await call.hang_up()
        finally:
            await endpoint.close()

    async def _hears_caller(self, endpoint: RtpEndpoint, call: PhoneCall) -> bool:
        """Listen until the caller's tone is heard or the call is over."""
        hearing = asyncio.ensure_future(endpoint.wait_heard(CALLER_TONE_HZ, timeout=self._rhythm.talk_at_most))
        ended = asyncio.ensure_future(call.ended())
        await asyncio.wait((hearing, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        heard = hearing.done() and hearing.exception() is None
        if not hearing.done():
            hearing.cancel()
        return heard

    async def _serve_desk(self) -> None:
        async for _ in self._console.changes():
            agent = self._console.agent
            if agent is None or not self._console.exchange_up:
                continue
            with contextlib.suppress(IntentRefusedError):
                if agent["state"] == "not_ready" and agent["phone_registered"]:
                    await self._console.intend("agent.ready")
                elif agent["state"] == "wrap_up" and agent["contact_id"]:
                    await asyncio.sleep(self._between(self._rhythm.wrap_up))
                    await self._console.intend(
                        "wrap_up.finish",
                        contact_id=agent["contact_id"],
                        disposition=self._random.choice(DISPOSITIONS),
                        notes=self._random.choice(NOTES),
                    )

    def _between(self, bounds: tuple[float, float]) -> float:
        return self._random.uniform(*bounds)


def _report(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


async def main(arguments: argparse.Namespace) -> None:
    """Run all agents until the process is ended."""
    rhythm = FAST if arguments.fast else HUMAN
    async with asyncio.TaskGroup() as group:
        for login in arguments.agents.split(","):
            agent = SimulatedAgent(
                login,
                os.environ[PASSWORD_VARIABLE],
                sip=("127.0.0.1", arguments.sip_port),
                web_url=f"http://127.0.0.1:{arguments.web_port}",
                rhythm=rhythm,
                seed=arguments.seed,
                phone=login not in arguments.foreign_phones.split(","),
            )
            group.create_task(agent.run())


def parse_arguments() -> argparse.Namespace:
    """The process's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", required=True)
    parser.add_argument("--foreign-phones", default="", help="agents whose phones are other programs")
    parser.add_argument("--sip-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fast", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(parse_arguments()))
