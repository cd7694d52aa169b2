"""rtpengine as the edge: it meets far ends (NAT, SRTP, ICE), and the embedded plane behind it mixes, plays and records.

Each leg is one call of rtpengine between the far end and the plane's own socket. Every offer and answer passes
through it; everything else is the plane's alone. So there is one code path for prompts, digits, mixing and
recordings, whatever stands in front.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from callcenter.errors import MediaError, NoCommonCodec
from callcenter.media.bencode import Decoded, Value
from callcenter.media.rtpengine_control import RtpengineControl, RtpengineRefused
from callcenter.media.sdp_lines import SdpError
from callcenter.media.sdp_lines import parse as parse_sdp
from callcenter.ports import (
    EncryptionPolicy,
    LatchPolicy,
    LegProfile,
    LegsStranded,
    LegStatistics,
    MediaEvent,
    MediaPlane,
    RecordingAction,
    Route,
    SessionLost,
)

log = structlog.get_logger(__name__)

_FAR, _NEAR = "far", "near"
"""Tags of the two sides of a leg at rtpengine."""

_LOOK_EVERY = 2.0
"""Seconds between looks whether rtpengine still has the calls that it was given."""
_WEIGH_EVERY = 0.25
"""Seconds between looks whom it learned, while there are legs whose source it is to learn."""
_MOST_STRANGERS = 3
"""So often a leg is moved away from strangers before its session is given up."""

_UNWANTED_SUITES = [
    f"no-{suite}"
    for suite in (
        "AEAD_AES_256_GCM",
        "AES_256_CM_HMAC_SHA1_80",
        "AES_256_CM_HMAC_SHA1_32",
        "AES_192_CM_HMAC_SHA1_80",
        "AES_192_CM_HMAC_SHA1_32",
        "F8_128_HMAC_SHA1_80",
        "F8_128_HMAC_SHA1_32",
        "NULL_HMAC_SHA1_80",
        "NULL_HMAC_SHA1_32",
    )
]
"""What rtpengine would add by itself, and the plane does not speak."""


@dataclass(frozen=True, slots=True)
class RtpengineSettings:
    """Where rtpengine is, and what its interfaces are called when it has several."""

    address: tuple[str, int] = ("127.0.0.1", 2223)
    inside: str = ""
    """Name of the interface towards the plane, as in rtpengine's ``--interface=NAME/ADDRESS``."""
    outside: str = ""


@dataclass(slots=True)
class _Edges:
    """The legs of one session that rtpengine knows, and those whose far end was offered nothing but encryption."""

    legs: set[str] = field(default_factory=set)
    sealed: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    """Legs that rtpengine has told to have, now or before it was restarted."""
    learning: dict[str, str] = field(default_factory=dict)
    """Legs whose source is learned from whoever comes first, with the only address that may."""
    strangers: Counter[str] = field(default_factory=Counter)
    """How often somebody else came first, by leg."""


class InnerPlane(MediaPlane, Protocol):
    """A plane with a life of its own, such as the embedded one."""

    async def start(self) -> None:
        """Begin to connect."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class RtpenginePlane:
    """Implements ``callcenter.ports.MediaPlane`` around another one. ``start`` first."""

    def __init__(self, inner: InnerPlane, settings: RtpengineSettings, sink: Callable[[MediaEvent], None]) -> None:
        """``sink`` is told of legs that went down with an rtpengine; everything else the inner plane tells."""
        self._inner, self._settings, self._sink = inner, settings, sink
        self._watching: asyncio.Task[None] | None = None
        self._control = RtpengineControl(settings.address)
        self._edges: dict[str, _Edges] = {}
        self._looks = 0

    async def start(self) -> None:
        """Start the plane behind and open the line.

        An rtpengine that is away is told in the log; legs are refused until it is there.
        """
        await self._inner.start()
        await self._control.open()
        try:
            await self._control.ask("ping")
        except MediaError as error:
            log.warning("rtpengine.absent", error=str(error))
        self._watching = asyncio.create_task(self._watch(), name="rtpengine watch")

    async def stop(self) -> None:
        """Close the line and stop the plane behind."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._control.close()
        await self._inner.stop()

    async def create(self, session_id: str) -> None:
        """See ``MediaPlane.create``."""
        await self._inner.create(session_id)
        self._edges[session_id] = _Edges()

    async def answer_offer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> str:
        """See ``MediaPlane.answer_offer``."""
        is_new = not self._knows(session_id, leg_id)
        parse_sdp(sdp)  # what is broken is told as by the plane itself, and never reaches rtpengine
        near = await self._pass("offer", session_id, leg_id, _on_one_port(sdp), offerer=_FAR, profile=profile)
        try:
            answer = await self._inner.answer_offer(session_id, leg_id, near, _near_profile(near, profile))
            told = await self._pass("answer", session_id, leg_id, answer, offerer=_FAR, profile=profile)
            return told if "a=rtcp-mux" in sdp else _without(told, "a=rtcp-mux", "a=rtcp:")
        except MediaError:
            if is_new:
                await self._forget(session_id, leg_id)
            raise

    async def make_offer(self, session_id: str, leg_id: str, *, encryption: EncryptionPolicy | None = None) -> str:
        """See ``MediaPlane.make_offer``."""
        # rtpengine is asked for no keys beside plain media: it would offer keys of its own, on terms of its own.
        inner = None if encryption is EncryptionPolicy.OPTIONAL else encryption
        offer = await self._inner.make_offer(session_id, leg_id, encryption=inner)
        edges = self._edges.setdefault(session_id, _Edges())
        (edges.sealed.add if _is_sealed(offer) else edges.sealed.discard)(leg_id)
        return await self._pass("offer", session_id, leg_id, offer, offerer=_NEAR)

    async def accept_answer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> None:
        """See ``MediaPlane.accept_answer``."""
        if not self._knows(session_id, leg_id):
            raise MediaError("no such leg")
        if leg_id in self._edges[session_id].sealed and not _is_sealed(sdp):
            raise NoCommonCodec("encryption was offered and is not in the answer")  # rtpengine would bridge the two
        near = await self._pass("answer", session_id, leg_id, sdp, offerer=_NEAR, profile=profile)
        await self._inner.accept_answer(session_id, leg_id, near, _near_profile(near, profile))

    async def remove_leg(self, session_id: str, leg_id: str) -> LegStatistics | None:
        """See ``MediaPlane.remove_leg``. The figures are those of the plane."""
        await self._forget(session_id, leg_id)
        return await self._inner.remove_leg(session_id, leg_id)

    async def route(self, session_id: str, routes: Sequence[Route]) -> None:
        """See ``MediaPlane.route``."""
        await self._inner.route(session_id, routes)

    async def destroy(self, session_id: str) -> Mapping[str, LegStatistics]:
        """See ``MediaPlane.destroy``."""
        edges = self._edges.get(session_id, _Edges())
        await asyncio.gather(*(self._forget(session_id, leg_id) for leg_id in [*edges.legs]))
        self._edges.pop(session_id, None)
        return await self._inner.destroy(session_id)

    async def _watch(self) -> None:
        """A restarted rtpengine has forgotten its calls, and their ports: tell that these legs want new ones."""
        loop = asyncio.get_running_loop()
        due = loop.time() + _LOOK_EVERY
        while True:
            await asyncio.sleep(_WEIGH_EVERY)
            with contextlib.suppress(MediaError):  # it is away; what became of the calls is seen when it is back
                await self._weigh_learned()
                if loop.time() >= due:
                    due = loop.time() + _LOOK_EVERY
                    await self._look()

    async def _weigh_learned(self) -> None:
        """Whom rtpengine learned must send from where the leg is signalled; a leg with a stranger gets other ports."""
        for session_id, edges in [*self._edges.items()]:
            for leg_id, address in [*edges.learning.items()]:
                learned = await self._learned(session_id, leg_id)
                if learned is None or edges.learning.get(leg_id) != address:
                    continue
                del edges.learning[leg_id]
                if learned != address:
                    await self._evict(session_id, leg_id)

    async def _learned(self, session_id: str, leg_id: str) -> str | None:
        """From where a leg's far end is heard, ``None`` before it is, or when rtpengine does not know the leg."""
        try:
            answer = await self._control.ask("query", call_id=_call_id(session_id, leg_id))
        except RtpengineRefused:
            return None
        return _confirmed_source(answer)

    async def _evict(self, session_id: str, leg_id: str) -> None:
        edges = self._edges[session_id]
        edges.strangers[leg_id] += 1
        log.warning("rtpengine.stranger_learned", session_id=session_id, times=edges.strangers[leg_id])
        await self._control.ask("delete", call_id=_call_id(session_id, leg_id), delete_delay=0)
        if edges.strangers[leg_id] > _MOST_STRANGERS:
            self._sink(SessionLost(session_id))
        else:
            self._sink(LegsStranded(session_id, (leg_id,)))

    async def _look(self) -> None:
        """Ask for one leg, another one each time; only where that one is forgotten, for all of them."""
        every = [(session_id, leg_id) for session_id, edges in self._edges.items() for leg_id in edges.settled]
        self._looks += 1
        if not every or await self._has(*every[self._looks % len(every)]):
            return
        forgotten: dict[str, list[str]] = {}
        for session_id, leg_id in every:
            if not await self._has(session_id, leg_id):
                forgotten.setdefault(session_id, []).append(leg_id)
        for session_id, legs in forgotten.items():
            log.warning("rtpengine.legs_forgotten", session_id=session_id, legs=len(legs))
            self._sink(LegsStranded(session_id, tuple(legs)))

    async def _has(self, session_id: str, leg_id: str) -> bool:
        """Whether it knows a leg; one that was removed meanwhile tells nothing."""
        try:
            await self._control.ask("query", call_id=_call_id(session_id, leg_id))
        except RtpengineRefused:
            return not self._knows(session_id, leg_id)
        return True

    def _knows(self, session_id: str, leg_id: str) -> bool:
        return leg_id in self._edges.get(session_id, _Edges()).legs

    async def _pass(
        self, command: str, session_id: str, leg_id: str, sdp: str, *, offerer: str, profile: LegProfile | None = None
    ) -> str:
        """Have rtpengine rewrite a description on its way to the other side."""
        self._edges.setdefault(session_id, _Edges()).legs.add(leg_id)
        answerer = _NEAR if offerer == _FAR else _FAR
        writer = offerer if command == "offer" else answerer
        learns = profile is not None and writer == _FAR and _is_behind_nat(sdp, profile)
        fields: dict[str, Value] = {
            "call_id": _call_id(session_id, leg_id),
            "from_tag": offerer,
            "sdp": sdp,
            "flags": ["trust-address", "strict-source", *([] if learns else ["asymmetric"])],
            "replace": ["origin"],
        }
        if command == "answer":
            fields["to_tag"] = answerer
        else:
            fields |= {"ICE": "remove", "DTLS": "off", "SDES": _UNWANTED_SUITES}
            fields["rtcp_mux"] = ["demux"] if offerer == _FAR else ["require"]
            if "UDP/TLS/" in sdp:
                fields["transport_protocol"] = "RTP/AVP"
            names = {_NEAR: self._settings.inside, _FAR: self._settings.outside}
            if all(names.values()):
                fields["direction"] = [names[offerer], names[answerer]]
        if profile is not None and writer == _FAR:
            fields["received_from"] = ["IP6" if ":" in profile.peer_address else "IP4", profile.peer_address]
        answer = await self._control.ask(command, **fields)
        text = answer.get("sdp")
        if not isinstance(text, bytes):
            raise MediaError("rtpengine's answer holds no description")
        edges = self._edges.get(session_id)
        if edges is not None:
            edges.settled.add(leg_id)
            if learns and profile is not None:
                edges.learning[leg_id] = profile.peer_address
            elif writer == _FAR:
                edges.learning.pop(leg_id, None)
        return text.decode("utf-8", "replace")

    async def _forget(self, session_id: str, leg_id: str) -> None:
        """Close a leg at rtpengine; one that is away forgets it by itself after its own time-out."""
        edges = self._edges.get(session_id)
        if edges is None or leg_id not in edges.legs:
            return
        edges.legs.discard(leg_id)
        edges.settled.discard(leg_id)
        edges.learning.pop(leg_id, None)
        try:
            await self._control.ask("delete", call_id=_call_id(session_id, leg_id), delete_delay=0)
        except MediaError as error:
            log.warning("rtpengine.leg_not_closed", session_id=session_id, error=str(error))

    # What concerns the plane alone.

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
        """See ``MediaPlane.play``."""
        await self._inner.play(session_id, leg_id, play_id, paths, loop=loop, barge_in=barge_in, duck_db=duck_db)

    async def stop_play(self, session_id: str, play_id: str) -> None:
        """See ``MediaPlane.stop_play``."""
        await self._inner.stop_play(session_id, play_id)

    async def send_digits(self, session_id: str, leg_id: str, digits: str) -> None:
        """See ``MediaPlane.send_digits``."""
        await self._inner.send_digits(session_id, leg_id, digits)

    async def secure(self, session_id: str, leg_id: str, *, on: bool) -> None:
        """See ``MediaPlane.secure``."""
        await self._inner.secure(session_id, leg_id, on=on)

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
        """See ``MediaPlane.record``."""
        await self._inner.record(session_id, recording_id, action, left=left, right=right, retention=retention)


def _call_id(session_id: str, leg_id: str) -> str:
    return f"{session_id}/{leg_id}"


def _is_behind_nat(sdp: str, profile: LegProfile) -> bool:
    """Whether a far end's true address must be learned: its description names another one than it signals from.

    rtpengine learns from whoever comes first, so everybody else, who may send from the described address only, is told
    as asymmetric, which ends that.
    """
    return profile.latch is LatchPolicy.LEARN and any(
        media.address != profile.peer_address for media in parse_sdp(sdp).media
    )


def _confirmed_source(answer: Mapping[str, Decoded]) -> str | None:
    """The far end's address in what rtpengine tells of a leg, once a packet came from there."""
    try:
        stream = answer["tags"][_FAR]["medias"][0]["streams"][0]  # type: ignore[call-overload, index]
        return stream["endpoint"]["address"].decode() if b"confirmed" in stream["flags"] else None  # type: ignore[call-overload, index, operator, union-attr]
    except (KeyError, IndexError, TypeError):
        return None


def _on_one_port(sdp: str) -> str:
    """A far end's offer as if it could have its reports on the port of its speech (RFC 5761).

    Otherwise rtpengine opens a second port for them, passes on whatever comes there, and learns its sender apart.
    """
    head, line, rest = _without(sdp, "a=rtcp:", "a=rtcp-mux").partition("m=audio")
    audio, following, others = rest.partition("\nm=")
    if not line:
        return sdp
    return f"{head}{line}{audio.rstrip()}\r\na=rtcp-mux{following or chr(10)}{others}"


def _without(sdp: str, *beginnings: str) -> str:
    return "".join(line for line in sdp.splitlines(keepends=True) if not line.startswith(beginnings))


def _is_sealed(sdp: str) -> bool:
    """Whether the audio of a description is encrypted. Raises ``SdpError``."""
    return any("SAVP" in media.protocol for media in parse_sdp(sdp).media if media.kind == "audio")


def _near_profile(near: str, profile: LegProfile) -> LegProfile:
    """To the plane the far end is rtpengine, at the address that its description names."""
    media = parse_sdp(near).media
    if not media:
        raise SdpError("no media line")
    return replace(profile, peer_address=media[0].address, latch=LatchPolicy.SDP_ADDRESS)
