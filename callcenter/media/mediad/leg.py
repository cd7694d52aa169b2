"""One far end in a worker: what comes in is checked, understood and passed on to whoever hears it.

Whose packets they are is decided in ``leg_socket``, what the far end hears itself is made in ``sender``.
"""

import socket

from callcenter.media.codecs import FORMS, Codec
from callcenter.media.inband import ToneDigits
from callcenter.media.jitter import JitterBuffer
from callcenter.media.law import Law
from callcenter.media.masking import masked_payload
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.clips import Playback
from callcenter.media.mediad.control_socket import ControlSocket
from callcenter.media.mediad.ear import Ear, Heard, Rates
from callcenter.media.mediad.keys import KeyPresses
from callcenter.media.mediad.leg_socket import LegSocket
from callcenter.media.mediad.sealing import LegSealing
from callcenter.media.mediad.sender import LegSender
from callcenter.media.mediad.tap import Tap
from callcenter.media.protocol import LegCounts, LegSpec
from callcenter.media.rtcp import Reporter, is_control
from callcenter.media.rtp import LARGEST_PACKET, Header, read_header
from callcenter.media.stretches import Stretch, StretchJudge, Sum
from callcenter.media.telephone_event import DigitReceiver
from callcenter.media.track import Track

_BURST = 16
"""Packets read from one socket before the others have their turn."""
_MASK_LINGERS = 300
"""Milliseconds for which a leg stays masked after its time: digits may still be on their way."""
_buffer = bytearray(LARGEST_PACKET + 1)
_view = memoryview(_buffer)


class RtpLeg:
    """One far end. ``now`` is in milliseconds of the monotonic clock."""

    def __init__(self, spec: LegSpec, sock: socket.socket, checkpoint: Checkpoint, slot: int, *, now: int) -> None:
        self.spec = spec
        self.relays: list[RtpLeg] = []
        """Legs that hear this one as its packets arrive."""
        self.hears: list[RtpLeg] = []
        """Legs that are heard here, mixed or not."""
        self.inputs: list[tuple[RtpLeg, float]] = []
        """Legs that this one hears mixed, with their gains."""
        self.plays: list[Playback] = []
        self.keys: KeyPresses | None = None
        """Digits being pressed towards this leg."""
        self.taps: list[tuple[Tap, Track]] = []
        """Recordings that hear this leg, each with the channel it is heard in."""
        self.ring: JitterBuffer | None = None
        """Present while this leg is an input of another."""
        self.rates = Rates()
        """For what is mixed of this leg's speech."""
        self.is_emptied = False
        """Whether nothing was left to read when this leg was last read from."""
        self.silent_since: int | None = now
        """Start of the present silence, ``None`` once it has been told."""
        self.slot = slot
        """Its place in the checkpoint."""
        self._checkpoint = checkpoint
        counts = checkpoint.noted(slot)
        self._dropped, self._heard = counts.packets_dropped, counts.heard
        self._far = (counts.round_trip_ms, counts.far_loss)
        self.inlet = LegSocket(spec, sock, now=now)
        self._sealing, self.reports = (
            LegSealing.of(spec),
            Reporter(received=counts.packets_in, lost=counts.packets_lost),
        )
        self.sender = LegSender(
            spec, self.inlet, self._sealing, self.reports, checkpoint, slot, sent_before=counts.packets_out, now=now
        )
        """What the far end hears."""
        self._judge = StretchJudge(now=now, worst_mos=counts.worst_mos, worst_loss_percent=counts.worst_loss_percent)
        self._digits = DigitReceiver()
        self._ear = Ear()
        self._tones: tuple[Ear, ToneDigits] | None = None
        """What hears keys in its speech, where they do not come as events."""
        self._masked_until = now
        self._configure(spec)

    @property
    def socket(self) -> socket.socket:
        """Where its packets come and go."""
        return self.inlet.socket

    @property
    def is_wide(self) -> bool:
        """Whether this leg's speech is kept at 16 kHz."""
        return self._ring_law is None

    @property
    def speaks(self) -> frozenset[Codec]:
        """The codecs in which this leg may be heard."""
        return frozenset(self._codecs.values())

    @property
    def control(self) -> ControlSocket | None:
        """Where its reports come and go, when not with its speech."""
        return self.sender.control

    def adopt_control(self, control: ControlSocket) -> None:
        """Have reports come and go there."""
        self.sender.control = control

    def close(self) -> None:
        """Close its sockets."""
        self.socket.close()
        if self.control is not None:
            self.control.socket.close()

    def update(self, spec: LegSpec, *, now: int) -> None:
        """Follow a new description."""
        before, self.spec = self.spec, spec
        if spec == before:
            return
        if before.masked and not spec.masked:
            self._masked_until = now + _MASK_LINGERS
        self.sender.follow(spec)
        self._configure(spec)
        if (spec.send_key, spec.receive_key) != (before.send_key, before.receive_key):
            self._sealing = self.sender.sealing = LegSealing.of(spec)
        if spec.receive_codecs != before.receive_codecs:
            self._ear = Ear()
            if self.ring is not None:
                self.ring = JitterBuffer(self._ring_law)
        self.inlet.follow(spec, before, now=now)
        if self.control is not None:
            self.control.follow(spec)
        if spec.held != before.held or before.remote is None:
            self.silent_since = now

    def receive(self, *, now: int, thorough: bool = False) -> str:
        """Read what has arrived, relay it, and return the digits that were pressed.

        A socket that is the far end's alone is read once, because there is hardly ever a second packet and asking for
        it costs as much as the first; a loop comes back for it. ``thorough`` reads on.
        """
        digits = ""
        self.is_emptied = False
        inlet = self.inlet
        for _ in range(_BURST):
            try:
                if inlet.is_private:
                    digits += self._take_private(inlet.socket.recv_into(_buffer), now)
                    if not thorough:
                        break
                else:
                    size, source = inlet.socket.recvfrom_into(_buffer)
                    digits += self._take_public(size, source[:2], now)
            except BlockingIOError:
                inlet.tell_emptied()
                self.is_emptied = True
                break
            except OSError:  # the far end's host told that nobody listens there
                continue
        return digits

    def take(self, datagram: bytes, *, now: int) -> str:
        """Take a datagram of the far end that was read elsewhere, and return the digits that it brought."""
        _buffer[: len(datagram)] = datagram
        return self._take_private(len(datagram), now)

    def is_plain(self, now: int) -> bool:
        """Whether packets of this leg's speech are to be counted and relayed to one leg at most, and nothing else."""
        if len(self.relays) > 1 or not self.inlet.is_private or self.reports.reception is None or not self._heard:
            return False
        if self._sealing is not None or self._tones is not None or self.ring is not None:
            return False
        if self.taps and self.spoken_law is None:  # what is recorded of wideband must be decoded first
            return False
        if self.is_masked(now):
            return False
        if not self.relays:
            return self.number_of(self.sender.codec) is not None
        sender = self.relays[0].sender
        if not sender.may_relay_plainly or self.number_of(sender.codec) is None:
            return False
        return sender.stream.relays(self.spec.leg_id, self.reports.reception.ssrc)

    def number_of(self, codec: Codec) -> int | None:
        """The payload type in which this leg is heard in a codec."""
        return next((number for number, known in self._codecs.items() if known is codec), None)

    @property
    def spoken_law(self) -> Law | None:
        """The law of what is relayed, ``None`` for wideband."""
        return FORMS[(self.relays[0].sender if self.relays else self.sender).codec].law

    def hear_relayed(self, ssrc: int, timestamp: int, payload: bytes, law: Law, *, now: int) -> None:
        """Record a packet that was relayed elsewhere."""
        for tap, track in self.taps:
            tap.hear(track, ssrc, timestamp, payload, law, now)

    def catch_up(
        self,
        packets: int,
        dropped: int,
        highest: int,
        *,
        transit: tuple[float, int],
        allowance: tuple[float, int],
        heard_at: int,
    ) -> None:
        """Packets of the present stream were relayed or dropped elsewhere; ``transit`` is jitter and transit time."""
        self._dropped += dropped
        reception = self.reports.reception
        if reception is not None:
            reception.catch_up(packets, highest, jitter=transit[0], transit=transit[1])
        self.inlet.allowance = allowance
        if heard_at > self.inlet.heard_at:
            self.inlet.heard_at = self.silent_since = heard_at

    def _take_private(self, size: int, now: int) -> str:
        """Take the datagram just read, which is from the far end."""
        if is_control(_buffer[1]) and self._take_report(size, now=now):
            return ""
        header = self._header(size)
        if header is None or not self.inlet.is_within_rate(now):
            self._dropped += 1
            return ""
        return self._take(header, now)

    def _take_public(self, size: int, source: tuple[str, int], now: int) -> str:
        """Take the datagram just read if it is the far end's, as far as is known."""
        header = self._header(size)
        if (
            header is None
            or (header[0] not in self._codecs and header[0] != self._event_type)
            or not self.inlet.believes(source, header[4], header[2], now=now)
            or not self.inlet.is_within_rate(now)
        ):
            self._dropped += 1
            return ""
        return self._take(header, now)

    def judge(self, *, now: int) -> tuple[Stretch, bool] | None:
        """The stretch in which this leg began to sound poor (true), or no longer does."""
        if not self._judge.is_due(now):
            return None
        reports = self.reports
        counted = Sum(reports.packets_received, reports.packets_lost, reports.jitter_ms, *self._far)
        turned = self._judge.judge(self.sender.codec, counted, now=now)
        return None if turned is None else (turned, self._judge.is_poor)

    def receive_reports(self, *, now: int) -> None:
        """Read the reports that wait on their own port."""
        if self.control is not None:
            for report in self.control.receive(self.inlet.hosts):
                self._hear_report(report, now=now)

    def _take_report(self, size: int, *, now: int) -> bool:
        """Read an RTCP report of the far end; false for what is none."""
        return self.spec.has_mux and self._hear_report(bytes(_view[:size]), now=now)

    def _hear_report(self, report: bytes | None, *, now: int) -> bool:
        if self._sealing is not None and report is not None:
            report = self._sealing.open_control(report)
        if report is None:
            return False
        self.reports.take(report, now=now)
        heard = self.reports.heard
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

    def notice_silence(self, *, now: int, timeout: int) -> bool:
        """After a short silence let a moved source be learned; true once when the timeout is over."""
        if self.spec.learn:
            self.inlet.open_when_silent(now=now)
        if self.spec.held or self.spec.remote is None:
            self.silent_since = now
        if self.silent_since is None or now - self.silent_since < timeout:
            return False
        self.silent_since = None
        return True

    def save_counts(self) -> LegCounts:
        """Leave the figures so far where a successor finds them."""
        counts = self.counts
        self._checkpoint.note(self.slot, counts)
        if self._sealing is not None:
            self._sealing.note(self._checkpoint, self.slot)
        return counts

    @property
    def counts(self) -> LegCounts:
        """The figures so far."""
        late = 0 if self.ring is None else self.ring.dropped
        return LegCounts(
            self.reports.packets_received,
            self.sender.sent,
            self.reports.packets_lost,
            self._dropped + late,
            self._heard,
            self.reports.jitter_ms,
            *self._far,
            self._judge.worst_mos,
            self._judge.worst_loss_percent,
        )

    def listen(self, wanted: bool) -> None:
        """Buffer this leg's speech for mixing, or stop doing so."""
        if wanted and self.ring is None:
            self.ring = JitterBuffer(self._ring_law)
        elif not wanted and self.ring is not None:
            self._dropped += self.ring.dropped
            self.ring = None

    def _configure(self, spec: LegSpec) -> None:
        self._codecs = {number: Codec(codec) for number, codec in spec.receive_codecs}
        laws = [FORMS[codec].law for codec in self._codecs.values()]
        self._ring_law: Law | None = None if None in laws else next(iter(laws), Law.PCMU)
        if (clock := FORMS[self.sender.codec].clock // 1000) != self.reports.rate:
            self.reports = self.sender.reports = Reporter(
                rate=clock, received=self.reports.packets_received, lost=self.reports.packets_lost
            )
        self._event_type = -1 if spec.receive_event_type is None else spec.receive_event_type
        if spec.receive_event_type is not None or not self._codecs:
            self._tones = None
        elif self._tones is None:
            self._tones = Ear(), ToneDigits()

    def _take(self, header: Header, now: int) -> str:
        """Pass an accepted packet on; the digits that it brought."""
        number, marker, sequence, timestamp, ssrc, start, end = header
        is_edged = not self.spec.learn  # whoever may be learned is met without an edge
        is_early = is_edged and number == self._event_type and self.inlet.is_left_over(ssrc, now=now)
        if is_early or (ssrc != self.inlet.ssrc and not self._may_change_ssrc(ssrc, now)):
            self._dropped += 1
            return ""
        self.inlet.heard_at = self.silent_since = now
        payload = bytes(_view[start:end])
        codec = self._codecs.get(number)
        if codec is None:
            return self._take_other(header, payload, now)
        self.reports.received(ssrc, sequence, timestamp, now=now)
        digits = ""
        if self._tones is not None:
            ear, tones = self._tones
            digits = tones.hear(ear.hear(codec, timestamp, payload).linear)
        if self.is_masked(now):
            payload = masked_payload(codec, timestamp, len(payload))
        for leg in self.relays:
            leg.sender.relay(self.spec.leg_id, codec, payload, ssrc, sequence, timestamp, marker, now)
        if self.ring is not None or self.taps or not self._heard:
            self._listen(self._ear.hear(codec, timestamp, payload), ssrc, now)
        return digits

    def _listen(self, heard: Heard, ssrc: int, now: int) -> None:
        """Everything that needs to know what was said, not only to pass it on."""
        self._heard = self._heard or heard.is_audible
        if self.ring is not None:
            self.ring.push(heard.timestamp, heard.in_law(self._ring_law), now=now)
        for tap, track in self.taps:
            tap.hear(track, ssrc, heard.timestamp, heard.narrow, heard.law, now)

    def _take_other(self, header: Header, payload: bytes, now: int) -> str:
        """Digits are told and relayed; anything else is closed up."""
        number, marker, sequence, timestamp, ssrc, _, _ = header
        if number != self._event_type:
            self._dropped += 1
            for leg in self.relays:
                leg.sender.skip(self.spec.leg_id, ssrc)
            return ""
        self.reports.received(ssrc, sequence, None, now=now)
        is_masked = self.is_masked(now)
        for leg in self.relays:
            if is_masked:
                leg.sender.skip(self.spec.leg_id, ssrc)
                continue
            leg.sender.relay(self.spec.leg_id, None, payload, ssrc, sequence, timestamp, marker, now)
        return self._digits.receive(ssrc, timestamp, payload) or ""

    def _may_change_ssrc(self, ssrc: int, now: int) -> bool:
        if not self.inlet.may_change_ssrc(ssrc, now=now):
            return False
        if self.ring is not None:
            self._dropped += self.ring.dropped
            self.ring = JitterBuffer(self._ring_law)
        return True
