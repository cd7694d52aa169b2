"""The socket that browsers follow: one reader, one writer, one line of intents and one watchman for each."""

import asyncio
import traceback
from collections.abc import Coroutine
from contextlib import suppress

import msgspec
import structlog
from fastapi import APIRouter
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from agent_console import envelope
from agent_console.auth import identify
from agent_console.connections import CloseCode, Connection
from agent_console.console import Console, console_of
from agent_console.errors import NotSignedIn, describe

log = structlog.get_logger()
router = APIRouter(prefix="/api")

LARGEST_FRAME = 16_384
"""Bytes of one frame from a browser."""
RECHECK_SECONDS = 30.0
"""How often the account behind an open socket is looked up again."""
CLOSE_WITHIN_SECONDS = 2.0


@router.websocket("/socket")
async def follow(websocket: WebSocket) -> None:
    """Serve one browser until it leaves or must leave. Refused with 403 for foreign origins (by the gate) and 401."""
    console = console_of(websocket)
    try:
        session, principal = await identify(websocket)
    except NotSignedIn as refusal:
        await _refuse(websocket, refusal)
        return
    cookie: str | None = getattr(websocket.state, "session_cookie", None)
    await websocket.accept(headers=[(b"set-cookie", cookie.encode())] if cookie else None)
    connection = console.hub.connect(principal, session)
    try:
        await _until_one_ends(
            connection,
            _read(console, websocket, connection),
            _write(console, websocket, connection),
            _carry_out(console, connection),
            _watch(console, connection),
        )
        await _close(websocket, connection)
    finally:
        console.hub.disconnect(connection)


async def _refuse(websocket: WebSocket, refusal: NotSignedIn) -> None:
    if "websocket.http.response" not in websocket.scope.get("extensions", {}):
        await websocket.close(CloseCode.POLICY)
        return
    status, body = describe(refusal)
    denial = Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
    await websocket.send_denial_response(denial)


async def _until_one_ends(connection: Connection, *work: Coroutine[None, None, None]) -> None:
    """Run all of it until one part ends or the hub wants the socket closed; whatever is left is cancelled."""
    tasks = [asyncio.create_task(part, name="console socket") for part in work]
    tasks.append(asyncio.create_task(_closed(connection), name="closed"))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            log.error(
                "console.socket_failed",
                error_type=type(result).__name__,
                error_pii=str(result),
                places=traceback.format_tb(result.__traceback__),
            )
            connection.close(CloseCode.FAILED, "this did not work")


async def _closed(connection: Connection) -> None:
    await connection.closed.wait()


async def _read(console: Console, websocket: WebSocket, connection: Connection) -> None:
    while not connection.closed.is_set():
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        take_frame(console, connection, message.get("text"))


def take_frame(console: Console, connection: Connection, text: str | None) -> None:
    """One frame from a browser, checked before anything is done with it: size, rate, session, shape."""
    now = console.clock()
    if text is None:
        connection.close(CloseCode.UNSUPPORTED, "text frames only")
    elif len(text) > LARGEST_FRAME or len(text.encode()) > LARGEST_FRAME:
        connection.close(CloseCode.TOO_BIG, "frame too big")
    elif not connection.rate.admit(now=now):
        connection.close(CloseCode.POLICY, "too many frames")
    elif not console.sessions.is_open(connection.session, now=now):
        connection.close(CloseCode.SESSION_ENDED, "the session has ended")
    else:
        try:
            frame = envelope.decode(text)
        except msgspec.DecodeError:
            connection.close(CloseCode.POLICY, "malformed frame")
            return
        console.hub.receive(connection, frame)


async def _write(console: Console, websocket: WebSocket, connection: Connection) -> None:
    while True:
        connection.wake.clear()
        while (text := console.hub.take(connection)) is not None:
            await websocket.send_text(text)
        await connection.wake.wait()


async def _carry_out(console: Console, connection: Connection) -> None:
    while True:
        await console.hub.carry_out_next(connection)


async def _watch(console: Console, connection: Connection) -> None:
    while True:
        await asyncio.sleep(RECHECK_SECONDS)
        await recheck(console, connection)


async def recheck(console: Console, connection: Connection) -> None:
    """Look the person up again: close the socket when the session or the account is over, else take in what changed.

    When accounts cannot be read, the socket goes on with what is known: a database that is away stops no call.
    """
    if not console.sessions.is_open(connection.session, now=console.clock()):
        connection.close(CloseCode.SESSION_ENDED, "the session has ended")
        return
    try:
        principal = await console.accounts.find(connection.principal.user_id)
    except Exception as error:  # noqa: BLE001 - the edge of one socket: see the docstring
        log.warning("console.accounts_unavailable", error_type=type(error).__name__, error_pii=str(error))
        return
    if principal is None:
        connection.close(CloseCode.SESSION_ENDED, "the account is gone")
    else:
        console.hub.recognise(connection, principal)


async def _close(websocket: WebSocket, connection: Connection) -> None:
    if websocket.client_state is WebSocketState.DISCONNECTED or not connection.closed.is_set():
        return
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(CLOSE_WITHIN_SECONDS):
            await websocket.close(connection.close_code, connection.close_reason)
