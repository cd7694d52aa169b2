"""One leg's RTP socket in a worker: what comes in is checked and passed on, what goes out is one steady stream."""

import ctypes
import secrets
import socket

from callcenter.media.codecs import FORMS, Codec
from callcenter.media.g711 import TRANSCODE, Law, Samples
from callcenter.media.inband import ToneDigits
from callcenter.media.jitter import JitterBuffer
from callcenter.media.latch import SILENCE_BEFORE_CHANGE, Address, SourceLatch
from callcenter.media.masking import masked_payload
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.clips import Playback
from callcenter.media.mediad.ear import Ear, Heard, Rates
from callcenter.media.mediad.keys import KeyPresses
from callcenter.media.mediad.sealing import LegSealing
from callcenter.media.mediad.tap import Tap
from callcenter.media.outgoing import OutgoingStream
from callcenter.media.protocol import LegCounts, LegSpec
from callcenter.media.resampling import DoubleRate
from callcenter.media.rtcp import Reporter, is_control
from callcenter.media.rtp import HEADER, LARGEST_PACKET, MARKER, VERSION_2, Header, ReceptionCount, read_header
from callcenter.media.telephone_event import DigitReceiver
from callcenter.media.track import Track
from callcenter.media.wideband import Encoder, make_encoder
from callcenter.ports import LatchPolicy

_BURST = 16
"""Packets read from one socket before the others have their turn."""
_REPORT_EVERY = 5000
"""Milliseconds between our RTCP reports (RFC 3550 section 6.2)."""
_RATE = 120
"""Packets per second that one leg may send us: twice the nominal rate and some digits."""
_SSRC_REST = 1000
"""Milliseconds between accepted changes of a stream's SSRC."""
_MASK_LINGERS = 300
"""Milliseconds for which a leg stays masked after its time: digits may still be on their way."""
_UNSPECIFIED = b"\0" * 16
_libc = ctypes.CDLL(None, use_errno=True)
_buffer = bytearray(LARGEST_PACKET + 1)
_view = memoryview(_buffer)


class RtpLeg:
    """One far end. ``now`` is in milliseconds of the monotonic clock."""

    def __init__(self, spec: LegSpec, sock: socket.socket, checkpoint: Checkpoint, slot: int, *, now: int) -> None:
        self.spec = spec
        self.socket = sock
        self.relays: list[RtpLeg] = []
        """Legs that hear this one as its packets arrive."""
        self.inputs: list[tuple[RtpLeg, float]] = []
        """Legs that this one hears mixed, with their gains."""
        self.plays: list[Playback] = []
        self.keys: KeyPresses | None = None
        """Digits being pressed towards this leg."""
        self.taps: list[tuple[Tap, Track]] = []
        """Recordings that hear this leg, each with the channel it is heard in."""
        self.ring: JitterBuffer | None = None
        """Present while this leg is an input of another."""
        self.is_emptied = False
        """Whether nothing was left to read when this leg was last read from."""
        self.silent_since: int | None = now
        """Start of the present silence, ``None`` once it has been told."""
        self._checkpoint, self._slot = checkpoint, slot
        counts = checkpoint.noted(slot)
        self._reception = ReceptionCount(received=counts.packets_in, lost=counts.packets_lost)
        self._out, self._dropped, self._heard = counts.packets_out, counts.packets_dropped, counts.heard
        sequence, timestamp, at = checkpoint.stamped(slot, spec.ssrc) or (
            secrets.randbelow(0x8000),
            secrets.randbelow(1 << 31),
            now,
        )
        self._sealing = LegSealing.of(spec)
        if self._sealing is not None:
            sequence += self._sealing.take_over(checkpoint, slot, spec.ssrc)
        self._outgoing = OutgoingStream(spec.ssrc, sequence=sequence & 0xFFFF, timestamp=timestamp, at=at)
        self._reports = Reporter()
        self._report_due = now + _REPORT_EVERY // 2 + slot * 37 % (_REPORT_EVERY // 2)
        self._far = (counts.round_trip_ms, counts.far_loss)
        self._digits = DigitReceiver()
        self._ear, self._tone_ear = Ear(), Ear()
        self._tones: ToneDigits | None = None
        self._masked_until = now
        self._encoder: Encoder | None = None
        self.rates = Rates()
        """For what is mixed of this leg's speech."""
        self._doubler: DoubleRate | None = None
        self._ssrc: int | None = None
        self._ssrc_at = 0
        self._last_in = now
        self._allowance, self._allowance_at = float(_RATE), now
        self._latch: SourceLatch | None = None
        self._codec = Codec(spec.send_codec)
        self._connected = self._drained = False
        self._configure(spec)
        self._open_latch(now=now, locked=self._connected_peer())

    @property
    def codec(self) -> Codec:
        """The codec in which this leg hears us."""
        return self._codec

    @property
    def law(self) -> Law | None:
        """The law in which this leg hears us, ``None`` for wideband."""
        return self._law

    @property
    def is_wide(self) -> bool:
        """Whether this leg's speech is kept at 16 kHz."""
        return self._ring_law is None

    @property
    def speaks(self) -> frozenset[Codec]:
        """The codecs in which this leg may be heard."""
        return frozenset(self._codecs.values())

    @property
    def may_send(self) -> bool:
        """Whether packets to the far end make sense now."""
        return self.spec.may_send and self.spec.remote is not None

    def update(self, spec: LegSpec, *, now: int) -> None:
        """Follow a new description."""
        before, self.spec = self.spec, spec
        if spec == before:
            return
        if before.masked and not spec.masked:
            self._masked_until = now + _MASK_LINGERS
        self._configure(spec)
        if (spec.send_key, spec.receive_key) != (before.send_key, before.receive_key):
            self._sealing = LegSealing.of(spec)
        if spec.receive_codecs != before.receive_codecs:
            self._ear = Ear()
            if self.ring is not None:
                self.ring = JitterBuffer(self._ring_law)
        if (spec.remote, spec.peer_address, spec.learn) != (before.remote, before.peer_address, before.learn):
            self._disconnect()
            self._open_latch(now=now, locked=None)
        if spec.held != before.held or before.remote is None:
            self.silent_since = now

    def receive(self, *, now: int, thorough: bool = False) -> list[str]:
        """Read what has arrived, relay it, and return the digits that were pressed, one character each.

        A connected leg is read once, because there is hardly ever a second packet and asking for it costs as much as
        the first; a loop comes back for it. ``thorough`` reads on.
        """
        digits: list[str] = []
        self.is_emptied = False
        for _ in range(_BURST):
            try:
                if self._drained:
                    size, accepted = self.socket.recv_into(_buffer), True
                    if is_control(_buffer[1]) and self._take_report(size, now=now):
                        continue
                    header = self._header(size)
                else:
                    size, source = self.socket.recvfrom_into(_buffer)
                    header = self._header(size)
                    accepted = header is not None and self._weigh(source, header, now=now)
            except BlockingIOError:
                self._drained = self._connected
                self.is_emptied = True
                break
            except OSError:  # the far end's host told that nobody listens there
                continue
            if header is None or not accepted or not self._is_within_rate(now):
                self._dropped += 1
                continue
            digit = self._take(header, now=now)
            digits += digit or ""
            if self._drained and not thorough:
                break
        return digits

    def report(self, *, now: int) -> None:
        """Send a report when one is due."""
        if not self.spec.has_mux or now < self._report_due or not self.may_send:
            return
        self._report_due = now + _REPORT_EVERY
        report = self._reports.report(now=now)
        if report is not None:
            self._send(report if self._sealing is None else self._sealing.close_control(report))

    def _take_report(self, size: int, *, now: int) -> bool:
        """Read a report of the latched source; false for what is none."""
        if not self.spec.has_mux:
            return False
        report: bytes | None = bytes(_view[:size])
        if self._sealing is not None and report is not None:
            report = self._sealing.open_control(report)
        if report is None:
            return False
        self._reports.take(report, now=now)
        heard = self._reports.heard
        if heard is not None:
            round_trip = self._far[0] if heard.round_trip_ms is None else heard.round_trip_ms
            self._far = (round_trip, heard.fraction_lost)
        return True

    def _header(self, size: int) -> Header | None:
        """What has just been read, as RTP; opened first where the leg is encrypted."""
        header = read_header(_buffer, size)
        if self._sealing is None or header is None:
            return header
        opened = self._sealing.open(bytes(_view[:size]), header[4], header[2])
        if opened is None:
            return None
        _buffer[: len(opened)] = opened
        return read_header(_buffer, len(opened))

    def is_masked(self, now: int) -> bool:
        """Whether nobody may hear what this leg says (``MediaPlane.secure``)."""
        return self.spec.masked or now < self._masked_until

    def send_frame(self, payload: bytes, *, now: int) -> None:
        """Send 20 ms of our own making."""
        sequence, timestamp, fresh = self._outgoing.next_frame(now=now)
        self._transmit(self._payload_type, sequence, timestamp, fresh, payload, now)

    def send_event(self, payload: bytes, *, is_first: bool, now: int) -> None:
        """Send a packet of a telephone event of our own making (RFC 4733)."""
        sequence, timestamp, marker = self._outgoing.next_event(is_first=is_first, now=now)
        self._transmit(self.spec.send_event_type or 0, sequence, timestamp, marker, payload, now)

    def notice_silence(self, *, now: int, timeout: int) -> bool:
        """After a short silence let a moved source be learned; true once when the timeout is over."""
        if self._connected and self.spec.learn and now - self._last_in >= SILENCE_BEFORE_CHANGE:
            self._disconnect()
        if self.spec.held or self.spec.remote is None:
            self.silent_since = now
        if self.silent_since is None or now - self.silent_since < timeout:
            return False
        self.silent_since = None
        return True

    def save_counts(self) -> None:
        """Leave the figures where a successor finds them."""
        self._checkpoint.note(self._slot, self.counts)
        if self._sealing is not None:
            self._sealing.note(self._checkpoint, self._slot)

    @property
    def counts(self) -> LegCounts:
        """The figures so far."""
        late = 0 if self.ring is None else self.ring.dropped
        return LegCounts(
            self._reception.received,
            self._out,
            self._reception.lost,
            self._dropped + late,
            self._heard,
            self._reports.jitter_ms,
            *self._far,
        )

    def listen(self, wanted: bool) -> None:
        """Buffer this leg's speech for mixing, or stop doing so."""
        if wanted and self.ring is None:
            self.ring = JitterBuffer(self._ring_law)
        elif not wanted and self.ring is not None:
            self._dropped += self.ring.dropped
            self.ring = None

    def encode(self, samples: Samples, *, wide: bool) -> bytes:
        """Compress 20 ms, at 16 kHz if ``wide``, for this leg, whose codec must be wideband."""
        if not wide:
            if self._doubler is None:
                self._doubler = DoubleRate()
            samples = self._doubler.next(samples)
        if self._encoder is None:
            self._encoder = make_encoder(self._codec)
        return self._encoder.encode(samples)

    def _configure(self, spec: LegSpec) -> None:
        self._codecs = {number: Codec(codec) for number, codec in spec.receive_codecs}
        laws = [FORMS[codec].law for codec in self._codecs.values()]
        self._ring_law = None if None in laws else next(iter(laws), Law.PCMU)
        if spec.send_codec != self._codec:
            self._encoder = self._doubler = None
        self._codec = Codec(spec.send_codec)
        self._law = FORMS[self._codec].law
        if (clock := FORMS[self._codec].clock // 1000) != self._reports.rate:
            self._reports = Reporter(rate=clock)
        self._outgoing.frame_units = FORMS[self._codec].frame_units
        self._payload_type = spec.send_payload_type
        self._event_type = -1 if spec.receive_event_type is None else spec.receive_event_type
        if spec.receive_event_type is not None or not self._codecs:
            self._tones = None
        elif self._tones is None:
            self._tones = ToneDigits()

    def _open_latch(self, *, now: int, locked: Address | None) -> None:
        spec = self.spec
        if spec.remote is None:
            return
        policy = LatchPolicy.LEARN if spec.learn else LatchPolicy.SDP_ADDRESS
        self._latch = SourceLatch(policy, spec.remote, spec.peer_address, now=now, locked=locked)
        self._connected = locked is not None

    def _connected_peer(self) -> Address | None:
        """The source a former worker locked the socket to."""
        try:
            host, port = self.socket.getpeername()
        except OSError:
            return None
        return str(host), int(port)

    def _weigh(self, source: Address, header: Header, *, now: int) -> bool:
        if self._latch is None or (header[0] not in self._codecs and header[0] != self._event_type):
            return False
        if not self._latch.weigh(source, header[4], header[2], now=now, silent_for=now - self._last_in):
            return False
        if not self._connected and self._latch.locked is not None:
            self._connect(self._latch.locked)
        return True

    def _connect(self, source: Address) -> None:
        """Let the kernel drop everybody else's packets. What was queued before is still weighed one by one."""
        try:
            self.socket.connect(source)
        except OSError:
            return
        self._connected = True

    def _disconnect(self) -> None:
        """Open the socket for other sources again (``connect`` with an address of no family)."""
        if self._connected:
            _libc.connect(self.socket.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))
            self._connected = self._drained = False

    def _is_within_rate(self, now: int) -> bool:
        self._allowance = min(_RATE, self._allowance + (now - self._allowance_at) * _RATE / 1000)
        self._allowance_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _take(self, header: Header, *, now: int) -> str | None:
        """Pass an accepted packet on; a digit if it brought one."""
        number, marker, sequence, timestamp, ssrc, start, end = header
        if ssrc != self._ssrc and not self._may_change_ssrc(ssrc, now):
            self._dropped += 1
            return None
        self._last_in = self.silent_since = now
        payload = bytes(_view[start:end])
        codec = self._codecs.get(number)
        if codec is None:
            return self._take_other(header, payload, now)
        self._reception.count(ssrc, sequence)
        self._reports.received(ssrc, sequence, timestamp, now=now)
        digits = ""
        if self._tones is not None:
            digits = self._tones.hear(self._tone_ear.hear(codec, timestamp, payload).linear)
        if self.is_masked(now):
            payload = masked_payload(codec, timestamp, len(payload))
        for leg in self.relays:
            leg.relay(self, codec, payload, ssrc, sequence, timestamp, marker, now)
        if self.ring is not None or self.taps or not self._heard:
            self._listen(self._ear.hear(codec, timestamp, payload), ssrc, now)
        return digits or None

    def _listen(self, heard: Heard, ssrc: int, now: int) -> None:
        """Everything that needs to know what was said, not only to pass it on."""
        self._heard = self._heard or heard.is_audible
        if self.ring is not None:
            self.ring.push(heard.timestamp, heard.in_law(self._ring_law))
        for tap, track in self.taps:
            tap.hear(track, ssrc, heard.timestamp, heard.narrow, heard.law, now)

    def _take_other(self, header: Header, payload: bytes, now: int) -> str | None:
        """Digits are told and relayed; anything else is closed up."""
        number, marker, sequence, timestamp, ssrc, _, _ = header
        if number != self._event_type:
            self._dropped += 1
            for leg in self.relays:
                leg.skip(self, ssrc)
            return None
        self._reception.count(ssrc, sequence)
        self._reports.received(ssrc, sequence, None, now=now)
        is_masked = self.is_masked(now)
        for leg in self.relays:
            if is_masked:
                leg.skip(self, ssrc)
                continue
            leg.relay(self, None, payload, ssrc, sequence, timestamp, marker, now)
        return self._digits.receive(ssrc, timestamp, payload)

    def _may_change_ssrc(self, ssrc: int, now: int) -> bool:
        if self._ssrc is not None and now - self._ssrc_at < _SSRC_REST:
            return False
        self._ssrc, self._ssrc_at = ssrc, now
        if self.ring is not None:
            self._dropped += self.ring.dropped
            self.ring = JitterBuffer(self._ring_law)
        return True

    def relay(
        self,
        source: "RtpLeg",
        codec: Codec | None,
        payload: bytes,
        ssrc: int,
        sequence: int,
        timestamp: int,
        marker: bool,
        now: int,
    ) -> None:
        """Send another leg's packet to this one's far end; ``codec`` is ``None`` for a telephone event."""
        if not self.may_send:
            return
        if codec is None:
            if self.spec.send_event_type is None:
                self.skip(source, ssrc)
                return
            number = self.spec.send_event_type
        else:
            number = self._payload_type
            if codec is not self._codec:
                law = FORMS[codec].law
                if law is None or self._law is None:  # about to be ticked, see ``Conversation.rewire``
                    self.skip(source, ssrc)
                    return
                payload = payload.translate(TRANSCODE[law, self._law])
        stamp = self._outgoing.relay(source.spec.leg_id, ssrc, sequence, timestamp, marker, now=now)
        if stamp is not None:
            self._transmit(number, stamp[0], stamp[1], stamp[2], payload, now)

    def skip(self, source: "RtpLeg", ssrc: int) -> None:
        """One packet of a relayed source is left out."""
        self._outgoing.close_up(source.spec.leg_id, ssrc)

    def _transmit(self, number: int, sequence: int, timestamp: int, marker: bool, payload: bytes, now: int) -> None:
        outgoing = self._outgoing
        datagram = (
            HEADER.pack(VERSION_2, number | MARKER if marker else number, sequence, timestamp, outgoing.ssrc) + payload
        )
        wraps = 0
        if self._sealing is not None:
            datagram, wraps = self._sealing.close(datagram, outgoing.sequence), self._sealing.wraps
        if self._send(datagram):
            self._out += 1
            if self.spec.has_mux:
                self._reports.sent(outgoing.ssrc, timestamp, len(payload), now=now)
        self._checkpoint.stamp(self._slot, outgoing.ssrc, outgoing.sequence, outgoing.timestamp, now, wraps)

    def _send(self, datagram: bytes) -> bool:
        """False when a full buffer or an unreachable far end took it: the stream goes on, this packet is lost."""
        try:
            if self._connected:
                self.socket.send(datagram)
            else:
                self.socket.sendto(datagram, self._target())
        except OSError:
            return False
        return True

    def _target(self) -> Address:
        locked = None if self._latch is None else self._latch.locked
        remote = locked or self.spec.remote
        assert remote is not None  # noqa: S101 - callers asked may_send
        return remote
