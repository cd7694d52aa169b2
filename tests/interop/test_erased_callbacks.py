"""Who is erased is called back by nobody: a customer with a callback that waits, erased in the running installation."""

from collections.abc import Iterator
from typing import Any

import pytest

from callcenter.calls.callback_facts import CallbackClosed, CallbackDialled, CallbackRequested, CallbackResult
from callcenter.sip.phone import PhoneCall, SoftPhone
from tests.interop.test_erasure_everywhere import NAME, NUMBER, command, traces
from tests.support.floor_people import calling, seats
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.outside_gateway import free_gateway, out_to
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = pytest.mark.interop

GATEWAY = free_gateway("127.0.0.7")
OTHER = "+12125550189"


OUT = out_to(GATEWAY)


@pytest.fixture
def house() -> Iterator[Installation]:
    lines = ("callback_most = 5", 'callback_order = "customer"')
    with running_installation(Plan(agents=2, queue_lines=lines, more_site=OUT)) as house:
        yield house


def facts(house: Installation, kind: type[Any]) -> list[Any]:
    return [row.entry for row in house.journal.read() if isinstance(row.entry, kind)]


async def test_an_erased_customers_callback_is_forgotten_and_never_made(house: Installation) -> None:
    calls: list[PhoneCall] = []
    outside = SoftPhone(host=GATEWAY[0], port=GATEWAY[1], server=house.sip, username="x", on_call=calls.append)
    await outside.start()
    try:
        async with seats(house) as taken, house.signed_in() as http, watching(house) as boss:
            body = {"display_name": NAME, "contact_points": [{"value": NUMBER}]}
            customer = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
            async with calling(house, NUMBER) as ada, calling(house, OTHER) as other:
                for seat in taken:
                    await seat.talking()
                    await seat.until_state("busy")
                    await seat.console.intend("callback.promise", contact_id=await seat.works_on())
                    await seat.console.intend("agent.not_ready", reason="lunch")
                await ada.hang_up()
                await other.hang_up()
            await until_recorded(http, 2)
            asked = {each.caller: each.call_id for each in facts(house, CallbackRequested)}
            assert set(asked) == {NUMBER, OTHER}
            erased = await http.post(f"/api/v1/customers/{customer['id']}/erasure", json={"legal_basis": "consent"})
            receipt = erased.raise_for_status().json()

            async def blank() -> bool:
                told = (await http.get(f"/api/v1/erasures/{receipt['id']}")).json()
                return bool(told["journal_waiting"] == 0)

            await until("the journal is blank", blank)
            (closed,) = facts(house, CallbackClosed)
            assert (closed.call_id, closed.result) == (asked[NUMBER], CallbackResult.ERASED)
            assert traces(house.folder) == []
            await house.kill("exchange")
            await house.until_up()
            await until("the supervisor sees the floor again", lambda: boss.exchange_up)
            for seat in taken:
                await seat.register()
            await taken[0].go_ready()
            await until("somebody is called back", lambda: bool(calls))
            calls[0].refuse(486)
            await until("and nobody else", lambda: taken[0].state == "ready")
    finally:
        await outside.stop()
    (dialled,) = facts(house, CallbackDialled)
    assert dialled.call_id == asked[OTHER]
    assert len(calls) == 1
    command(house, "audit")
