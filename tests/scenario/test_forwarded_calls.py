"""Calls that somebody forwarded to us: the card says from where, and flows go by it."""

import pytest

from callcenter.calls.facts import CallArrived, CallClosed
from tests.support.conversations import end_clean
from tests.support.house import SERVICE_NUMBER, open_house
from tests.support.virtual_time import run_virtual, settle

pytestmark = pytest.mark.scenario

BY_BRANCH_OFFICE = """
[flow]
name = "main"
start = "whence"
languages = ["en"]

[steps.whence]
type = "branch"
variable = "diverted_from"
cases = { "+12025550133" = "office" }
otherwise = "others"

[steps.office]
type = "queue"
queue = "sales"

[steps.others]
type = "queue"
queue = "support"
"""


@pytest.mark.parametrize(
    ("diversions", "dialled", "queue"),
    [
        (("+12025550133",), "+12025550133", "sales"),
        (("+12025550188", "+12025550133"), "+12025550133", "sales"),  # the customer dialled the first of them
        (("+12025550188",), "+12025550188", "support"),
        ((), "", "support"),
    ],
)
def test_what_the_customer_dialled_is_known(diversions: tuple[str, ...], dialled: str, queue: str) -> None:
    async def story() -> None:
        house = await open_house(flow=BY_BRANCH_OFFICE)
        customer = house.signalling.customer_calls("+12025550111", SERVICE_NUMBER, diversions=diversions)
        await settle()
        (contact,) = house.contacts()
        assert (contact.diverted_from, contact.queue_id) == (dialled, queue)
        (arrived,) = [entry for entry in house.journal.entries if isinstance(entry, CallArrived)]
        assert arrived.diverted_from == dialled
        await house.hang_up(customer)
        await end_clean(house)
        (closed,) = [entry for entry in house.journal.entries if isinstance(entry, CallClosed)]
        assert closed.record.diverted_from == dialled

    run_virtual(story)


def test_whoever_it_is_handed_to_sees_it_too() -> None:
    async def story() -> None:
        house = await open_house(flow=BY_BRANCH_OFFICE)
        await house.sign_in("anna", "ben")
        customer = house.signalling.customer_calls("+12025550111", SERVICE_NUMBER, diversions=("+12025550133",))
        await settle()
        await house.answer("anna")
        await house.core.desk.consult("anna", house.call_id(customer), "agent", "ben")
        await settle()
        assert [each.diverted_from for each in house.contacts()] == ["+12025550133"] * 2
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)
