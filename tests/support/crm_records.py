"""Builders for the customer store's tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crm_bridge.customers import NewContactPoint, NewCustomer
from crm_bridge.interactions import InteractionRecord

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REGION = "CN"
NUMBER = "+8613900001234"


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


def person(name: str, *numbers: str) -> NewCustomer:
    """A customer with phone numbers, the first one primary."""
    return NewCustomer(name, contact_points=tuple(NewContactPoint(number) for number in numbers))


def call(contact_id: str = "c1", **changed: Any) -> InteractionRecord:
    """An answered call from ``NUMBER`` at noon, talked for two minutes."""
    started_at = changed.get("started_at", NOON)
    fields: dict[str, Any] = {
        "contact_id": contact_id,
        "call_id": f"call-{contact_id}",
        "outcome": "answered",
        "started_at": started_at,
        "answered_at": started_at + minutes(1),
        "ended_at": started_at + minutes(3),
        "from_value": NUMBER,
        "from_name": "Ada",
        "to_value": "+862161234567",
        "queue_id": "service",
        "agent_id": "lin",
        "agent_name": "Lin",
        "flow_path": ("Deutsch", "服务"),
        "waited_ms": 40_000,
        "ring_ms": 5_000,
        "talk_ms": 120_000,
        "ended_by": "customer",
        "journal_seq": 10,
    }
    return InteractionRecord(**(fields | changed))
