"""How sessions are told to ``mediad``: the newest description, once it may leave; several changes in one order."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from callcenter.awaiting import in_time
from callcenter.errors import MediaError
from callcenter.media.orders import OrderLine
from callcenter.media.protocol import DropSession, PutSession, Reply, SessionDropped, SessionPut
from callcenter.media.session import PlaneSession

_AnswerT = TypeVar("_AnswerT")
NOBODY_WAITS = 0
"""The number of orders that are not answered."""


class SessionOrders:
    """Orders about sessions. ``once_safe`` lets an order leave, see ``callcenter.ports.Journal``.

    What nobody waits for is answered only when it is refused, by a report to the plane.
    """

    def __init__(
        self,
        line: OrderLine,
        once_safe: Callable[[Callable[[], None]], None],
        *,
        timeout: float,
    ) -> None:
        self._line = line
        self._once_safe = once_safe
        self._timeout = timeout

    def post(self, session: PlaneSession) -> None:
        """Have the session made what it is now. Changes that may leave together are one order."""
        session.changes += 1
        self._once_safe(partial(self._send, session, session.changes))

    async def put(self, session: PlaneSession) -> None:
        """The same, and return once it is so. Raises ``MediaError`` when it is refused, or not answered in time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        session.waiting.append(done)
        self.post(session)
        await self._in_time(done)

    async def put_or_undo(self, session: PlaneSession, undo: Callable[[], None]) -> None:
        """The same; what is refused is undone, and does not keep the rest from being so."""
        try:
            await self.put(session)
        except BaseException:
            undo()
            self.post(session)
            raise

    async def drop(self, session: PlaneSession) -> SessionDropped:
        """Close the session; what was ordered of it and has not left is void. Raises ``MediaError``."""
        session.close(MediaError("the session is closed"))
        done: asyncio.Future[SessionDropped] = asyncio.get_running_loop().create_future()

        def told(reply: Reply | MediaError) -> None:
            if not done.done():
                if isinstance(reply, SessionDropped):
                    done.set_result(reply)
                else:
                    done.set_exception(_error(reply))

        self._once_safe(lambda: self._line.order(partial(_drop_session, session.session_id), told))
        return await self._in_time(done)

    async def _in_time(self, done: "asyncio.Future[_AnswerT]") -> _AnswerT:
        try:
            return await in_time(done, self._timeout)
        except TimeoutError:
            raise MediaError("the media process does not answer") from None
        finally:
            if done.done() and not done.cancelled():
                done.exception()

    def _send(self, session: PlaneSession, change: int) -> None:
        if change != session.changes or session.is_closed:  # a later order says this, too, or nothing matters any more
            return
        spec = session.next_spec()
        waiting, session.waiting = session.waiting, []
        if waiting:
            self._line.order(lambda request: PutSession(request, spec), partial(self._take, session, waiting))
        else:
            self._line.tell(PutSession(NOBODY_WAITS, spec))

    def _take(self, session: PlaneSession, waiting: "list[asyncio.Future[None]]", reply: Reply | MediaError) -> None:
        if isinstance(reply, SessionPut):
            session.ports |= reply.ports
            session.closed |= reply.closed
        for done in waiting:
            if done.done():
                continue
            if isinstance(reply, SessionPut):
                done.set_result(None)
            else:
                done.set_exception(_error(reply))


def _drop_session(session_id: str, request: int) -> DropSession:
    return DropSession(request, session_id)


def _error(reply: Reply | MediaError) -> MediaError:
    return reply if isinstance(reply, MediaError) else MediaError("media gave another answer than was asked for")
