"""Every operation of a call in every situation an agent can be in: done, or refused with the code that README names.

The table under *Who may do what, when* in ``callcenter/README.md`` is read and walked cell by cell, so that it cannot
say anything else than what is so.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_console.messages import ContactState, RecordingState
from agent_console.ports import IntentError
from callcenter.calls.states import CallState
from callcenter.site.models import Site
from tests.support.conversations import both, end_clean, heard, talking
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

README = Path(__file__).parents[2] / "callcenter" / "README.md"
NUMBER, OTHER_NUMBER = "+12025550177", "+12025550188"
DONE = "done"


def site() -> Site:
    """Anna, ben and chen serve both queues, dora nothing but support; conversations are recorded; sofia supervises."""
    plain = small_site(wrap_up_seconds=0).model_dump()
    agents = [each | {"queues": ("sales",)} for each in plain["agents"]]
    agents.append(agents[0] | {"id": "dora", "name": "Dora", "login": "dora", "queues": ("support",)})
    agents.append(agents[0] | {"id": "sofia", "name": "Sofia", "login": "sofia", "queues": (), "roles": ["supervisor"]})
    return Site.model_validate(
        plain | {"agents": agents, "queues": [each | {"recording": "on"} for each in plain["queues"]]}
    )


@dataclass(slots=True)
class Scene:
    """Who is there: ``who`` orders about ``contact_id``, and ``far`` is at the other end, as ``heard`` names it."""

    house: House
    call: str
    who: str
    contact_id: str
    far: str
    legs: dict[str, FakeLeg]
    """The legs of who is there, by the name ``heard`` gives them."""
    asked: str = ""
    """The second party, as ``heard`` names it."""

    @property
    def state(self) -> CallState:
        return self.house.core.switchboard.calls[self.call].machine.state

    def hear(self) -> set[tuple[str, str]]:
        return heard(self.house, self.call)


# Situations.


async def customer(house: House) -> Scene:
    leg, phone, call = await talking(house)
    return Scene(house, call, "anna", call, CUSTOMER, {CUSTOMER: leg, "anna": phone})


async def on_hold(house: House) -> Scene:
    scene = await customer(house)
    await house.core.desk.hold("anna", scene.call)
    await settle()
    return scene


async def dialled(house: House) -> Scene:
    await house.core.desk.dial("anna", "number", NUMBER)
    await settle()
    phone = await house.answer("anna")
    far = await answer_outside(house)
    call = house.call_id(far)
    return Scene(house, call, "anna", call, CUSTOMER, {CUSTOMER: far, "anna": phone})


async def answer_outside(house: House) -> FakeLeg:
    leg = house.signalling.legs[house.signalling.dialled[-1][0]]
    house.signalling.answer_phone(leg)
    await settle()
    return leg


async def colleague_who_called(house: House) -> Scene:
    phone = house.signalling.phone_calls("anna", "ben")
    await settle()
    other = await house.answer("ben")
    call = house.call_id(phone)
    return Scene(house, call, "anna", call, "ben", {"anna": phone, "ben": other})


async def colleague_who_was_called(house: House) -> Scene:
    scene = await colleague_who_called(house)
    return Scene(house, scene.call, "ben", f"{scene.call}.2", "anna", scene.legs)


async def colleague_on_hold(house: House) -> Scene:
    scene = await colleague_who_was_called(house)
    await house.core.desk.hold("anna", scene.call)
    await settle()
    return scene


async def left_with_number(house: House) -> Scene:
    scene = await colleague_who_called(house)
    await house.core.desk.transfer("anna", scene.call, "number", NUMBER)
    await settle()
    far = await answer_outside(house)
    legs = {"ben": scene.legs["ben"], far.leg_id: far}
    return Scene(house, scene.call, "ben", f"{scene.call}.2", far.leg_id, legs)


async def number_then_chen(house: House) -> Scene:
    """Ben, who was left with a number outside, hands it on to chen."""
    scene = await left_with_number(house)
    await house.core.desk.transfer("ben", scene.contact_id, "agent", "chen")
    await settle()
    chen = await house.answer("chen")
    legs = {"chen": chen, scene.far: scene.legs[scene.far]}
    return Scene(house, scene.call, "chen", f"{scene.call}.4", scene.far, legs)


async def seeking(house: House) -> Scene:
    scene = await customer(house)
    await house.core.desk.consult("anna", scene.call, "number", NUMBER)
    await settle()
    return scene


async def asking(house: House) -> Scene:
    scene = await seeking(house)
    far = await answer_outside(house)
    scene.legs[far.leg_id], scene.asked = far, far.leg_id
    return scene


async def swapped(house: House) -> Scene:
    scene = await asking(house)
    await house.core.desk.swap("anna", scene.call)
    await settle()
    return scene


async def conference(house: House) -> Scene:
    scene = await asking(house)
    await house.core.desk.conference("anna", scene.call)
    await settle()
    return scene


async def asked(house: House) -> Scene:
    scene = await customer(house)
    await house.core.desk.consult("anna", scene.call, "agent", "ben")
    await settle()
    ben = await house.answer("ben")
    return Scene(house, scene.call, "ben", f"{scene.call}.2", "anna", scene.legs | {"ben": ben})


async def outside(house: House) -> Scene:
    scene = await asking(house)
    await house.core.desk.complete("anna", scene.call)
    await settle()
    return scene


SITUATIONS: dict[str, Callable[[House], Awaitable[Scene]]] = {
    "a customer": customer,
    "a customer on hold": on_hold,
    "a number that the agent called": dialled,
    "a colleague, called": colleague_who_called,
    "a colleague who called": colleague_who_was_called,
    "a colleague who has the agent on hold": colleague_on_hold,
    "a number that a colleague left": left_with_number,
    "that number, handed on once more": number_then_chen,
    "a customer, while a number rings": seeking,
    "a number asked, the customer waits": asking,
    "a customer, the number asked waits": swapped,
    "customer and number, all talk": conference,
    "a colleague who asks": asked,
    "nobody: the customer is with a number": outside,
}


# Operations: what is ordered, and what is then so.


async def hold(scene: Scene) -> None:
    await scene.house.core.desk.hold(scene.who, scene.contact_id)
    await settle()
    assert not {way for way in scene.hear() if scene.far in way}


async def resume(scene: Scene) -> None:
    await scene.house.core.desk.resume(scene.who, scene.contact_id)
    await settle()
    assert scene.hear() == both(scene.who, scene.far)


async def transfer(scene: Scene, kind: str) -> None:
    await scene.house.core.desk.transfer(scene.who, scene.contact_id, kind, target(scene, kind))
    await settle()
    who = await answer(scene, kind)
    assert scene.legs[scene.who].state == "ended"
    assert scene.hear() == both(who, scene.far)
    assert scene.house.agent(scene.who).contact_id != scene.contact_id


async def consult(scene: Scene, kind: str) -> None:
    await scene.house.core.desk.consult(scene.who, scene.contact_id, kind, target(scene, kind))
    await settle()
    second = await answer(scene, kind)
    assert scene.hear() == both(scene.who, second)


async def answer(scene: Scene, kind: str) -> str:
    if kind == "number":
        return (await answer_outside(scene.house)).leg_id
    who = {"agent": target(scene, "agent"), "queue": "dora"}[kind]
    await scene.house.answer(who)
    return who


def target(scene: Scene, kind: str) -> str:
    return "anna" if (scene.who, kind) == ("chen", "agent") else TARGETS[kind]


TARGETS = {"agent": "chen", "queue": "support", "number": OTHER_NUMBER}


async def complete(scene: Scene) -> None:
    await scene.house.core.desk.complete(scene.who, scene.contact_id)
    await settle()
    assert scene.legs[scene.who].state == "ended"
    assert scene.hear() == both(scene.asked, scene.far)


async def cancel(scene: Scene) -> None:
    await scene.house.core.desk.cancel(scene.who, scene.contact_id)
    await settle()
    assert scene.hear() == both(scene.who, scene.far)
    assert scene.state is CallState.TALKING


async def swap(scene: Scene) -> None:
    before = scene.hear()
    await scene.house.core.desk.swap(scene.who, scene.contact_id)
    await settle()
    assert scene.hear() != before


async def join_all(scene: Scene) -> None:
    await scene.house.core.desk.conference(scene.who, scene.contact_id)
    await settle()
    assert len(scene.hear()) == 6


async def park(scene: Scene) -> None:
    await scene.house.core.desk.park(scene.who, scene.contact_id)
    await settle()
    assert [each.park_slot for each in scene.house.contacts() if each.state is ContactState.PARKED] == ["701"]
    assert scene.legs[scene.who].state == "ended"


async def pause(scene: Scene) -> None:
    await scene.house.core.desk.pause_recording(scene.who, scene.contact_id)
    await settle()
    assert RecordingState.PAUSED in [each.recording for each in scene.house.contacts()]


async def digits(scene: Scene) -> None:
    await scene.house.core.desk.send_digits(scene.who, scene.contact_id, "12")
    await settle()
    (sent,) = [leg for leg in scene.house.media.sessions[scene.call].legs.values() if leg.digits]
    assert sent.digits == "12"


async def hang_up(scene: Scene) -> None:
    await scene.house.core.desk.hang_up(scene.who, scene.contact_id)
    await settle()
    assert scene.legs[scene.who].state == "ended"


async def end(scene: Scene) -> None:
    contact_id = next((each.contact_id for each in scene.house.contacts() if each.handed_out_by), scene.contact_id)
    await scene.house.core.desk.supervise("sofia", contact_id, "end")
    await settle()
    assert {leg.state for leg in scene.legs.values()} == {"ended"}


Operation = Callable[[Scene], Awaitable[None]]


def to(how: Callable[[Scene, str], Awaitable[None]], kind: str) -> Operation:
    async def operation(scene: Scene) -> None:
        await how(scene, kind)

    return operation


OPERATIONS: dict[str, tuple[Operation, ...]] = {
    "hold": (hold,),
    "resume": (resume,),
    "transfer": tuple(to(transfer, kind) for kind in TARGETS),
    "consult": tuple(to(consult, kind) for kind in TARGETS),
    "complete": (complete,),
    "cancel": (cancel,),
    "swap": (swap,),
    "conference": (join_all,),
    "park": (park,),
    "pause": (pause,),
    "digits": (digits,),
    "hang up": (hang_up,),
    "end": (end,),
}


def table() -> dict[str, dict[str, str]]:
    """The README's table: by situation and operation ``done`` or the code of the refusal."""
    text = README.read_text("utf-8").split("<!-- operations: begin -->\n")[1].split("<!-- operations: end -->")[0]
    head, _, *rows = (
        [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()
    )
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def test_the_table_has_every_situation_and_every_operation() -> None:
    found = table()
    assert list(found) == list(SITUATIONS)
    assert {tuple(row) for row in found.values()} == {tuple(OPERATIONS)}


async def stage(situation: str) -> Scene:
    house = await open_house(site=site())
    await house.sign_in("anna", "ben", "chen", "dora")
    house.signalling.registered.add("sofia")
    scene = await SITUATIONS[situation](house)
    await pass_seconds(3)
    return scene


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_refused_says_why_and_changes_nothing(situation: str) -> None:
    async def story() -> None:
        scene = await stage(situation)
        before = scene.state, scene.hear(), scene.house.contacts()
        for operation, code in table()[situation].items():
            for order in OPERATIONS[operation] if code != DONE else ():
                with pytest.raises(IntentError) as refused:
                    await order(scene)
                assert refused.value.code == code, operation
                assert refused.value.message, operation
                await settle()
                assert (scene.state, scene.hear(), scene.house.contacts()) == before, operation
        view = scene.house.core.floor.contact(scene.contact_id)
        shown = "" if view is None else view.orders_refused
        assert shown in {"", "not-yours", "not-now"}
        assert bool(shown) is (table()[situation]["transfer"] in {"not-yours", "not-now"} and view_is_bare(view))

    run_virtual(story)


def view_is_bare(view: object) -> bool:
    """Whether the view shows no second party, which is the console's other reason for having no transfer."""
    return getattr(view, "consult_state", None) is None


DOABLE = [(each, operation) for each, row in table().items() for operation, code in row.items() if code == DONE]


@pytest.mark.parametrize(("situation", "operation"), DOABLE)
def test_what_may_be_done_is_done_and_every_figure_is_right(situation: str, operation: str) -> None:
    async def story(order: Operation) -> None:
        scene = await stage(situation)
        await order(scene)
        await pass_seconds(5)
        for leg in list(scene.house.signalling.legs.values()):
            if leg.state != "ended":
                await scene.house.hang_up(leg)
        await end_clean(scene.house)

    for order in OPERATIONS[operation]:
        run_virtual(lambda each=order: story(each))  # type: ignore[misc]
