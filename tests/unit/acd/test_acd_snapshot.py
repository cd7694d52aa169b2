"""State as plain data, and back. The identity itself is checked after random histories in the invariants."""

import json

import msgspec
import pytest

from acd import board
from acd.engine import Acd
from acd.errors import SnapshotRefused, UnknownContact
from acd.events import ContactLeft
from acd.ids import ContactId
from tests.support.acd_floor import RING_MS, Floor, agent

pytestmark = pytest.mark.unit


def busy_floor() -> Floor:
    floor = Floor(agent("a", "q", "en2"), agent("b"), agent("x"))
    floor.ready("a", "b")
    floor.connect("talking")
    floor.arrive("ringing")
    floor.arrive("waiting", required="en1", priority=3)
    floor.arrive("gone")
    floor.tell(ContactLeft(ContactId("gone")))
    return floor


@pytest.mark.parametrize("wire", ["json", "msgpack"])
def test_snapshot_survives_the_wire(wire: str) -> None:
    saved = busy_floor().acd.snapshot()
    back = json.loads(json.dumps(saved)) if wire == "json" else msgspec.msgpack.decode(msgspec.msgpack.encode(saved))
    assert Acd.restore(back).snapshot() == saved


def test_restored_engine_keeps_deadlines_and_memory_of_ended_contacts() -> None:
    floor = busy_floor()
    restored = Acd.restore(floor.acd.snapshot())
    assert restored.next_deadline() == floor.acd.next_deadline()
    assert restored.receive(ContactLeft(ContactId("gone")), now=floor.now) == []
    now = floor.now + RING_MS
    assert restored.handle_timer(now=now) == floor.acd.handle_timer(now=now)


@pytest.mark.parametrize("data", [{}, {"version": 99}, {"version": "2"}, [], None])
def test_snapshot_of_another_version_is_refused(data: object) -> None:
    with pytest.raises(SnapshotRefused, match="version"):
        Acd.restore(data)


def test_snapshot_of_the_first_version_is_brought_up_to_date() -> None:
    """Version 1 had neither places nor plans nor positions; what it says stays true."""
    saved = json.loads(json.dumps(busy_floor().acd.snapshot()))
    copy = json.loads(json.dumps(saved))
    old = {name: copy[name] for name in ("seq", "offers_made", "agents", "contacts", "offers", "ended")}
    known = {"queue_id", "name", "ring_timeout_ms", "wrap_up_ms"}
    old["queues"] = [{name: queue[name] for name in known} for queue in saved["queues"]]
    for contact in old["contacts"]:
        for name in ("key", "plan", "step", "plan_since", "step_until", "further_offers", "rung_since"):
            del contact[name]
    for seat in old["agents"]:
        for name in ("position", "taken", "talked_ms", "last_offer"):
            del seat[name]
    restored = Acd.restore({**old, "version": 1})
    assert [contact.key for contact in restored.contacts()] == [tuple(c["key"]) for c in saved["contacts"]]
    assert [seat.position for seat in restored.agents()] == [0, 1, 2]
    assert restored.snapshot()["version"] == saved["version"]


def test_damaged_snapshot_is_refused_with_the_place() -> None:
    saved = busy_floor().acd.snapshot()
    damaged = json.loads(json.dumps(saved))
    damaged["agents"][0]["state"] = "asleep"
    with pytest.raises(SnapshotRefused, match=r"agents\[0\]\.state"):
        Acd.restore(damaged)


def test_memory_of_ended_contacts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "ENDED_LIMIT", 3)
    floor = Floor(agent("a"))
    for number in range(5):
        floor.arrive(f"c{number}")
        floor.tell(ContactLeft(ContactId(f"c{number}")))
    assert floor.tell(ContactLeft(ContactId("c2"))) == []
    with pytest.raises(UnknownContact):
        floor.tell(ContactLeft(ContactId("c1")))
