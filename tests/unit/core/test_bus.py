"""The bus: who hears what, in which order, and what a listener that fails does to the others."""

from dataclasses import dataclass

import pytest

from callcenter.bus import Bus

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Opened:
    number: int


@dataclass(frozen=True)
class Closed:
    number: int


def test_listeners_hear_the_types_they_asked_for_in_the_order_they_came() -> None:
    bus, heard = Bus(), []
    bus.subscribe(lambda fact, at: heard.append(("all", fact, at)))
    bus.subscribe(lambda fact, at: heard.append(("closed", fact, at)), Closed)
    bus.publish_all((Opened(1), Closed(1)), 5)
    bus.subscribe(lambda fact, at: heard.append(("opened", fact, at)), Opened)
    bus.publish(Opened(2), 6)
    assert heard == [
        ("all", Opened(1), 5),
        ("all", Closed(1), 5),
        ("closed", Closed(1), 5),
        ("all", Opened(2), 6),
        ("opened", Opened(2), 6),
    ]


def test_a_listener_that_fails_keeps_nobody_from_hearing() -> None:
    bus, heard = Bus(), []

    def fail(fact: Opened, _at: int) -> None:
        raise ValueError(fact)

    bus.subscribe(fail, Opened)
    bus.subscribe(lambda fact, _at: heard.append(fact))
    bus.publish_all((Opened(1), Closed(2), Opened(3)), 5)
    assert heard == [Opened(1), Closed(2), Opened(3)]
