"""The whole exchange under virtual time: real routing, calls, flow, floor and desk; fakes only at the ports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acd.engine import Acd
from agent_console.messages import AgentView, ContactView, QueueView
from callcenter.calls.facts import CallClosed, CallRecord
from callcenter.calls_out import resume_caps
from callcenter.exchange_core import ExchangeCore, ExchangePorts, new_floor
from callcenter.floor.fold import FloorFold
from callcenter.payments.fields import CardField
from callcenter.payments.port import Payments
from callcenter.ports import Allowed, Answer, Leave, Match, Refused, TrunkPolicy
from callcenter.recovery import recover
from callcenter.sip.numbering import NumberingRules
from callcenter.site.models import Site
from ivr.effects import PromptText
from ivr.flows import demo_flow_text
from ivr.parser import parse_flow
from tests.support.fake_media import FakeMedia
from tests.support.fake_signalling import FakeLeg, FakeSignalling
from tests.support.memory_journal import MemoryJournal, MemoryJournalReader
from tests.support.virtual_time import FakeClock, pass_seconds, settle

SERVICE_NUMBER = "+12025550100"
CUSTOMER = "customer"
"""The customer's leg in a media session."""


def small_site(*, ring_seconds: int = 15, wrap_up_seconds: int = 30, ring: str = "one") -> Site:
    """Two queues, three agents."""
    queue = {
        "ring_seconds": ring_seconds, "wrap_up_seconds": wrap_up_seconds, "ring": ring, "ring_next_seconds": 5,
    }  # fmt: skip

    def agent(agent_id: str, queues: Sequence[str], **skills: int) -> dict[str, Any]:
        return {
            "id": agent_id, "name": agent_id.title(), "login": agent_id, "password_hash": "-",
            "queues": queues, "skills": skills,
        }  # fmt: skip

    return Site.model_validate(
        {
            "company": "Test",
            "queues": [{"id": "sales", "name": "Sales", **queue}, {"id": "support", "name": "Support", **queue}],
            "agents": [
                agent("anna", ["sales", "support"], en=2),
                agent("ben", ["sales"], en=1),
                agent("chen", ["support"], zh=3),
            ],
            "trunks": [{"id": "trunk", "addresses": ["127.0.0.2"]}],
            "numbers": [{"number": SERVICE_NUMBER, "flow": "main"}],
            "flows": [{"id": "main", "file": "builtin:demo"}],
        }
    )


class FakeDirectory:
    """Implements ``CustomerDirectory``; ``delay`` seconds before each answer."""

    def __init__(self) -> None:
        self.matches: dict[str, Match] = {}
        self.leaves: dict[str, Leave] = {}
        self.dial_leaves: dict[str, Leave] = {}
        self.dial_asked: list[tuple[str, str]] = []
        """Of whom it was asked whether an agent may call them: agent, number."""
        self.asked: list[str] = []
        """Of whom it was asked whether they may be called back."""
        self.delay = 0.0

    async def match(self, number: str) -> Match:
        """Who has this number."""
        await pass_seconds(self.delay)
        return self.matches.get(number, Match("none"))

    async def may_call_back(self, number: str) -> Leave:
        """Whether this number may be called back; yes unless said otherwise."""
        self.asked.append(number)
        await pass_seconds(self.delay)
        return self.leaves.get(number, Leave(Answer.YES))

    async def may_dial(self, agent_id: str, number: str) -> Leave:
        """Whether this number may be dialled; yes unless said otherwise."""
        self.dial_asked.append((agent_id, number))
        await pass_seconds(self.delay)
        return self.dial_leaves.get(number, Leave(Answer.YES))


class FakePrompts:
    """Implements ``Prompts``: a prompt's path is its language and name."""

    async def path(self, prompt: PromptText) -> str:
        """Where the prompt would be."""
        return f"{prompt.language}/{prompt.name}.wav"


class FakeRules:
    """Implements ``OutboundRules``: calls within the own country by the one trunk, and nothing else."""

    def __init__(self) -> None:
        self.checked: list[tuple[str, str]] = []

    def check(self, agent_id: str, number: str, at: int) -> Allowed | Refused:
        """Whether this may be called."""
        del at
        self.checked.append((agent_id, number))
        digits = number.removeprefix("+")
        if not digits.isdigit() or not digits.startswith("1"):
            return Refused("destination_denied", "Not there.")
        return Allowed(f"+{digits}", TrunkPolicy(("trunk",)))

    def withdraw(self, policy: TrunkPolicy) -> None:
        """Nothing is counted."""


@dataclass(slots=True)
class House:
    """One exchange and what surrounds it."""

    core: ExchangeCore
    clock: FakeClock
    journal: MemoryJournal
    signalling: FakeSignalling
    media: FakeMedia
    directory: FakeDirectory
    fatal: list[BaseException]

    async def sign_in(self, *agent_ids: str) -> None:
        """Agents with a registered phone sign in and go ready, in this order."""
        for agent_id in agent_ids:
            self.signalling.registered.add(agent_id)
            self.core.on_registration(agent_id, True)
            await self.core.desk.sign_in(agent_id)
            await self.core.desk.ready(agent_id)
        await settle()

    async def call(self, caller: str = "+12025550111") -> FakeLeg:
        """A customer calls the service number and is answered by the flow."""
        leg = self.signalling.customer_calls(caller, SERVICE_NUMBER)
        await settle()
        return leg

    async def hear_out(self, leg: FakeLeg) -> None:
        """Let every prompt of this call play to its end, until the flow waits for the customer."""
        while prompts := [play for play in self.session(leg).plays if play != "music"]:
            self.media.finish_play(prompts[0], of=self.call_id(leg))
            await settle()

    async def press(self, leg: FakeLeg, digits: str) -> None:
        """The customer presses keys, hearing each prompt out first."""
        for digit in digits:
            await self.hear_out(leg)
            self.core.switchboard.on_media_event(self.digit(leg, digit))
            await settle()
        await self.hear_out(leg)

    def digit(self, leg: FakeLeg, digit: str) -> Any:
        """A digit on the customer's leg."""
        from callcenter.ports import DigitPressed

        return DigitPressed(self.call_id(leg), CUSTOMER, digit)

    async def queue_call(self, caller: str = "+12025550111", digits: str = "11") -> FakeLeg:
        """A customer calls and presses through to a queue (11: English, sales)."""
        leg = await self.call(caller)
        await self.press(leg, digits)
        return leg

    async def answer(self, agent_id: str) -> FakeLeg:
        """The agent's ringing phone is answered."""
        leg = self.signalling.ringing_phone(agent_id)
        assert leg is not None, f"{agent_id}'s phone does not ring"
        self.signalling.answer_phone(leg)
        await settle()
        return leg

    async def hang_up(self, leg: FakeLeg) -> None:
        """The far end of a leg hangs up."""
        self.signalling.far_end_hangs_up(leg)
        await settle()

    def call_id(self, leg: FakeLeg) -> str:
        """The call a customer's leg belongs to."""
        return self.core.switchboard._call_of_leg[leg.leg_id]

    def session(self, leg: FakeLeg) -> Any:
        """The media session of a customer's leg."""
        return self.media.sessions[self.call_id(leg)]

    def agent(self, agent_id: str) -> AgentView:
        """An agent on the floor."""
        found = self.core.floor.agent(agent_id)
        assert found is not None
        return found

    def contacts(self) -> tuple[ContactView, ...]:
        """The contacts on the floor."""
        return self.core.floor.view().contacts

    def queue(self, queue_id: str) -> QueueView:
        """A queue on the floor."""
        return next(queue for queue in self.core.floor.view().queues if queue.queue_id == queue_id)

    def records(self) -> list[CallRecord]:
        """The closed calls, in order."""
        return [entry.record for entry in self.journal.entries if isinstance(entry, CallClosed)]


def keep_alive(core: ExchangeCore) -> None:
    """Let an exchange last as long as its loop, also when a test goes on with the next: loops hold tasks weakly."""
    import asyncio

    loop = asyncio.get_running_loop()
    vars(loop).setdefault("exchanges", []).append(core)


async def open_house(
    *,
    site: Site | None = None,
    journal: MemoryJournal | None = None,
    flow: str | None = None,
    loop: Any = None,
    rules: NumberingRules | None = None,
    payments: Payments | None = None,
    card_prompts: Mapping[CardField, Mapping[str, str]] = {},
) -> House:
    """An exchange that serves; give it an earlier one's journal to let it come back from that, a flow to run that,
    rules to call out by those.

    It goes on in a copy, because the dead do not write.
    """
    import asyncio

    site = site or small_site()
    journal = MemoryJournal(journal.rows if journal is not None else ())
    clock = FakeClock(loop or asyncio.get_running_loop())
    signalling, directory = FakeSignalling(), FakeDirectory()
    fatal: list[BaseException] = []
    floor: FloorFold = new_floor(site)
    recovered = recover(MemoryJournalReader(journal), floor)
    if rules is not None:
        resume_caps(rules, MemoryJournalReader(journal), clock.now())

    def on_media(event: Any) -> None:
        core.switchboard.on_media_event(event)

    def on_recording(event: Any) -> None:
        core.recording_ledger.tell(event)

    media = FakeMedia(on_media, recording_sink=on_recording)
    core = ExchangeCore(
        ports=ExchangePorts(
            clock, journal, signalling, media, directory, FakePrompts(), rules or FakeRules(), payments
        ),
        card_prompts=card_prompts,
        site=site,
        flows={"main": parse_flow(flow or demo_flow_text(), source="house")},
        music="music.wav",
        ringing="ringing.wav",
        beep="beep.wav",
        engine=recovered.engine if journal.rows else Acd(),
        floor=floor,
        recordings=Path("/recordings"),
        messages=recovered.messages,
        items=recovered.items,
        work=recovered.work,
        on_fatal=fatal.append,
    )
    signalling.sink = core.switchboard.on_leg_event
    keep_alive(core)
    await core.start(recovered.orphans, recovered.callbacks, recovered.plans)
    return House(core, clock, journal, signalling, media, directory, fatal)
