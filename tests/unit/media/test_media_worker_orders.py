"""What the keeper orders of a worker leaves together, each order with its own sockets."""

import asyncio
import os
import socket
from array import array
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.crew import WorkerProcess
from callcenter.media.mediad.settings import Birth
from callcenter.media.protocol import (
    MOST_SOCKETS,
    Converge,
    LegSpec,
    Release,
    SessionSpec,
    UseRecorder,
    WorkerOrder,
    sockets_with,
)

pytestmark = pytest.mark.unit


class Births:
    """Nobody is born: the worker's end of the line is here."""

    def __init__(self) -> None:
        self.line: socket.socket

    def bear(self, _birth: Birth, control: socket.socket, _checkpoint: Checkpoint) -> Any:
        self.line = control.dup()
        self.line.setblocking(False)
        return SimpleNamespace(pid=1, kill=lambda: None, wait=lambda: None)

    def read(self) -> list[tuple[list[WorkerOrder], list[int]]]:
        """The messages that have come, with the inodes of their sockets."""
        found: list[tuple[list[WorkerOrder], list[int]]] = []
        while True:
            try:
                data, beside, _, _ = self.line.recvmsg(1 << 20, socket.CMSG_SPACE(253 * 4))
            except BlockingIOError:
                return found
            descriptors = array("i", b"".join(each for _, _, each in beside))
            inodes = [os.fstat(each).st_ino for each in descriptors]
            for each in descriptors:
                os.close(each)
            found.append((msgspec.msgpack.decode(data, type=list[WorkerOrder]), inodes))


@asynccontextmanager
async def worker() -> AsyncIterator[tuple[WorkerProcess, Births]]:
    births: Any = Births()
    checkpoint = Checkpoint.create(1)
    process = WorkerProcess(births, Birth(1, 30_000, "python", realtime=False), checkpoint)
    yield process, births
    process.kill()
    births.line.close()
    checkpoint.close()


def session(name: str, *legs: str) -> Converge:
    return Converge(SessionSpec(name, 1, tuple(LegSpec(leg, 1) for leg in legs)), dict.fromkeys(legs, 0), legs)


def sockets(stack: ExitStack, count: int) -> list[socket.socket]:
    return [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]


async def test_orders_of_one_turn_are_one_message_with_all_their_sockets_in_order() -> None:
    async with worker() as (process, births):
        with ExitStack() as stack:
            first, second, recorder = sockets(stack, 2), sockets(stack, 1), sockets(stack, 1)
            inodes = [os.fstat(each.fileno()).st_ino for each in [*first, *second, *recorder]]
            orders: list[WorkerOrder] = [session("s", "a", "b"), Release("gone"), session("t", "c"), UseRecorder()]
            for order, beside in zip(orders, (first, [], second, recorder), strict=True):
                process.send(order, beside, hand_over=beside is recorder)
            assert births.read() == []
            await asyncio.sleep(0)
            assert births.read() == [(orders, inodes)]
            assert [sockets_with(order) for order in orders] == [2, 0, 1, 1]
            assert [each.fileno() >= 0 for each in (*first, *second, *recorder)] == [True, True, True, False]
            process.send(Release("s"))
            await asyncio.sleep(0)
            assert births.read() == [([Release("s")], [])]


async def test_a_message_has_no_more_sockets_than_a_worker_can_read() -> None:
    async with worker() as (process, births):
        with ExitStack() as stack:
            legs = tuple(f"leg{number}" for number in range(MOST_SOCKETS // 2 + 1))
            for name in "st":
                process.send(session(name, *legs), sockets(stack, len(legs)))
            process.send(Release("s"))
            await asyncio.sleep(0)
            read = births.read()
        assert [([type(order) for order in orders], len(inodes)) for orders, inodes in read] == [
            ([Converge], len(legs)),
            ([Converge, Release], len(legs)),
        ]
