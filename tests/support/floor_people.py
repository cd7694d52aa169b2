"""People for whole-product tests: agents with a phone and a console, customers who call; each has a tone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from callcenter.calls.legs import EndCause
from callcenter.demo.console_client import ConsoleClient
from callcenter.media.codecs import NARROWBAND, Codec
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.phone import PhoneCall, RegistrationRefused, SoftPhone
from callcenter.sip.station import Tap
from tests.support.installation import CARRIER_HOST, PASSWORD, PHONE_HOST, SERVICE_NUMBER, Installation
from tests.support.waiting import PATIENCE, until

AGENT_HZ = 620.0
CUSTOMER_HZ = 440.0
HEARD_BEFORE_KEYS = 5
"""Frames before the first key: nobody is quicker, and a stream that begins with a key is taken for a stranger's."""
FRESH_FRAMES = 25
"""An endpoint recognises tones in its last 20 frames; after so many new ones all of them are new."""
ENTERING_AT_ONCE = 3
"""More people at the door than this, and the server asks some to come back in a second."""
UNREGISTER_SECONDS = 2.0
ENGLISH_SUPPORT = "12"
"""The menu's keys for English, then technical support."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One end of a call: its signalling and its sound."""

    call: PhoneCall
    sound: RtpEndpoint

    async def ended(self, *, within: float = 20.0) -> EndCause:
        """How the call ended, once it has. Raises ``TimeoutError``."""
        async with asyncio.timeout(within):
            return await self.call.ended()

    async def hang_up(self, *, within: float = 20.0) -> None:
        """Hang up. Raises ``TimeoutError`` when the far end does not confirm it."""
        async with asyncio.timeout(within):
            await self.call.hang_up()


class AgentPhone:
    """An agent's phone: registered, and answering at once unless told not to. An asynchronous context manager."""

    def __init__(
        self,
        house: Installation,
        login: str,
        *,
        answers: bool = True,
        speaks: bool = True,
        hangs_up_after: float | None = None,
        server: tuple[str, int] | None = None,
    ) -> None:
        """``answers``: pick up every call. ``speaks``: send a tone while talking, else only signalling is lived.
        ``hangs_up_after``: seconds of each talk, ``None`` for leaving its end to the customer. ``server``: where it
        registers when that is not the exchange itself."""
        self.login = login
        self.talks: list[Talk] = []
        """Every call that was answered here, oldest first."""
        self.ringing: asyncio.Queue[PhoneCall] = asyncio.Queue()
        """Calls that wait to be answered by the test."""
        self._phone = SoftPhone(
            host=PHONE_HOST, server=server or house.sip, username=login, password=PASSWORD, display_name=login
        )
        self._answers = answers
        self._speaks = speaks
        self._hangs_up_after = hangs_up_after
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._phone.start()
        await self.register()
        self._tasks.append(asyncio.create_task(self._serve_phone(), name=f"phone of {self.login}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch the phone off and say so, so that nobody is sent here; after a failure too, if that is quick."""
        with contextlib.suppress(TimeoutError, RegistrationRefused):
            async with asyncio.timeout(UNREGISTER_SECONDS):
                await self.unregister()
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for talk in self.talks:
            await talk.sound.close()
        await self._phone.stop()
        failed = [each for each in results if isinstance(each, Exception)]
        if failed and error is None:
            raise failed[0]

    def tap(self, tap: Tap) -> None:
        """Let ``tap`` see every message that comes to the phone or goes."""
        self._phone.tap(tap)

    async def register(self) -> None:
        """Tell the exchange where the phone is; again after the exchange forgot."""
        await self._phone.register(expires=300)

    async def unregister(self) -> None:
        """Tell the exchange that the phone is off."""
        await self._phone.register(expires=0)

    async def talking(self, number: int = 1, *, within: float = PATIENCE) -> Talk:
        """The ``number``-th call answered here, once it is."""
        await until(f"{self.login} answered {number} calls", lambda: len(self.talks) >= number, within=within)
        return self.talks[number - 1]

    async def rings(self, *, within: float = PATIENCE) -> PhoneCall:
        """The next call that waits to be answered."""
        async with asyncio.timeout(within):
            return await self.ringing.get()

    async def answer(self, call: PhoneCall) -> Talk:
        """Pick up."""
        talk = Talk(call, await RtpEndpoint.open(PHONE_HOST))
        self.talks.append(talk)
        call.on_reoffer = talk.sound.sdp_answer
        call.answer(talk.sound.sdp_answer(call.sdp))
        if self._speaks:
            talk.sound.start(AGENT_HZ)
        return talk

    async def _serve_phone(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                call = await self._phone.next_call()
                call.ring()
                if self._answers:
                    talk = await self.answer(call)
                    group.create_task(self._end(talk))
                else:
                    self.ringing.put_nowait(call)

    async def _end(self, talk: Talk) -> None:
        try:
            async with asyncio.timeout(self._hangs_up_after):
                await talk.call.ended()
        except TimeoutError:
            await talk.call.hang_up()
        await talk.sound.close()


class Seat(AgentPhone):
    """An agent at work: the phone, and a console that signs in, reconnects and resumes by itself."""

    def __init__(
        self,
        house: Installation,
        login: str,
        *,
        answers: bool = True,
        speaks: bool = True,
        hangs_up_after: float | None = None,
        server: tuple[str, int] | None = None,
    ) -> None:
        super().__init__(house, login, answers=answers, speaks=speaks, hangs_up_after=hangs_up_after, server=server)
        self.console = ConsoleClient(house.base_url, login, PASSWORD)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._tasks.append(asyncio.create_task(self.console.run(), name=f"console of {self.login}"))
        await until(f"{self.login} is signed in", lambda: self.state not in {"unknown", "offline"}, within=30)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.unregister()  # while the console can still see what comes of it
                await until(f"{self.login} gets no more calls", lambda: self.state not in {"ready", "offered"})
        finally:
            await super().__aexit__(kind, error, trace)

    @property
    def agent(self) -> dict[str, Any]:
        """The agent as the console was told last; empty before that."""
        return self.console.agent or {}

    @property
    def state(self) -> str:
        """The agent's state as the console was told last."""
        return str(self.agent.get("state", "unknown"))

    def contact(self, contact_id: str) -> dict[str, Any]:
        """A contact as the console was told of it last; empty before that and once it has gone."""
        return self.console.contacts.get(contact_id, {})

    async def until_state(self, *states: str, within: float = PATIENCE) -> None:
        """Wait until the console shows the agent in one of these states."""
        await until(f"{self.login} is {' or '.join(states)}", lambda: self.state in states, within=within)

    async def works_on(self, *, within: float = PATIENCE) -> str:
        """The contact at this seat, once the console is told of it. Where the phone answers by itself, once the console
        is told of that as well: it hears of it later, and nothing can be ordered while it rings."""

        def is_told() -> bool:
            return bool(self.agent.get("contact_id")) and not (self._answers and self.agent.get("state") == "offered")

        await until(f"the console of {self.login} has a contact", is_told, within=within)
        return str(self.agent["contact_id"])

    async def go_ready(self) -> None:
        """Ask for work, once the console knows of the phone."""
        await until(
            f"the console of {self.login} sees the phone",
            lambda: self.console.exchange_up and self.agent.get("phone_registered"),
        )
        await self.console.intend("agent.ready")
        await self.until_state("ready", "offered", "busy")


@asynccontextmanager
async def seats(
    house: Installation,
    count: int | None = None,
    *,
    answers: bool = True,
    speaks: bool = True,
    hangs_up_after: float | None = None,
) -> AsyncIterator[list[Seat]]:
    """The first ``count`` agents (all by default) at work and ready; see ``Seat`` for their manners."""
    async with contextlib.AsyncExitStack() as stack:
        taken = [
            Seat(house, login, answers=answers, speaks=speaks, hangs_up_after=hangs_up_after)
            for login in house.agents[:count]
        ]
        door = asyncio.Semaphore(ENTERING_AT_ONCE)

        async def enter(seat: Seat) -> None:
            async with door:
                await stack.enter_async_context(seat)

        await asyncio.gather(*(enter(seat) for seat in taken))
        await asyncio.gather(*(seat.go_ready() for seat in taken))
        yield taken


@asynccontextmanager
async def ready_at_console(house: Installation, login: str) -> AsyncIterator[ConsoleClient]:
    """An agent whose phone is a program of others: the console alone, signed in and ready once the phone is known."""
    console = ConsoleClient(house.base_url, login, PASSWORD)
    running = asyncio.create_task(console.run(), name=f"console of {login}")

    def agent() -> dict[str, Any]:
        return console.agent or {}

    try:
        await until(f"{login} sees the phone", lambda: console.exchange_up and agent().get("phone_registered"))
        await console.intend("agent.ready")
        await until(f"{login} is ready", lambda: agent().get("state") == "ready")
        yield console
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def calling(
    house: Installation,
    number: str,
    keys: str = ENGLISH_SUPPORT,
    *,
    server: tuple[str, int] | None = None,
    called: str = SERVICE_NUMBER,
    codecs: Sequence[Codec] = NARROWBAND,
    diverted_from: str = "",
) -> AsyncIterator[Talk]:
    """A customer's call over the trunk: answered by the flow, sound on, ``keys`` pressed. Ended at the end.

    ``server``: where the carrier sends it when that is not the exchange itself. ``codecs``: what the customer's phone
    offers, the preferred one first. ``diverted_from``: the number that was dialled and is forwarded to ours.
    """
    phone = SoftPhone(host=CARRIER_HOST, server=server or house.sip, username=number)
    await phone.start()
    sound = await RtpEndpoint.open(CARRIER_HOST, codecs=codecs)
    try:
        call = await phone.call(called, sound.sdp_offer(), diverted_from=diverted_from)
        async with asyncio.timeout(20):
            sound.accept(await call.answered())
        call.on_reoffer = sound.sdp_answer
        sound.start(CUSTOMER_HZ)
        await sound.wait_frames(HEARD_BEFORE_KEYS)
        await sound.send_digits(keys)
        yield Talk(call, sound)
    finally:
        await sound.close()
        await phone.stop()


async def hear_each_other(customer: Talk, agent: Talk, *, within: float = 20.0) -> None:
    """Both ends hear the other's tone in sound that comes after this moment."""
    await asyncio.gather(
        _hears(customer.sound, AGENT_HZ, within=within), _hears(agent.sound, CUSTOMER_HZ, within=within)
    )


async def _hears(sound: RtpEndpoint, frequency: float, *, within: float) -> None:
    await sound.wait_frames(FRESH_FRAMES, timeout=within)
    await sound.wait_heard(frequency, timeout=within)
