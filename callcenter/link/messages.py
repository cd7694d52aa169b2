"""What exchange and web tell each other: frozen messages, MessagePack, four bytes of length before each.

The web process connects; the exchange answers with the whole floor and then every change of it, in order. Losing the
link loses nothing: the web process connects again and starts from a fresh floor.
"""

import asyncio
import struct
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from agent_console.messages import Change, FloorView
from agent_console.softphone import FromSoftphone, ToSoftphone
from callcenter.errors import LinkError
from callcenter.ports import Answer

MAX_FRAME = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class FloorState(msgspec.Struct, frozen=True, tag=True):
    """Exchange: the whole floor, first thing on each connection. ``journal_seq`` is the newest entry on disk."""

    floor: FloorView
    journal_seq: int


class FloorChanged(msgspec.Struct, frozen=True, tag=True):
    """Exchange: what is otherwise on the floor, in this order."""

    changes: tuple[Change, ...]


class JournalAdvanced(msgspec.Struct, frozen=True, tag=True):
    """Exchange: there is something new in the journal for the customer store."""

    seq: int


class MatchRequested(msgspec.Struct, frozen=True, tag=True):
    """Exchange: who has this number?"""

    request_id: int
    number: str


class LeaveRequested(msgspec.Struct, frozen=True, tag=True):
    """Exchange: may this number be called back now, or be dialled by this agent (empty: the house)?"""

    request_id: int
    number: str
    agent_id: str | None = None
    """Who dials; ``None`` for a callback."""


class DeskReply(msgspec.Struct, frozen=True, tag=True):
    """Exchange: the answer to a ``DeskRequest``; ``code`` is ``None`` when it was done."""

    request_id: int
    code: str | None = None
    message: str = ""


class DeskRequest(msgspec.Struct, frozen=True, tag=True):
    """Web: somebody at a desk wants this. ``order`` is a method of the ``Desk`` port."""

    request_id: int
    order: str
    agent_id: str
    contact_id: str = ""
    reason: str = ""
    customer_id: str = ""
    customer_name: str = ""
    customer_level: str = ""
    disposition: str = ""
    notes: str = ""
    target_kind: str = ""
    target: str = ""
    slot: str = ""
    digits: str = ""
    how: str = ""
    from_user: str = ""
    to_user: str = ""


DESK_ORDERS: Mapping[str, tuple[str, ...]] = {
    "sign_in": (),
    "sign_out": (),
    "ready": (),
    "not_ready": ("reason",),
    "decline": ("contact_id",),
    "hang_up": ("contact_id",),
    "hold": ("contact_id",),
    "resume": ("contact_id",),
    "transfer": ("contact_id", "target_kind", "target"),
    "consult": ("contact_id", "target_kind", "target"),
    "complete": ("contact_id",),
    "cancel": ("contact_id",),
    "swap": ("contact_id",),
    "conference": ("contact_id",),
    "park": ("contact_id",),
    "retrieve": ("slot",),
    "dial": ("target_kind", "target"),
    "send_digits": ("contact_id", "digits"),
    "identify": ("contact_id", "customer_id", "customer_name", "customer_level"),
    "accept": ("contact_id",),
    "give_back": ("contact_id",),
    "finish": ("contact_id",),
    "move": ("contact_id", "target_kind", "target"),
    "supervise": ("contact_id", "how"),
    "secure": ("contact_id", "how", "target"),
    "start_recording": ("contact_id",),
    "stop_recording": ("contact_id",),
    "pause_recording": ("contact_id",),
    "resume_recording": ("contact_id",),
    "extend_wrap_up": ("contact_id",),
    "promise_callback": ("contact_id",),
    "call_off_callback": ("target",),
    "call_back_now": ("target",),
    "move_callback_to_top": ("target",),
    "hand_over_callbacks": ("from_user", "to_user"),
    "hand_over_messages": ("from_user", "to_user"),
    "close_queue": ("target",),
    "open_queue": ("target",),
    "finish_wrap_up": ("contact_id", "disposition", "notes"),
}
"""Every order of the ``Desk`` port that travels on the link, with the arguments it takes besides the agent."""


class ErasureRequest(msgspec.Struct, frozen=True, tag=True):
    """Web: take what is personal out of the journal's entries of these calls. Answered by an ``ErasureReply``."""

    request_id: int
    call_ids: tuple[str, ...]


class ErasureReply(msgspec.Struct, frozen=True, tag=True):
    """Exchange: the calls whose entries are blank now; those that are not closed are not among them."""

    request_id: int
    call_ids: tuple[str, ...]


class EntryRequest(msgspec.Struct, frozen=True, tag=True):
    """Web: write this down, and act on it, if it may be. ``kind`` and ``body`` are those of the journal
    (``entries.encode``). Answered by a ``DeskReply``."""

    request_id: int
    kind: str
    body: bytes


class SeatsPresent(msgspec.Struct, frozen=True, tag=True):
    """Web: the agents who have a console open, every few seconds and whenever that changes."""

    agent_ids: tuple[str, ...]


class FloorWatched(msgspec.Struct, frozen=True, tag=True):
    """Web: whether anybody has a console open. Until it is said somebody may have."""

    watched: bool


class MatchReply(msgspec.Struct, frozen=True, tag=True):
    """Web: the answer to a ``MatchRequested``."""

    request_id: int
    state: str
    customer_ids: tuple[str, ...] = ()
    name: str | None = None
    language: str | None = None
    level: str | None = None
    owner: str | None = None
    last_agent: str | None = None


class LeaveReply(msgspec.Struct, frozen=True, tag=True):
    """Web: the answer to a ``LeaveRequested``."""

    request_id: int
    answer: Answer
    reasons: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    code: str = ""
    text: str = ""


class SoftphoneTold(msgspec.Struct, frozen=True, tag=True):
    """Exchange: for the page that has this phone."""

    agent_id: str
    phone_id: str
    frame: ToSoftphone


class SoftphoneHeard(msgspec.Struct, frozen=True, tag=True):
    """Web: what a page's phone said."""

    agent_id: str
    phone_id: str
    frame: FromSoftphone


FromExchange = (
    FloorState
    | FloorChanged
    | JournalAdvanced
    | MatchRequested
    | LeaveRequested
    | DeskReply
    | SoftphoneTold
    | ErasureReply
)
FromWeb = (
    DeskRequest | MatchReply | LeaveReply | SeatsPresent | FloorWatched | SoftphoneHeard | ErasureRequest | EntryRequest
)

MessageT = TypeVar("MessageT")


_ENCODED = msgspec.msgpack.Encoder().encode


def frame(message: FromExchange | FromWeb) -> bytes:
    """A message as bytes of the link."""
    body = _ENCODED(message)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader, decoder: "msgspec.msgpack.Decoder[MessageT]") -> MessageT | None:
    """The next message, ``None`` at the end of the stream. Raises ``LinkError`` for a frame that is not one."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME:
            raise LinkError(f"a frame of {length} bytes came over the link; {MAX_FRAME} are allowed")
        return decoder.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except msgspec.MsgspecError as error:
        raise LinkError(f"a frame of the link cannot be read: {error}") from error


from_exchange = msgspec.msgpack.Decoder(FromExchange)
from_web = msgspec.msgpack.Decoder(FromWeb)
