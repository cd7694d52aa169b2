"""Orders about sessions: they wait for what lets them leave, several changes are one, and a refusal is heard."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from callcenter.errors import MediaError
from callcenter.media.protocol import LegSpec, PutSession, SessionDropped, SessionPut
from callcenter.media.putting import NOBODY_WAITS, SessionOrders
from callcenter.media.session import PlaneSession

pytestmark = pytest.mark.unit


class Scene:
    """A line that keeps what it is given, and a gate that opens when told."""

    def __init__(self) -> None:
        self.left: list[tuple[Any, Callable[[Any], None]]] = []
        self.held: list[Callable[[], None]] = []
        self.session = PlaneSession("s")
        self.orders = SessionOrders(
            self,  # type: ignore[arg-type]  # the part of a line that is used
            self.held.append,
            timeout=5,
        )

    def order(self, build: Callable[[int], Any], told: Callable[[Any], None]) -> None:
        """As ``OrderLine`` does."""
        self.left.append((build(len(self.left) + 1), told))

    def tell(self, order: Any) -> None:
        """As ``OrderLine`` does."""
        self.left.append((order, lambda _: pytest.fail("nobody waits for it")))

    def release(self) -> None:
        """Let everything leave that waits."""
        held, self.held[:] = [*self.held], []
        for act in held:
            act()

    def add_leg(self, leg_id: str) -> None:
        """Change the session, and order it."""
        self.session.legs[leg_id] = LegSpec(leg_id, 1)
        self.orders.post(self.session)


async def test_changes_wait_and_those_that_may_leave_together_are_one_order() -> None:
    scene = Scene()
    scene.add_leg("a")
    scene.add_leg("b")
    assert scene.left == []
    scene.release()
    ((order, _),) = scene.left
    assert isinstance(order, PutSession)
    assert [leg.leg_id for leg in order.spec.legs] == ["a", "b"]
    scene.add_leg("c")
    scene.release()
    assert [order.spec.version for order, _ in scene.left] == [1, 2]


async def test_a_change_that_may_not_leave_yet_does_not_leave_with_an_earlier_one() -> None:
    scene = Scene()
    scene.add_leg("a")
    first = [*scene.held]
    scene.add_leg("b")
    for act in first:
        act()
    assert scene.left == []
    scene.release()
    assert [leg.leg_id for leg in scene.left[0][0].spec.legs] == ["a", "b"]


async def test_who_waits_is_answered_and_what_nobody_waits_for_is_not() -> None:
    scene = Scene()
    waits = asyncio.ensure_future(scene.orders.put(scene.session))
    await asyncio.sleep(0)
    scene.release()
    scene.left[0][1](SessionPut(1, {"a": 10_002}, {}))
    await waits
    assert scene.session.ports == {"a": 10_002}
    refused = asyncio.ensure_future(scene.orders.put(scene.session))
    await asyncio.sleep(0)
    scene.release()
    scene.left[1][1](MediaError("there is no recorder"))
    with pytest.raises(MediaError, match="no recorder"):
        await refused
    scene.add_leg("b")
    scene.release()
    assert [order.request for order, _ in scene.left] == [1, 2, NOBODY_WAITS]


async def test_closing_voids_what_has_not_left_and_tells_who_waits() -> None:
    scene = Scene()
    waits = asyncio.ensure_future(scene.orders.put(scene.session))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(scene.orders.drop(scene.session))
    await asyncio.sleep(0)
    scene.release()
    assert [type(order).__name__ for order, _ in scene.left] == ["DropSession"]
    with pytest.raises(MediaError, match="closed"):
        await waits
    scene.left[0][1](SessionDropped(1, {}))
    assert (await closing).closed == {}
