"""An agent who becomes free is rung before anything is tidied up; an agent's own phone is freed before it rings."""

import asyncio

import pytest

from callcenter.calls.facts import TimersFired
from callcenter.calls.legs import EndCause, Party
from callcenter.ports import PhoneTarget
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import in_virtual_time, settle

pytestmark = pytest.mark.scenario


async def talking_with_one_in_line(said: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[House, str]:
    """Anna talks, the next caller waits; from now on orders to phones are noted. Also the caller's leg."""
    house = await open_house(site=small_site(wrap_up_seconds=0))
    await house.sign_in("anna")
    caller = await house.queue_call("+12025550111")
    await house.answer("anna")
    await house.queue_call("+12025550112")
    invite, end = house.signalling.invite, house.signalling.end

    def note_invite(leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        said.append(f"ring {target.agent_id}")
        invite(leg_id, target, caller=caller, sdp=sdp)

    def note_end(leg_id: str, cause: EndCause, reason: str = "") -> None:
        said.append(f"end {house.signalling.legs[leg_id].agent_id or 'caller'}")
        end(leg_id, cause, reason)

    monkeypatch.setattr(house.signalling, "invite", note_invite)
    monkeypatch.setattr(house.signalling, "end", note_end)
    house.journal.hold = asyncio.Event()
    house.journal.append(TimersFired(0), at=0)
    house.journal.once_safe(lambda: None)  # is being written: what follows now is one commit
    return house, caller.leg_id


@in_virtual_time
async def test_the_next_caller_rings_before_the_last_one_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    house, _ = await talking_with_one_in_line(said, monkeypatch)
    phone = next(leg for leg in house.signalling.legs.values() if leg.agent_id == "anna" and leg.state == "answered")
    await house.hang_up(phone)
    assert said == []
    assert house.journal.hold is not None
    house.journal.hold.set()
    await settle()
    assert said == ["ring anna", "end caller"]


@in_virtual_time
async def test_a_phone_is_freed_before_it_rings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    house, caller = await talking_with_one_in_line(said, monkeypatch)
    await house.hang_up(house.signalling.legs[caller])
    assert house.journal.hold is not None
    house.journal.hold.set()
    await settle()
    assert said == ["end anna", "ring anna"]
