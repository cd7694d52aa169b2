"""The simulated customers: one process, real SIP calls from the demo's trunk address with real RTP.

Each call prints one JSON line when it is over: who called, what was meant to happen, what happened, whether the agent
was heard. ``--calls N`` makes that many calls as fast as the floor allows and ends; without it they come at a human
rhythm until the process is ended.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
from dataclasses import dataclass
from enum import StrEnum

from callcenter.calls.legs import EndCause
from callcenter.demo.company import SERVICE_NUMBER, TRUNK_HOST
from callcenter.media.endpoint import RtpEndpoint
from callcenter.nursery.kinship import die_with_parent
from callcenter.sip.phone import CallRefused, PhoneCall, SoftPhone

AGENT_TONE_HZ = 620.0
CALLER_TONE_HZ = 440.0
ANSWER_SECONDS = 10.0


class Intent(StrEnum):
    """What a customer means to do."""

    TALK = "talk"
    """Wait for an agent, however long it takes, and talk."""
    LEAVE_IN_QUEUE = "leave_in_queue"
    """Give up after a short wait, unless an agent was faster."""
    LEAVE_IN_FLOW = "leave_in_flow"
    """Hang up while the menu speaks."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a customer behaves, in seconds."""

    before_key: tuple[float, float]
    talk: tuple[float, float]
    patience: float
    """How long one who means to talk waits before giving up."""
    short_patience: float
    """How long one who means to give up waits."""


HUMAN = Manner(before_key=(2.5, 7.0), talk=(12.0, 40.0), patience=180.0, short_patience=12.0)
FAST = Manner(before_key=(0.1, 0.3), talk=(0.6, 1.2), patience=120.0, short_patience=5.0)


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call to be made."""

    number: str
    intent: Intent
    keys: str


@dataclass(slots=True)
class Result:
    """What came of a call."""

    number: str
    intent: Intent
    answered: bool = False
    """Whether the contact center's flow answered."""
    heard_agent: bool = False
    failure: str = ""

    def line(self) -> str:
        """The result as one line of JSON."""
        return json.dumps(
            {
                "number": self.number,
                "intent": self.intent,
                "answered": self.answered,
                "heard_agent": self.heard_agent,
                "failure": self.failure,
            }
        )


def plan(numbers: list[str], count: int, seed: int) -> list[PlannedCall]:
    """``count`` calls, each from another number: mostly people who want to talk, some who give up on the way."""
    chance = random.Random(seed)  # noqa: S311 - manners, not secrets
    calls = []
    for index in range(count):
        number = numbers[index] if index < len(numbers) else f"+1646555{index:04d}"
        intent = Intent.TALK
        if index % 9 == 4:
            intent = Intent.LEAVE_IN_FLOW
        elif index % 7 == 5:
            intent = Intent.LEAVE_IN_QUEUE
        language = "2" if chance.random() < 0.3 else "1"
        calls.append(PlannedCall(number, intent, language + chance.choice("12")))
    return calls


class Customer:
    """One customer's call from dialling to the end."""

    def __init__(self, call: PlannedCall, manner: Manner, *, sip_port: int, seed: int) -> None:
        self._plan = call
        self._manner = manner
        self._server = ("127.0.0.1", sip_port)
        self._random = random.Random(f"{call.number}-{seed}")  # noqa: S311 - manners, not secrets

    async def call(self) -> Result:
        """Make the call and tell what came of it."""
        result = Result(self._plan.number, self._plan.intent)
        phone = SoftPhone(host=TRUNK_HOST, server=self._server, username=self._plan.number)
        await phone.start()
        endpoint = await RtpEndpoint.open(TRUNK_HOST)
        try:
            call = await phone.call(SERVICE_NUMBER, endpoint.sdp_offer())
            async with asyncio.timeout(ANSWER_SECONDS):
                endpoint.accept(await call.answered())
            result.answered = True
            endpoint.start(CALLER_TONE_HZ)
            await self._live(call, endpoint, result)
            await call.hang_up()
        except CallRefused as error:
            result.failure = f"refused with {error.status}"
        except TimeoutError:
            result.failure = "no answer"
        finally:
            await endpoint.close()
            await phone.stop()
        return result

    async def _live(self, call: PhoneCall, endpoint: RtpEndpoint, result: Result) -> None:
        ended = asyncio.ensure_future(call.ended())
        try:
            for key in self._plan.keys:
                if await self._wait(ended, self._between(self._manner.before_key)):
                    result.failure = "ended by the other side in the menu"
                    return
                if self._plan.intent is Intent.LEAVE_IN_FLOW:
                    return
                await endpoint.send_digits(key)
            await self._hear_agent(ended, endpoint, result)
        finally:
            ended.cancel()

    async def _hear_agent(self, ended: "asyncio.Future[EndCause]", endpoint: RtpEndpoint, result: Result) -> None:
        leaves = self._plan.intent is Intent.LEAVE_IN_QUEUE
        patience = self._manner.short_patience if leaves else self._manner.patience
        with contextlib.suppress(TimeoutError):
            await endpoint.wait_heard(AGENT_TONE_HZ, timeout=patience)
            result.heard_agent = True
        if result.heard_agent:
            await self._wait(ended, self._between(self._manner.talk))
        elif not leaves:
            result.failure = "no agent was heard"

    async def _wait(self, ended: "asyncio.Future[EndCause]", seconds: float) -> bool:
        """Wait; true when the call ended meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(ended)
                return True
        return False

    def _between(self, bounds: tuple[float, float]) -> float:
        return self._random.uniform(*bounds)


async def call_fast(arguments: argparse.Namespace, numbers: list[str]) -> None:
    """Make all calls, ``--at-once`` of them at a time."""
    places = asyncio.Semaphore(arguments.at_once)

    async def one(call: PlannedCall) -> None:
        async with places:
            _report(await Customer(call, FAST, sip_port=arguments.sip_port, seed=arguments.seed).call())

    async with asyncio.TaskGroup() as group:
        for call in plan(numbers, arguments.calls, arguments.seed):
            group.create_task(one(call))


async def call_for_ever(arguments: argparse.Namespace, numbers: list[str]) -> None:
    """Calls at a human rhythm: exponential pauses of ``--pause`` seconds on average."""
    chance = random.Random(arguments.seed)  # noqa: S311 - manners, not secrets
    busy: set[str] = set()

    async def one(call: PlannedCall) -> None:
        busy.add(call.number)
        _report(await Customer(call, HUMAN, sip_port=arguments.sip_port, seed=chance.randrange(1 << 30)).call())
        busy.discard(call.number)

    async with asyncio.TaskGroup() as group:
        while True:
            free = [number for number in numbers if number not in busy]
            (call,) = plan([chance.choice(free)], 1, chance.randrange(1 << 30))
            intent = chance.choices(list(Intent), weights=(8, 1, 1))[0]
            group.create_task(one(PlannedCall(call.number, intent, call.keys)))
            await asyncio.sleep(chance.expovariate(1 / arguments.pause))


def _report(result: Result) -> None:
    sys.stdout.write(result.line() + "\n")
    sys.stdout.flush()


async def main(arguments: argparse.Namespace) -> None:
    """Make the calls."""
    numbers = arguments.numbers.split(",")
    await (call_fast(arguments, numbers) if arguments.calls else call_for_ever(arguments, numbers))


def parse_arguments() -> argparse.Namespace:
    """The process's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", required=True, help="numbers to call from")
    parser.add_argument("--sip-port", type=int, required=True)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--pause", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(parse_arguments()))
