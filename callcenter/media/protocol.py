"""What the exchange and the media processes say to each other: typed msgpack frames.

The exchange describes what a session shall be (``SessionSpec``, complete and versioned); the media processes make it
so and tell what happened. Because a description is complete, it can be sent again to a fresh worker at any time.
"""

import struct
from collections.abc import Iterator

import msgspec

from callcenter.media.sdes import SrtpKey

LARGEST_FRAME = 1 << 20
_LENGTH = struct.Struct("!I")


class LegSpec(msgspec.Struct, frozen=True, array_like=True):
    """One leg's stream. ``remote`` is ``None`` until the far end's description is known."""

    leg_id: str
    ssrc: int
    """Of the outgoing stream, for the whole life of the leg."""
    remote: tuple[str, int] | None = None
    peer_address: str = ""
    learn: bool = True
    """Whether the source may be learned (``LatchPolicy.LEARN``)."""
    send_payload_type: int = 0
    send_codec: str = "PCMU"
    receive_codecs: tuple[tuple[int, str], ...] = ()
    """Payload types that may arrive, with their codecs (``callcenter.media.codecs.Codec``)."""
    send_event_type: int | None = None
    receive_event_type: int | None = None
    may_send: bool = False
    held: bool = False
    send_key: SrtpKey | None = None
    """With ``receive_key``: SRTP both ways, ``None`` for plain RTP."""
    receive_key: SrtpKey | None = None
    has_mux: bool = False
    """Whether RTCP is spoken on the port of RTP."""
    masked: bool = False
    """Nobody hears this leg, see ``callcenter.ports.MediaPlane.secure``."""
    port: int = 0
    """A granted port that a new leg shall have; 0: any."""
    control: tuple[str, int] | None = None
    """Where reports go that have a port of their own; ours is the one after that of RTP."""


class RouteSpec(msgspec.Struct, frozen=True, array_like=True):
    """One entry of the gain matrix."""

    source: str
    destination: str
    gain_db: float = 0.0


class PlaySpec(msgspec.Struct, frozen=True, array_like=True):
    """One play order that is not over yet."""

    play_id: str
    leg_id: str
    paths: tuple[str, ...]
    loop: bool = False
    barge_in: bool = False
    duck_db: float | None = None
    digits: str = ""
    """Digits to press instead of files to play; its end is not told to the sink."""


class RecordingSpec(msgspec.Struct, frozen=True, array_like=True):
    """One recording that is not over yet: two legs, each in a channel of its own."""

    recording_id: str
    left: str
    right: str
    law: str = "PCMU"
    retention: str = "standard"
    paused: bool = False


class SessionSpec(msgspec.Struct, frozen=True, array_like=True):
    """All that a session shall be."""

    session_id: str
    version: int
    legs: tuple[LegSpec, ...] = ()
    routes: tuple[RouteSpec, ...] = ()
    plays: tuple[PlaySpec, ...] = ()
    recordings: tuple[RecordingSpec, ...] = ()


class LegCounts(msgspec.Struct, frozen=True, array_like=True):
    """A leg's figures, see ``callcenter.ports.LegStatistics``."""

    packets_in: int = 0
    packets_out: int = 0
    packets_lost: int = 0
    packets_dropped: int = 0
    heard: bool = False
    jitter_ms: float = 0.0
    round_trip_ms: float = -1.0
    """Below 0 as long as the far end has not reported, like the next."""
    far_loss: float = -1.0
    """Share of our packets that the far end missed lately, 0 to 1."""
    worst_mos: float = 0.0
    """Of the worst stretch (``callcenter.media.stretches``), 0 for none."""
    worst_loss_percent: float = 0.0


# Exchange -> mediad.


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Opens a control connection. Sessions of older epochs are destroyed; an older epoch is refused itself."""

    epoch: int


class PutSession(msgspec.Struct, frozen=True, tag="put"):
    """Make a session what ``spec`` says. Answered by ``SessionPut`` or ``OrderRefused``.

    With ``request`` 0 nobody waits: only a refusal is told.
    """

    request: int
    spec: SessionSpec


class DropSession(msgspec.Struct, frozen=True, tag="drop"):
    """Close a session; answered by ``SessionDropped`` also when there was none."""

    request: int
    session_id: str


class AskStatus(msgspec.Struct, frozen=True, tag="ask"):
    """Asks for ``MediaStatus``."""

    request: int


Order = Hello | PutSession | DropSession | AskStatus


# mediad -> exchange.


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Answers ``Hello``: the address to put into SDP and the sessions that are still alive."""

    address: str
    sessions: tuple[str, ...]


class PortsGranted(msgspec.Struct, frozen=True, tag="granted"):
    """More ports that new legs may have; they are bound already. Those of a former connection are void.

    ``is_busy``: media is overloaded, and every new session must ask first.
    """

    ports: tuple[int, ...]
    is_busy: bool = False


class SessionPut(msgspec.Struct, frozen=True, tag="put_done"):
    """The session is what was ordered: the ports of its legs, and the figures of legs that were closed."""

    request: int
    ports: dict[str, int]
    closed: dict[str, LegCounts]


class SessionDropped(msgspec.Struct, frozen=True, tag="drop_done"):
    """The session is closed."""

    request: int
    closed: dict[str, LegCounts]


class OrderRefused(msgspec.Struct, frozen=True, tag="refused"):
    """The order was not carried out; ``code`` is the code of an error class of ``callcenter.errors``."""

    request: int
    code: str
    text: str
    session_id: str = ""
    """Of an order that nobody waited for (``request`` 0); empty: the hello was refused."""


class MediaStatus(msgspec.Struct, frozen=True, tag="status"):
    """The state of the media processes. ``busy`` is the share of a core the busiest worker uses."""

    request: int
    sessions: int
    ports_free: int
    ports_used: int
    ports_quarantined: int
    worker_pids: tuple[int, ...]
    busy: float
    ticks_skipped: int
    worker_deaths: int
    recorder_pid: int = 0
    """0 when there is none."""
    recorder_deaths: int = 0
    browsers_pid: int = 0
    browsers_deaths: int = 0
    standbys: int = 0
    """Workers in reserve that can take over at once."""
    loops: tuple[str, ...] = ()
    """What relays packets in each active worker: ``compiled``, ``python``, or nothing before its first sign of life."""
    late_p50_ms: float | None = None
    """How late ticks of the last four seconds were done (their last packet), of the worker that is latest."""
    late_p99_ms: float | None = None


class DigitHeard(msgspec.Struct, frozen=True, tag="digit"):
    """A digit came in."""

    session_id: str
    leg_id: str
    digit: str
    secret: bool = False


class PlayEnded(msgspec.Struct, frozen=True, tag="played"):
    """A play is over by itself or by a digit: ``end``, ``barge_in`` or ``failed``."""

    session_id: str
    play_id: str
    reason: str


class SilenceNoticed(msgspec.Struct, frozen=True, tag="silent"):
    """A leg has sent nothing for the timeout."""

    session_id: str
    leg_id: str


class QuietNoticed(msgspec.Struct, frozen=True, tag="quiet"):
    """Nothing was said for a while on a leg whose message is recorded, see ``callcenter.ports.LegQuiet``."""

    session_id: str
    leg_id: str
    has_spoken: bool


class QualityTurned(msgspec.Struct, frozen=True, tag="quality"):
    """A leg's stream became poor, or fine again, see ``callcenter.ports.LegQualityTurned``."""

    session_id: str
    leg_id: str
    is_poor: bool
    mos: float
    loss_percent: float
    jitter_ms: float
    round_trip_ms: float
    """Below 0: unknown."""


class SessionGone(msgspec.Struct, frozen=True, tag="gone"):
    """The session could not be kept."""

    session_id: str


class RecordingDone(msgspec.Struct, frozen=True, tag="recorded"):
    """A recording is closed, see ``callcenter.ports.RecordingFinished``; its session may be gone."""

    session_id: str
    recording_id: str
    path: str
    sha256: str
    duration_ms: int
    truncated: str | None


class RecordingSuffers(msgspec.Struct, frozen=True, tag="degraded"):
    """A recording loses audio, see ``callcenter.ports.RecordingDegraded``."""

    session_id: str
    recording_id: str
    reason: str


Reply = (
    Welcome
    | PortsGranted
    | SessionPut
    | SessionDropped
    | OrderRefused
    | MediaStatus
    | DigitHeard
    | PlayEnded
    | SilenceNoticed
    | QuietNoticed
    | QualityTurned
    | SessionGone
    | RecordingDone
    | RecordingSuffers
)


# Keeper -> worker: several orders in one message. Their sockets travel with it in the same order; those of ``Converge``
# in that of ``new_legs``, then of ``new_controls``.


MOST_SOCKETS = 64
"""With one message."""


class TapOrder(msgspec.Struct, frozen=True, array_like=True):
    """How a worker takes part in a recording. Instants are milliseconds of the monotonic clock of this machine."""

    number: int
    """What the recording is called between keeper, workers and recorder."""
    origin: int
    """Where the recording's time line begins."""
    switched_at: int
    """Since when it is paused, or since when it is not."""
    is_taken_over: bool = False
    """Whether a worker that died had it before."""


class Converge(msgspec.Struct, frozen=True, tag="converge"):
    """Make the session what ``spec`` says. ``slots`` are the legs' places in the shared checkpoint memory."""

    spec: SessionSpec
    slots: dict[str, int]
    new_legs: tuple[str, ...]
    taps: dict[str, TapOrder] = {}
    new_controls: tuple[str, ...] = ()
    """Legs that get a socket for their reports."""
    is_awaited: bool = False
    """Whether the keeper is to be told when that is so (``Converged``)."""


class Release(msgspec.Struct, frozen=True, tag="release"):
    """Close the session."""

    session_id: str


class UseRecorder(msgspec.Struct, frozen=True, tag="recorder"):
    """From now on recordings go to the socket that comes with this."""


WorkerOrder = Converge | Release | UseRecorder


def sockets_with(order: WorkerOrder) -> int:
    """How many sockets come with an order."""
    if isinstance(order, Converge):
        return len(order.new_legs) + len(order.new_controls)
    return int(isinstance(order, UseRecorder))


# Worker -> keeper.


class Converged(msgspec.Struct, frozen=True, tag="converged"):
    """The session has this version now; answers an order that is awaited."""

    session_id: str
    version: int
    closed: dict[str, LegCounts]


class Released(msgspec.Struct, frozen=True, tag="released"):
    """The session is closed."""

    session_id: str
    closed: dict[str, LegCounts]


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Sign of life. ``busy`` is the share of a core used since the last one."""

    busy: float
    ticks_skipped: int
    loop: str = ""
    """What relays packets there (``PacketLoop.name``)."""
    late: dict[int, int] = {}
    """Ticks by the milliseconds after their time at which the last packet of each left, since the last heartbeat."""


class RecordingHurt(msgspec.Struct, frozen=True, tag="hurt"):
    """Audio of a recording is being lost; told by workers and by the recorder."""

    number: int
    reason: str


WorkerReply = (
    Converged
    | Released
    | Heartbeat
    | DigitHeard
    | PlayEnded
    | SilenceNoticed
    | QuietNoticed
    | QualityTurned
    | RecordingHurt
)


_ENCODED = msgspec.msgpack.Encoder().encode


def frame(message: msgspec.Struct) -> bytes:
    """A message with its length in front, for a byte stream."""
    body = _ENCODED(message)
    return _LENGTH.pack(len(body)) + body


class FrameBuffer:
    """Cuts a byte stream into the bodies of frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes and give what is complete. Raises ``ValueError`` for a frame that is too large."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._data)
            if size > LARGEST_FRAME:
                raise ValueError("frame too large")
            if len(self._data) < _LENGTH.size + size:
                return
            body = bytes(self._data[_LENGTH.size : _LENGTH.size + size])
            del self._data[: _LENGTH.size + size]
            yield body
