"""A phone's media, for the demo and the tests: sends a tone or a WAV file, hears, and can tell what it hears."""

import asyncio
import contextlib
import itertools
import secrets
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from callcenter.errors import MediaError
from callcenter.media.audio import read_wav, telephone_rate, tone, tone_share
from callcenter.media.codecs import FORMS, NARROWBAND, Codec, is_wide
from callcenter.media.g711 import Samples, decode, encode, is_audible
from callcenter.media.law import FRAME_MILLISECONDS, FRAME_SAMPLES, SAMPLE_RATE
from callcenter.media.resampling import DoubleRate
from callcenter.media.rtp import RtpPacket, pack, parse
from callcenter.media.sdes import KEY_BYTES, SrtpKey, Suite
from callcenter.media.sdp import AgreedAudio, LocalStream, build_answer, build_offer, read_answer, read_offer
from callcenter.media.srtp import Opener, Seal
from callcenter.media.telephone_event import DigitReceiver, digit_payloads
from callcenter.media.wideband import WIDE_RATE, WIDE_SAMPLES, Decoder, make_decoder, make_encoder
from callcenter.ports import EncryptionPolicy

_FRAME_SECONDS = FRAME_MILLISECONDS / 1000
_EAR_FRAMES = 20
"""Frames over which tones are recognised (0.4 s)."""
_KEPT_HEADERS = 3000
_DIGIT_GAP_FRAMES = 4
_PATIENCE = 15.0
"""Seconds for what is about to be heard: the machine may have other things to do."""
_LATE_SECONDS = 0.3
"""A frame that leaves so long after its time may come too late for who needs it at once."""


@dataclass(slots=True)
class EndpointCounters:
    """What an endpoint has sent and heard."""

    packets_sent: int = 0
    packets_received: int = 0
    audible_frames: int = 0
    late_frames: int = 0
    """Sent 0.3 s or more after their time, because this process did not get the processor."""


class RtpEndpoint(asyncio.DatagramProtocol):
    """One end of one audio stream. Make it with ``open``, describe it with the ``sdp`` methods, then ``start`` it."""

    def __init__(self, codecs: Sequence[Codec] = NARROWBAND, suites: Sequence[Suite] = ()) -> None:
        self.codecs = tuple(codecs)
        """What this endpoint offers and takes, the preferred one first."""
        self._keys = tuple(SrtpKey(suite, secrets.token_bytes(KEY_BYTES[suite])) for suite in suites)
        self._seal: Seal | None = None
        self._opener: Opener | None = None
        self.counters = EndpointCounters()
        self.digits = ""
        """Digits received so far."""
        self.packets: deque[RtpPacket] = deque(maxlen=_KEPT_HEADERS)
        """The last packets received, for looking at their headers."""
        self.audio: AgreedAudio | None = None
        """What offer and answer agreed upon."""
        self._transport: asyncio.DatagramTransport | None = None
        self._local = LocalStream("", 0, secrets.randbits(31), 1)
        self._ear: deque[Samples] = deque(maxlen=_EAR_FRAMES)
        self._tape: list[Samples] | None = None
        self._news = asyncio.Event()
        self._receiver = DigitReceiver()
        self._sender: asyncio.Task[None] | None = None
        self.ssrc = secrets.randbits(32)
        """Of what this endpoint sends."""
        self._sequence = secrets.randbelow(1 << 15)
        self._timestamp = secrets.randbelow(1 << 31)
        self._material: list[bytes] = []
        self._decoder: Decoder | None = None
        self._next_key = 0
        self._pressed: deque[tuple[str, asyncio.Future[None]]] = deque()

    @classmethod
    async def open(
        cls,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        codecs: Sequence[Codec] = NARROWBAND,
        suites: Sequence[Suite] = (),
    ) -> "RtpEndpoint":
        """Bind a socket; port 0 takes any. With ``suites`` the endpoint speaks SRTP only."""
        loop = asyncio.get_running_loop()
        _, endpoint = await loop.create_datagram_endpoint(
            lambda: cls(codecs, suites), (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        return endpoint

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is bound."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        host, port, *_ = transport.get_extra_info("sockname")
        self._local = LocalStream(host, port, secrets.randbits(31), 1)

    @property
    def address(self) -> tuple[str, int]:
        """Where this endpoint listens."""
        return self._local.address, self._local.port

    @property
    def heard(self) -> int:
        """Audible frames received."""
        return self.counters.audible_frames

    def sdp_offer(self) -> str:
        """Describe this endpoint as an offer."""
        return build_offer(self._local, codecs=self.codecs, keys=self._keys)

    def sdp_answer(self, offer: str) -> str:
        """Accept an offer and describe this endpoint as the answer. Raises ``NoCommonCodec`` or ``SdpError``."""
        policy = EncryptionPolicy.REQUIRED if self._keys else EncryptionPolicy.OFF
        read = read_offer(offer, spoken=self.codecs, encryption=policy)
        self._agree(read.audio)
        crypto = read.audio.crypto
        key = None if crypto is None else next(key for key in self._keys if key.suite == crypto.key.suite)
        return build_answer(read, self._local, key=key)

    def accept(self, answer: str) -> None:
        """Take the answer to our offer. Raises ``NoCommonCodec`` or ``SdpError``."""
        self._agree(read_answer(answer, offered=self.codecs, keys=self._keys))

    def start(self, sound: float | str | Path) -> None:
        """Send a tone (Hertz, 0 for silence) or a WAV file, again and again; may be called anew to change the sound."""
        codec = self._agreed().send_codec
        if isinstance(sound, str | Path):
            samples = telephone_rate(*read_wav(Path(sound).read_bytes()))
            samples = DoubleRate().next(samples) if is_wide(codec) else samples
        else:
            samples = tone(sound, 1.0, level=0.25 if sound else 0.0, rate=_rate(codec))
        self._material = _frames(samples, codec)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_for_ever(), name="rtp-endpoint")

    async def pause(self) -> None:
        """Stop sending; ``start`` goes on."""
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender
            self._sender = None

    async def send_digits(self, digits: str) -> None:
        """Send digits as telephone events (RFC 4733); returns when the last one is sent. Must be started.

        Raises ``MediaError`` when telephone events were not agreed upon.
        """
        if self._agreed().send_event_type is None or self._sender is None:
            raise MediaError("digits cannot be sent")
        done = [asyncio.get_running_loop().create_future() for _ in digits]
        self._pressed.extend(zip(digits, done, strict=True))
        await asyncio.gather(*done)

    def heard_tone(self, frequency: float) -> float:
        """How much of the last 0.4 s heard is this frequency, 0 to 1."""
        if not self._ear:
            return 0.0
        return tone_share(np.concatenate(list(self._ear)), frequency, rate=_rate(self._agreed().send_codec))

    async def hear(self, seconds: float, timeout: float = _PATIENCE) -> Samples:  # noqa: ASYNC109 - a phone's own patience
        """The sound of so many seconds from now on. Raises ``TimeoutError`` after ``timeout`` seconds more."""
        tape = self._tape = []
        frames = round(seconds / _FRAME_SECONDS)
        try:
            await self._wait(lambda: len(tape) >= frames, seconds + timeout)
        finally:
            self._tape = None
        return np.concatenate(tape[:frames])

    def send_raw(self, datagram: bytes) -> None:
        """Send any datagram from this endpoint's port, for trying out what a far end makes of it."""
        agreed = self._agreed()
        if self._transport is not None:
            self._transport.sendto(datagram, (agreed.address, agreed.port))

    async def wait_heard(
        self,
        frequency: float,
        timeout: float = _PATIENCE,  # noqa: ASYNC109 - a phone's own patience
        *,
        share: float = 0.4,
    ) -> None:
        """Wait until a tone makes up ``share`` of what is heard. Raises ``TimeoutError`` after ``timeout`` seconds."""
        await self._wait(lambda: len(self._ear) == _EAR_FRAMES and self.heard_tone(frequency) >= share, timeout)

    async def wait_frames(self, count: int, timeout: float = _PATIENCE) -> None:  # noqa: ASYNC109 - a phone's own patience
        """Wait for so many more packets. Raises ``TimeoutError``."""
        wanted = self.counters.packets_received + count
        await self._wait(lambda: self.counters.packets_received >= wanted, timeout)

    async def wait_digits(self, digits: str, timeout: float = _PATIENCE) -> None:  # noqa: ASYNC109 - a phone's own patience
        """Wait until these digits are all that was received. Raises ``TimeoutError``."""
        await self._wait(lambda: self.digits == digits, timeout)

    async def close(self) -> None:
        """Stop sending and close the socket."""
        await self.pause()
        for _, done in self._pressed:
            done.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - asyncio's signature
        """Hear one packet."""
        plain = data if self._opener is None else self._opener.rtp(data)
        packet = None if plain is None else parse(plain)
        if packet is None or self.audio is None:
            return
        self.counters.packets_received += 1
        self.packets.append(packet)
        codec = dict(self.audio.receive_codecs).get(packet.payload_type)
        if codec is not None:
            self._hear(packet.payload, codec)
        elif packet.payload_type == self.audio.receive_event_type:
            self.digits += self._receiver.receive(packet.ssrc, packet.timestamp, packet.payload) or ""
        self._news.set()

    def error_received(self, exc: Exception) -> None:
        """Nobody listens at the other end; that is theirs to mend."""

    def _hear(self, payload: bytes, codec: Codec) -> None:
        law = FORMS[codec].law
        if law is not None:
            samples = decode(payload, law)
        else:
            if self._decoder is None:
                self._decoder = make_decoder(codec)
            samples = self._decoder.decode(payload)
        self.counters.audible_frames += is_audible(samples)
        self._ear.append(samples)
        if self._tape is not None:
            self._tape.append(samples)

    async def _wait(self, is_so: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    def _agree(self, audio: AgreedAudio) -> None:
        self.audio = audio
        if audio.crypto is not None:
            self._seal = Seal(next(key for key in self._keys if key.suite == audio.crypto.key.suite))
            self._opener = Opener(audio.crypto.key)

    def _agreed(self) -> AgreedAudio:
        if self.audio is None:
            raise MediaError("nothing is agreed upon yet")
        return self.audio

    async def _send_for_ever(self) -> None:
        """One packet every 20 ms by absolute deadlines; digits take the place of sound."""
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        payload_type = self._agreed().send_payload_type
        for number in itertools.count():
            if self._pressed and number >= self._next_key:
                await self._send_key(*self._pressed.popleft(), deadline)
                deadline = loop.time()
                self._next_key = number + _DIGIT_GAP_FRAMES
            self.counters.late_frames += loop.time() - deadline >= _LATE_SECONDS
            self._send(payload_type, self._frame(number), self._timestamp, marker=number == 0)
            self._timestamp = (self._timestamp + self._frame_units()) & 0xFFFFFFFF
            deadline += _FRAME_SECONDS
            await asyncio.sleep(max(0.0, deadline - loop.time()))

    async def _send_key(self, digit: str, done: asyncio.Future[None], deadline: float) -> None:
        start = self._timestamp
        event_type = self._agreed().send_event_type or 0
        for number, payload in enumerate(digit_payloads(digit)):
            self._send(event_type, payload, start, marker=number == 0)
            self._timestamp = (self._timestamp + self._frame_units()) & 0xFFFFFFFF
            deadline += _FRAME_SECONDS
            await asyncio.sleep(max(0.0, deadline - asyncio.get_running_loop().time()))
        if not done.done():
            done.set_result(None)

    def _frame(self, number: int) -> bytes:
        return self._material[number % len(self._material)]

    def _frame_units(self) -> int:
        return FORMS[self._agreed().send_codec].frame_units

    def _send(self, payload_type: int, payload: bytes, timestamp: int, *, marker: bool) -> None:
        agreed = self._agreed()
        if self._transport is None or not agreed.may_send:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        packet = RtpPacket(payload_type, self._sequence, timestamp, self.ssrc, payload, marker)
        datagram = pack(packet)
        self._transport.sendto(
            datagram if self._seal is None else self._seal.rtp(datagram), (agreed.address, agreed.port)
        )
        self.counters.packets_sent += 1


def _rate(codec: Codec) -> int:
    """Samples per second of what a codec carries."""
    return WIDE_RATE if is_wide(codec) else SAMPLE_RATE


def _frames(samples: Samples, codec: Codec) -> list[bytes]:
    """The payloads of 20 ms each; the last one is filled up with silence."""
    law = FORMS[codec].law
    size = WIDE_SAMPLES if law is None else FRAME_SAMPLES
    frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    if law is not None:
        return [encode(frame, law) for frame in frames]
    encoder = make_encoder(codec)
    return [encoder.encode(frame) for frame in frames]
