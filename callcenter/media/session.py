"""A session as the exchange last described it, and what offer and answer make of each of its legs."""

import asyncio
import secrets
from dataclasses import dataclass, field

from callcenter.chance import random_bits
from callcenter.errors import MediaError
from callcenter.media.codecs import EVERY, FORMS, NARROWBAND, TELEPHONE, Codec, is_wide
from callcenter.media.law import Law
from callcenter.media.protocol import LegCounts, LegSpec, PlaySpec, RecordingSpec, RouteSpec, SessionSpec
from callcenter.media.sdes import KEY_BYTES, SrtpKey, Suite
from callcenter.media.sdp import EVENT_PAYLOAD_TYPE, NO_HOSTS, AgreedAudio, LocalStream
from callcenter.media.wideband import has_opus
from callcenter.ports import LatchPolicy, LegProfile


@dataclass(slots=True)
class PlaneSession:
    """A session as it shall be, and what is known of how far ``mediad`` is with it."""

    session_id: str
    version: int = 0
    """Of the newest description that left."""
    changes: int = 0
    """Orders so far, also those that left as one."""
    is_closed: bool = False
    legs: dict[str, LegSpec] = field(default_factory=dict)
    routes: tuple[RouteSpec, ...] = ()
    plays: dict[str, PlaySpec] = field(default_factory=dict)
    recordings: dict[str, RecordingSpec] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    closed: dict[str, LegCounts] = field(default_factory=dict)
    """Figures of legs that are gone, until somebody takes them."""
    waiting: "list[asyncio.Future[None]]" = field(default_factory=list)
    """Who waits for the next order to be carried out."""
    told: set[str] = field(default_factory=set)
    """Legs of which ``mediad`` has been told."""
    descriptions: dict[str, tuple[LocalStream, str]] = field(default_factory=dict)
    """What each leg's far end was last sent."""
    offered: dict[str, tuple[Codec, ...]] = field(default_factory=dict)
    """The codecs of our last offer to each leg."""
    keys: dict[str, tuple[SrtpKey, ...]] = field(default_factory=dict, repr=False)
    """Our keys for each leg, one for each suite, for the whole life of the leg."""
    sealed: set[str] = field(default_factory=set)
    """Legs whose last offer of ours was encrypted."""
    beside: set[str] = field(default_factory=set)
    """Legs whose last offer of ours had keys beside plain media."""
    kept_beside: set[str] = field(default_factory=set)
    """Those that took the keys, and kept the profile of plain media."""

    def key(self, leg_id: str, suite: str) -> SrtpKey:
        """Our key for a leg in a suite."""
        return next(key for key in self.keys_for(leg_id) if key.suite == suite)

    def keys_for(self, leg_id: str) -> tuple[SrtpKey, ...]:
        """Our keys for a leg, the preferred suite first."""
        if leg_id not in self.keys:
            self.keys[leg_id] = tuple(SrtpKey(suite, secrets.token_bytes(KEY_BYTES[suite])) for suite in Suite)
        return self.keys[leg_id]

    def next_spec(self) -> SessionSpec:
        """The next version of the description."""
        self.version += 1
        self.told |= self.legs.keys()
        return SessionSpec(
            self.session_id,
            self.version,
            tuple(self.legs.values()),
            self.routes,
            tuple(self.plays.values()),
            tuple(self.recordings.values()),
        )

    def forget(self, leg_id: str) -> None:
        """A leg is gone for good."""
        for known in (self.descriptions, self.offered, self.keys, self.ports):
            known.pop(leg_id, None)
        self.sealed.discard(leg_id)
        self.beside.discard(leg_id)
        self.kept_beside.discard(leg_id)

    def close(self, error: MediaError) -> None:
        """The session is over; whoever waits for an order hears this."""
        self.is_closed = True
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            if not done.done():
                done.set_exception(error)


def new_ssrc() -> int:
    """For the outgoing stream of a new leg (RFC 3550 section 8)."""
    return random_bits(32)


def started(session: PlaneSession, recording_id: str, left: str, right: str, retention: str) -> RecordingSpec:
    """A new recording, in the law of its left leg. Raises ``MediaError``."""
    if recording_id in session.recordings:
        raise MediaError("the recording id is in use")
    if left not in session.legs or (right and right not in session.legs) or left == right:
        raise MediaError("a recording names a leg that is not there, or one twice")
    codecs = session.legs[left].receive_codecs
    law = FORMS[Codec(codecs[0][1])].law if codecs else None
    return RecordingSpec(recording_id, left, right, law or Law.PCMU, retention)


def is_wide_beside(session: PlaneSession, leg_id: str) -> bool:
    """Whether another leg of the session speaks wideband, so that this one gains by it."""
    others = (leg for other, leg in session.legs.items() if other != leg_id)
    return any(is_wide(Codec(leg.send_codec)) for leg in others)


def spoken(session: PlaneSession, leg_id: str, profile: LegProfile) -> tuple[Codec, ...]:
    """What we take of a far end's offer."""
    return EVERY if profile.browser and is_wide_beside(session, leg_id) and has_opus() else TELEPHONE


def offered(session: PlaneSession, leg: LegSpec) -> tuple[Codec, ...]:
    """What we offer a leg: its present codec first, wideband only where there is another wideband leg."""
    present = Codec(leg.send_codec)
    codecs = TELEPHONE if is_wide(present) or is_wide_beside(session, leg.leg_id) else NARROWBAND
    first = codecs[0] if leg.remote is None or present not in codecs else present
    return tuple(sorted(codecs, key=lambda codec: codec is not first))


def acceptable(codecs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """What an answer may choose where these were offered: the edge for browsers adds Opus to wideband."""
    return (Codec.OPUS, *codecs) if Codec.G722 in codecs and has_opus() else codecs


def event_type(leg: LegSpec) -> int:
    """What telephone-event is called in our descriptions of this leg."""
    return EVENT_PAYLOAD_TYPE if leg.receive_event_type is None else leg.receive_event_type


def described(leg: LegSpec, audio: AgreedAudio, profile: LegProfile, key: SrtpKey | None) -> LegSpec:
    """The leg as offer and answer leave it. The old hold form names no address, so the former one stays."""
    return LegSpec(
        leg.leg_id,
        leg.ssrc,
        remote=leg.remote if audio.address in NO_HOSTS else (audio.address, audio.port),
        peer_address=profile.peer_address,
        learn=profile.latch is LatchPolicy.LEARN,
        send_payload_type=audio.send_payload_type,
        send_codec=audio.send_codec.value,
        receive_codecs=tuple((number, codec.value) for number, codec in audio.receive_codecs),
        send_event_type=audio.send_event_type,
        receive_event_type=audio.receive_event_type,
        may_send=audio.may_send,
        held=audio.held,
        send_key=key,
        receive_key=None if audio.crypto is None else audio.crypto.key,
        masked=leg.masked,
        port=leg.port,
        has_mux=audio.has_mux,
        control=leg.control if audio.address in NO_HOSTS else audio.control,
    )
