"""What a leg's far end hears of us: one steady stream, whatever its packets are made of.

``now`` is in milliseconds of the monotonic clock.
"""

from callcenter.chance import random_bits
from callcenter.media.codecs import FORMS, Codec
from callcenter.media.g711 import TRANSCODE, Samples
from callcenter.media.law import Law
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.control_socket import ControlSocket
from callcenter.media.mediad.leg_socket import LegSocket
from callcenter.media.mediad.sealing import LegSealing
from callcenter.media.outgoing import OutgoingStream
from callcenter.media.protocol import LegSpec
from callcenter.media.resampling import DoubleRate
from callcenter.media.rtcp import Reporter
from callcenter.media.rtp import HEADER, MARKER, VERSION_2
from callcenter.media.wideband import Encoder, make_encoder

_REPORT_EVERY = 5000
"""Milliseconds between our RTCP reports (RFC 3550 section 6.2)."""


class LegSender:
    """Stamps, seals, notes and sends. ``sealing`` and ``reports`` are shared with the incoming direction."""

    def __init__(
        self,
        spec: LegSpec,
        inlet: LegSocket,
        sealing: LegSealing | None,
        reports: Reporter,
        checkpoint: Checkpoint,
        slot: int,
        *,
        sent_before: int,
        now: int,
    ) -> None:
        """``sent_before``: packets of the same leg that former workers sent."""
        self.spec = spec
        self.may_send = False
        """Whether packets to the far end make sense now."""
        self.codec = Codec(spec.send_codec)
        """The codec in which the far end hears us."""
        self.law: Law | None = None
        """The law in which the far end hears us, ``None`` for wideband."""
        self._sent_before = sent_before
        self._packets = self._octets = 0
        """Sent and not yet told to ``reports``."""
        self.control: ControlSocket | None = None
        """For reports, where they do not go with speech."""
        self.sealing, self.reports = sealing, reports
        self._inlet, self._checkpoint, self._slot = inlet, checkpoint, slot
        sequence, timestamp, at = checkpoint.stamped(slot, spec.ssrc) or (random_bits(15), random_bits(31), now)
        if sealing is not None:
            sequence += sealing.take_over(checkpoint, slot, spec.ssrc)
        self.stream = OutgoingStream(spec.ssrc, sequence=sequence & 0xFFFF, timestamp=timestamp, at=at)
        self._encoder: Encoder | None = None
        self._doubler: DoubleRate | None = None
        self._report_due = now + _REPORT_EVERY // 2 + slot * 37 % (_REPORT_EVERY // 2)
        self.follow(spec)

    def follow(self, spec: LegSpec) -> None:
        """Another description."""
        if spec.send_codec != self.codec:
            self._encoder = self._doubler = None
        self.spec = spec
        self.may_send = spec.may_send and spec.remote is not None
        self.codec = Codec(spec.send_codec)
        self.law = FORMS[self.codec].law
        self.stream.frame_units = FORMS[self.codec].frame_units

    def frame(self, payload: bytes, *, now: int) -> None:
        """Send 20 ms of our own making."""
        sequence, timestamp, fresh = self.stream.next_frame(now=now)
        self._transmit(self.spec.send_payload_type, sequence, timestamp, fresh, payload, now)

    def event(self, payload: bytes, *, is_first: bool, now: int) -> None:
        """Send a packet of a telephone event of our own making (RFC 4733)."""
        sequence, timestamp, marker = self.stream.next_event(is_first=is_first, now=now)
        self._transmit(self.spec.send_event_type or 0, sequence, timestamp, marker, payload, now)

    def relay(
        self,
        source: str,
        codec: Codec | None,
        payload: bytes,
        ssrc: int,
        sequence: int,
        timestamp: int,
        marker: bool,
        now: int,
    ) -> None:
        """Send a packet of the leg ``source``; ``codec`` is ``None`` for a telephone event."""
        if not self.may_send:
            return
        if codec is self.codec:
            number = self.spec.send_payload_type
        elif codec is None:
            if self.spec.send_event_type is None:
                self.skip(source, ssrc)
                return
            number = self.spec.send_event_type
        else:
            law = FORMS[codec].law
            if law is None or self.law is None:  # about to be ticked, see ``Conversation.rewire``
                self.skip(source, ssrc)
                return
            number = self.spec.send_payload_type
            payload = payload.translate(TRANSCODE[law, self.law])
        stamp = self.stream.relay(source, ssrc, sequence, timestamp, marker, now=now)
        if stamp is not None:
            self._transmit(number, stamp[0], stamp[1], stamp[2], payload, now)

    @property
    def may_relay_plainly(self) -> bool:
        """Whether packets can go to the far end as they are, but for their headers."""
        return self.may_send and self.sealing is None and self._inlet.is_connected

    def skip(self, source: str, ssrc: int) -> None:
        """One packet of a relayed source is left out."""
        self.stream.close_up(source, ssrc)

    def catch_up(self, packets: int, octets: int) -> None:
        """Packets of the relayed source were sent elsewhere."""
        self._packets += packets
        self._octets += octets

    @property
    def sent(self) -> int:
        """Packets so far, over all workers."""
        return self._sent_before + self._packets

    def report(self, *, now: int) -> None:
        """Send an RTCP report when one is due."""
        if now < self._report_due or not self.may_send or not (self.spec.has_mux or self.control):
            return
        self._report_due = now + _REPORT_EVERY
        if self._packets:
            stream = self.stream
            self.reports.sent(stream.ssrc, stream.timestamp, self._octets, now=stream.at, packets=self._packets)
            self._sent_before += self._packets
            self._packets = self._octets = 0
        report = self.reports.report(now=now)
        if report is None:
            return
        if self.sealing is not None:
            report = self.sealing.close_control(report)
        if self.spec.has_mux or self.control is None:
            self._inlet.send(report)
        else:
            self.control.send(report)

    def encode(self, samples: Samples, *, wide: bool) -> bytes:
        """Compress 20 ms, at 16 kHz if ``wide``, in the codec of the far end, which must be wideband."""
        if not wide:
            if self._doubler is None:
                self._doubler = DoubleRate()
            samples = self._doubler.next(samples)
        if self._encoder is None:
            self._encoder = make_encoder(self.codec)
        return self._encoder.encode(samples)

    def _transmit(self, number: int, sequence: int, timestamp: int, marker: bool, payload: bytes, now: int) -> None:
        stream = self.stream
        second = number | MARKER if marker else number
        datagram = HEADER.pack(VERSION_2, second, sequence, timestamp, stream.ssrc) + payload
        wraps = 0
        if self.sealing is not None:
            datagram, wraps = self.sealing.close(datagram, stream.sequence), self.sealing.wraps
        if self._inlet.send(datagram):
            self._packets += 1
            self._octets += len(payload)
        self._checkpoint.stamp(self._slot, stream.ssrc, stream.sequence, stream.timestamp, now, wraps)
