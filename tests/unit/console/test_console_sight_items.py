"""Which items an agent sees: the own ones, and those that wait in the own boxes."""

from typing import Any

import pytest

from agent_console.change_log import Entry
from agent_console.messages import Channel, ContactChanged, ContactRemoved, ContactState, ContactView, CustomerMatch
from agent_console.messages import MatchState as Match
from agent_console.sight import Sight

pytestmark = pytest.mark.unit

ANNA = Sight(everything=False, agent_id="anna", queue_ids=frozenset({"sales"}))


def item(**more: Any) -> ContactView:
    base: dict[str, Any] = {"channel": Channel.MESSAGE, "queue_id": "sales"}
    return ContactView(
        "m1", ContactState.QUEUED, "+12025550111", "", "sales", 1, CustomerMatch(Match.NONE), **(base | more)
    )


@pytest.mark.parametrize(
    ("view", "seen"),
    [
        (item(), True),
        (item(agent_id="anna"), True),
        (item(agent_id="ben"), False),
        (item(queue_id="support"), False),
        (item(for_agent="anna", queue_id="support"), True),
        (item(for_agent="ben"), False),
        (item(channel=Channel.VOICE), False),
    ],
)
def test_what_waits_in_the_own_boxes_is_seen(view: ContactView, seen: bool) -> None:
    assert (ANNA.of_change(Entry(1, 1, ContactChanged(view), None)) is not None) is seen


def test_what_a_colleague_takes_is_gone() -> None:
    entry = Entry(2, 1, ContactChanged(item(agent_id="ben")), item())
    assert ANNA.of_change(entry) == ContactRemoved("m1")
