"""The ports of the exchange: what it needs from the outside, owned here and implemented elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from callcenter.calls.legs import EndCause, Party
from ivr.effects import PromptText


class Clock(Protocol):
    """Time for everything that is not pure."""

    def now(self) -> int:
        """Milliseconds since the Unix epoch, never going backwards within a process."""
        ...


class Journal(Protocol):
    """The write-ahead journal: what must survive a restart is in it before it is acted on."""

    def append(self, entry: object, *, at: int, patiently: bool = False) -> int:
        """Queue a registered dataclass for writing and return its sequence number. Order of calls is order on disk.

        ``patiently``: no order follows from it, so it may wait for company, and ``once_safe`` does not wait for it.
        """
        ...

    async def committed(self, seq: int) -> None:
        """Return once everything up to ``seq`` is on disk. Raises ``JournalError`` when it never will be."""
        ...

    def once_safe(self, act: Callable[[], None], *, first: bool = False, telling: bool = False) -> None:
        """Call ``act`` once everything appended so far is on disk, at once when it is; in the order of these calls.

        Never when it cannot be written. What leaves the process goes this way. Of what becomes safe in the same moment
        what is to be ``first`` is done first: somebody's phone waits for it. ``telling``: nobody's phone waits for
        it, so it comes, in its own order, behind the other acts that become safe in the same moment.
        """
        ...

    def once_written(self, seq: int, act: Callable[[], None]) -> None:
        """Call ``act``, which only tells, once the entry of this number is on disk, be it one that waits patiently.

        It keeps its place among what is told of the entries before and behind. Never when it cannot be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class PhoneTarget:
    """Whom to ring: the registered phones of an agent."""

    agent_id: str
    max_forwards: int = 70
    """How often the call may still be passed on: one less than what came with the leg it continues."""


class EncryptionPolicy(StrEnum):
    """Whether a leg's audio is encrypted (SRTP with keys in SDP, RFC 4568)."""

    OFF = "off"
    OPTIONAL = "optional"
    """Where the far end has it. As the installation's own policy our offers are plain; asked for by name they carry
    keys beside plain media (best effort), and the far end chooses."""
    REQUIRED = "required"
    """Nothing else is offered or accepted."""


@dataclass(frozen=True, slots=True)
class TrunkPolicy:
    """How a call out may leave."""

    trunk_ids: tuple[str, ...]
    """The trunks to try, the best first; those known to be down are tried last."""
    silence_ms: int = 3_000
    """A trunk that says nothing at all for so long is left for the next."""
    agent_id: str = ""
    """On whose behalf, for the check of numbers the call is redirected to; empty: the house's."""
    max_forwards: int = 70
    """How often the call may still be passed on: one less than what came with the leg it continues."""
    encryption: EncryptionPolicy | None = None
    """``REQUIRED`` where the first trunk takes SRTP only, ``OPTIONAL`` where a trunk may be offered keys."""
    booking: str = ""
    """The place among an agent's simultaneous calls that ``OutboundRules.check`` took; whoever dials gives it back."""
    is_emergency: bool = False
    """Whether it calls for help: then nobody's wish is asked about, and nothing is waited for."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A call out may be made, now and by this policy."""

    e164: str
    """What to dial: ``+`` and digits; an emergency number, or a short code a trunk knows, as it is."""
    policy: TrunkPolicy


@dataclass(frozen=True, slots=True)
class Refused:
    """A call out may not be made."""

    code: str
    """Why, for programs: stable and lower-case, such as ``destination_denied``."""
    text: str
    """Why, for people; names no other agent and no rule's secret."""


class OutboundRules(Protocol):
    """The one check before every call to the outside: from phones, REFER, 302, flows, console and API."""

    def check(self, agent_id: str, number: str, at: int) -> Allowed | Refused:
        """Whether this agent (empty: the house itself) may call ``number``, written in any way, at ``at`` (milliseconds
        since the epoch).

        An allowed call counts at once against the agent's limits; dial it by the policy that was returned.
        """
        ...

    def withdraw(self, policy: TrunkPolicy) -> None:
        """A call that was allowed is not made after all: it counts for nobody."""
        ...


class Signalling(Protocol):
    """Orders to the signalling stack. Every order returns at once; what comes of it is told by leg events to the sink.

    An order for a leg that has meanwhile ended is ignored: its ``LegEnded`` is on the way.
    """

    def ring(self, leg_id: str) -> None:
        """Tell the far end of an inbound leg that it rings (180)."""
        ...

    def progress(self, leg_id: str, sdp: str) -> None:
        """Let the far end of an inbound leg hear us before the answer (183 with our SDP)."""
        ...

    def answer(self, leg_id: str, sdp: str) -> None:
        """Answer an inbound leg (200 with our SDP, the same as before if ``progress`` told it one)."""
        ...

    def accept_reoffer(self, leg_id: str, sdp: str) -> None:
        """Answer a ``LegReoffered``."""
        ...

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """Offer a leg that is up a new description (hold, resume, another codec), or ask for its offer when empty.

        Answered by ``LegReanswered`` or ``LegReofferRefused``; a far end that renegotiates at the same moment is met
        by trying again.
        """
        ...

    def send_digit(self, leg_id: str, digit: str) -> None:
        """Send one digit (``0-9 * # A-D``) to the far end of a leg that is up, in signalling (INFO)."""
        ...

    def report_transfer(self, leg_id: str, status: int, reason: str = "") -> None:
        """Tell the far end of a ``TransferRequested`` how it goes: 180, then one final SIP status; ``reason`` is for
        people.

        Without a final one within a minute the far end is told that it failed, and keeps its call.
        """
        ...

    def acknowledge(self, leg_id: str, sdp: str) -> None:
        """Answer the offer that came with the ``LegAnswered`` of a leg started without SDP."""
        ...

    def invite(self, leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        """Start an outbound leg with our SDP offer. Answered by ``LegRinging``, ``LegAnswered`` or ``LegRefused``."""
        ...

    def dial(self, leg_id: str, number: str, policy: TrunkPolicy, *, caller: Party, sdp: str) -> None:
        """Start an outbound leg to a number through a trunk, with our SDP offer, or without one for theirs.

        Told as for ``invite``, and by ``LegEarlyMedia`` when it sounds before it is answered; whether the number may be
        called at all was decided before. A trunk that is silent or fails (408, 500, 502, 503, 504) is left for the
        next; what is said of the number (404, 486, 603) is final.
        """
        ...

    def message_waiting(self, agent_id: str, *, new: int, old: int) -> None:
        """Say how many voice messages wait for an agent, not yet heard and heard; the lamps of phones follow."""
        ...

    def end(self, leg_id: str, cause: EndCause, reason: str = "") -> None:
        """End a leg in whatever state it is: refuse, CANCEL or BYE. ``LegEnded`` (or ``LegRefused`` for an unanswered
        outbound leg) follows. ``reason`` is told to who called, for people to read."""
        ...

    def reachable(self, agent_id: str) -> bool:
        """Whether a phone of this agent is registered now, and answers."""
        ...

    def expect_calls(self, agent_id: str, *, wanted: bool) -> None:
        """This agent may be rung any moment from now on, or no longer: phones that could vanish unnoticed are watched
        meanwhile. One that falls silent, or is back, is told as if it had registered off or on."""
        ...

    def encryption_for(self, agent_id: str) -> EncryptionPolicy | None:
        """How media to this agent's phones is to be offered: ``None`` for plain, as where no key may be sent there."""
        ...


class LatchPolicy(StrEnum):
    """From where a leg's audio is accepted."""

    SDP_ADDRESS = "sdp_address"
    """Only from the address the SDP names."""
    LEARN = "learn"
    """From the first valid stream within the latch window, which must come from the signalling peer's address."""


@dataclass(frozen=True, slots=True)
class LegProfile:
    """How to meet one leg's media."""

    peer_address: str
    latch: LatchPolicy = LatchPolicy.LEARN
    browser: bool = False
    """Whether the far end is a browser, which is met with Opus when another leg of the session is wideband."""
    encryption: EncryptionPolicy | None = None
    """``None`` for the installation's own policy."""


class Route(msgspec.Struct, frozen=True):
    """One cell of the gain matrix: what ``source`` says is heard by ``destination``; 0 dB is unchanged."""

    source: str
    destination: str
    gain_db: float = 0.0


class LegStatistics(msgspec.Struct, frozen=True):
    """What one leg's stream carried. ``heard`` tells whether any audible frame came in."""

    packets_in: int
    packets_out: int
    packets_lost: int
    packets_dropped: int
    """Refused: wrong source, malformed, too late."""
    heard: bool
    jitter_ms: float = 0.0
    """Of what came in, towards the end (RFC 3550 section 6.4.1)."""
    round_trip_ms: float | None = None
    """``None`` for a far end that sends no RTCP reports, as for the next."""
    far_loss_percent: float | None = None
    """Of our packets, how many the far end missed lately."""
    mos: float | None = None
    """Estimated quality of what came in, 1 to 4.4 (``callcenter.media.quality``); ``None`` when nothing came."""
    codec: str = ""
    """What we sent with last (``callcenter.media.codecs.Codec``), empty for a leg that was never described."""
    worst_mos: float | None = None
    """Of the worst five seconds, in the worse direction; ``None`` for a leg too short to tell."""
    worst_loss_percent: float | None = None
    """Packets lost in these."""


class DigitPressed(msgspec.Struct, frozen=True):
    """A digit came in on a leg's audio stream (RFC 4733, or as tones from a far end without telephone events)."""

    session_id: str
    leg_id: str
    digit: str
    secret: bool = False
    """Pressed while the leg was secured (``MediaPlane.secure``): not to be logged, journaled or shown."""


class PlayFinished(msgspec.Struct, frozen=True):
    """A play order is over: ``end``, ``barge_in``, ``stopped`` or ``failed``. Told exactly once for each ``play``."""

    session_id: str
    play_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class LegSilent:
    """No RTP came for the timeout, hold excepted."""

    session_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class LegQuiet:
    """Nothing audible was said for 5 s on the only leg of a recording (a message). Told once for each recording."""

    session_id: str
    leg_id: str
    has_spoken: bool
    """Whether anything was said before."""


@dataclass(frozen=True, slots=True)
class LegQualityTurned:
    """A leg's stream began to sound poor, or is fine again (``callcenter.media.stretches``)."""

    session_id: str
    leg_id: str
    is_poor: bool
    mos: float
    """Of the last five seconds, in the worse direction."""
    loss_percent: float
    jitter_ms: float
    round_trip_ms: float | None


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The media of a session is gone for good."""

    session_id: str


@dataclass(frozen=True, slots=True)
class LegsStranded:
    """What these legs' far ends send to is gone, while the session itself is well: each wants a new offer.

    Told again every few seconds until they are offered.
    """

    session_id: str
    leg_ids: tuple[str, ...]


MediaEvent = DigitPressed | PlayFinished | LegSilent | LegQuiet | LegQualityTurned | LegsStranded | SessionLost


class RecordingAction(StrEnum):
    """What may be ordered of a recording."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """A recording is closed and on disk; told once for each one that was started, also after its session is gone."""

    session_id: str
    recording_id: str
    path: str
    """Where it is, empty when nothing could be written at all."""
    sha256: str
    """Of the file as it is on disk, in hexadecimal digits."""
    duration_ms: int
    """Length, paused stretches included."""
    truncated: str | None
    """Why audio is missing (``disk_full``, ``disk_error``, ``overflow``, ``interrupted``), ``None`` when none is."""


@dataclass(frozen=True, slots=True)
class RecordingDegraded:
    """Audio is being lost in a recording under way; told once for each reason, see ``RecordingFinished.truncated``."""

    session_id: str
    recording_id: str
    reason: str


RecordingEvent = RecordingFinished | RecordingDegraded
"""What is told of recordings. They outlive their sessions, so these go to a sink of their own."""


class Match(msgspec.Struct, frozen=True):
    """What the customer store knows about a caller: ``none``, ``one``, ``many`` or ``unavailable``.

    All that follows ``customer_ids`` is set when there is exactly one.
    """

    state: str
    customer_ids: tuple[str, ...] = ()
    name: str | None = None
    language: str | None = None
    level: str | None = None
    owner: str | None = None
    """The agent who owns the record."""
    last_agent: str | None = None
    """The agent of the last conversation."""


class Answer(StrEnum):
    """What the customer store says to a question of yes or no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """It did not answer in time."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether somebody may be called now, by consent, do-not-call list and hour; ``reasons`` are the store's against,
    ``zones`` where the customer lives as far as it knows (IANA names). ``code`` and ``text`` are what a desk is told
    of a no."""

    answer: Answer = Answer.UNKNOWN
    reasons: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    code: str = ""
    text: str = ""


class CustomerDirectory(Protocol):
    """Finds customers by number, and knows what they wish."""

    async def match(self, number: str) -> Match:
        """Who has this number. Never raises: a slow, dead or lying store is ``unavailable`` after a deadline."""
        ...

    async def may_call_back(self, number: str) -> Leave:
        """Whether this number may be called back. Never raises: without an answer in time it is ``unknown``."""
        ...

    async def may_dial(self, agent_id: str, number: str) -> Leave:
        """Whether this agent (empty: the house) may call this number of an own accord; quiet hours count. Never
        raises: without an answer in time it is ``unknown``."""
        ...


class Prompts(Protocol):
    """Where spoken prompts are found."""

    async def path(self, prompt: PromptText) -> str:
        """A WAV file (8 kHz, mono, 16 bit) that says this."""
        ...


class MediaPlane(Protocol):
    """Orders to the media processes. A session is one conversation; its legs hear each other only by routes.

    Media events go to the sink given at construction. Failures raise ``MediaError``. Orders are carried out in order;
    only ``record``, ``secure``, ``remove_leg`` and ``destroy`` return when it is so. Of a session of which something
    else is refused ``SessionLost`` is told.
    """

    async def create(self, session_id: str) -> None:
        """Open a session. Raises ``MediaError`` when media is overloaded or absent."""
        ...

    async def answer_offer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> str:
        """Meet a far end's offer: add the leg (or renegotiate an existing one) and return our SDP answer.

        Raises ``NoCommonCodec`` when there is none.
        """
        ...

    async def make_offer(self, session_id: str, leg_id: str, *, encryption: EncryptionPolicy | None = None) -> str:
        """Add a leg and return our SDP offer for it; an existing leg's present description is offered again.

        ``encryption`` as in ``LegProfile``; ``OPTIONAL`` offers keys beside plain media where the installation has
        encryption. A leg that is encrypted is offered nothing less.
        """
        ...

    async def accept_answer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> None:
        """Take the far end's answer to our offer."""
        ...

    async def remove_leg(self, session_id: str, leg_id: str) -> LegStatistics | None:
        """Close a leg, its routes and its plays. ``None`` when it was not there."""
        ...

    async def route(self, session_id: str, routes: Sequence[Route]) -> None:
        """Set the complete gain matrix, from the next frame on. A pair of unity routes is relayed on arrival."""
        ...

    async def play(
        self,
        session_id: str,
        leg_id: str,
        play_id: str,
        paths: Sequence[str],
        *,
        loop: bool = False,
        barge_in: bool = False,
        duck_db: float | None = None,
    ) -> None:
        """Play WAV files (8 kHz mono 16-bit) one after the other to a leg, over whatever it hears by routes.

        ``duck_db`` (0 or less) is the gain of everything else that the leg hears, parties and other plays, while this
        sounds. Without it a play that ends by itself lowers looping ones (music) by 14 dB, and nothing else. Raises
        ``MediaError`` for a positive one.
        """
        ...

    async def stop_play(self, session_id: str, play_id: str) -> None:
        """Stop a play; harmless when it is over."""
        ...

    async def send_digits(self, session_id: str, leg_id: str, digits: str) -> None:
        """Press digits (``0-9 * # A-D``) towards a leg: telephone events (RFC 4733), or tones where it has none.

        Returns when they are ordered; each takes 100 ms and a pause, in which the leg hears nothing else. What is
        ordered for one leg is sent in order. A worker that dies takes digits under way along rather than sending some
        twice. Raises ``MediaError`` for a leg that is not there or not described yet, and for anything but digits.
        """
        ...

    async def secure(self, session_id: str, leg_id: str, *, on: bool) -> None:
        """Secure a leg while its party enters a card number: digits reach the sink only, as ``secret``.

        Everybody else, recordings included, hears a flat tone instead of the leg, which itself hears what it did.
        The end takes effect 0.3 s late, for what is still on its way. Repeating an order is harmless; it survives a
        worker's death. Raises ``MediaError`` for a leg that is not there.
        """
        ...

    async def record(
        self,
        session_id: str,
        recording_id: str,
        action: RecordingAction,
        *,
        left: str = "",
        right: str = "",
        retention: str = "standard",
    ) -> None:
        """Record what two legs say, ``left`` (the customer) and ``right`` (the agent) each in a channel of its own;
        with ``right`` empty (a message) only the one.

        The legs and the retention class are read with ``START`` only. What is said while paused is silence of equal
        length. Stopping is harmless when it is over; destroying the session stops its recordings. Raises ``MediaError``
        for a leg or a recording that is not there, an id in use, and when recording is not set up. A pause that raised
        must be taken as not done.
        """
        ...

    async def destroy(self, session_id: str) -> Mapping[str, LegStatistics]:
        """Close the session with all its legs; harmless when it is gone."""
        ...
