"""A worker's leg and its far end exchange RTCP reports: over real sockets, with time told to them."""

import socket
from collections.abc import Iterator

import pytest

from callcenter.media.codecs import Codec
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.control_socket import ControlSocket
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.protocol import LegSpec
from callcenter.media.rtcp import Reporter, is_control
from callcenter.media.rtp import RtpPacket, pack, parse
from callcenter.media.sdes import KEY_BYTES, SrtpKey, Suite
from callcenter.media.sdp import LocalStream, build_answer, build_offer, read_answer, read_offer
from callcenter.media.srtp import Opener, Seal

pytestmark = pytest.mark.interop

OURS, THEIRS = (SrtpKey(suite, bytes(KEY_BYTES[suite])) for suite in (Suite.AEAD_AES_128_GCM, Suite.AEAD_AES_128_GCM))


def udp() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


class FarEnd:
    """A phone's socket with reports of its own."""

    def __init__(self, leg_port: int, *, sealed: bool, control_port: int | None = None) -> None:
        """``control_port``: where the leg takes reports, when not with speech."""
        self.socket = udp()
        self.socket.connect(("127.0.0.1", leg_port))
        self.control = self.socket if control_port is None else udp()
        self.control.connect(("127.0.0.1", control_port or leg_port))
        for each in (self.socket, self.control):
            each.setblocking(False)
        self.reporter = Reporter()
        self.seal, self.opener = (Seal(THEIRS), Opener(OURS)) if sealed else (None, None)
        self.reports = 0

    def speak(self, number: int, *, now: int) -> None:
        datagram = pack(RtpPacket(0, number, 160 * number, 99, b"\x10" * 160))
        self.reporter.sent(99, 160 * number, 160, now=now)
        self.socket.send(datagram if self.seal is None else self.seal.rtp(datagram))

    def listen(self, *, now: int) -> None:
        for each in {self.socket, self.control}:
            self._listen_to(each, now=now)

    def _listen_to(self, sock: socket.socket, *, now: int) -> None:
        while True:
            try:
                data = sock.recv(2048)
            except BlockingIOError:
                return
            if is_control(data[1]):
                assert sock is self.control
                report = data if self.opener is None else self.opener.rtcp(data)
                assert report is not None
                self.reporter.take(report, now=now)
                self.reports += 1
                continue
            packet = parse(data if self.opener is None else self.opener.rtp(data) or b"")
            assert packet is not None
            self.reporter.received(packet.ssrc, packet.sequence, packet.timestamp, now=now)

    def report(self, *, now: int) -> None:
        report = self.reporter.report(now=now)
        assert report is not None
        self.control.send(report if self.seal is None else self.seal.rtcp(report))

    def close(self) -> None:
        for each in {self.socket, self.control}:
            each.close()


@pytest.fixture
def checkpoint() -> Iterator[Checkpoint]:
    made = Checkpoint.create(2)
    yield made
    made.close()


@pytest.mark.parametrize("own_port", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
def test_both_learn_loss_and_round_trip(checkpoint: Checkpoint, sealed: bool, own_port: bool) -> None:
    """Every tenth packet of the far end is lost, ours take 30 ms; told every 5 s and kept over a worker's death."""
    sock, control = udp(), udp()
    for each in (sock, control):
        each.setblocking(False)
    far = FarEnd(sock.getsockname()[1], sealed=sealed, control_port=control.getsockname()[1] if own_port else None)
    spec = LegSpec(
        "a", 1, remote=far.socket.getsockname(), peer_address="127.0.0.1", receive_codecs=((0, "PCMU"),),
        may_send=True, has_mux=not own_port, send_key=OURS if sealed else None, receive_key=THEIRS if sealed else None,
        control=far.control.getsockname() if own_port else None,
    )  # fmt: skip
    leg = RtpLeg(spec, sock, checkpoint, 0, now=0)
    if own_port:
        leg.adopt_control(ControlSocket(control, spec))
    for number in range(600):
        now = 20 * number
        if number % 10:
            far.speak(number, now=now)
        leg.receive(now=now)
        leg.sender.frame(b"\xff" * 160, now=now)
        leg.sender.report(now=now)
        far.listen(now=now + 15)
        if number % 100 == 99:
            far.report(now=now + 15)
            leg.receive(now=now + 30)
            leg.receive_reports(now=now + 30)
    counts = leg.counts
    assert 2 <= far.reports <= 3
    assert counts.packets_lost == 59
    assert counts.round_trip_ms == pytest.approx(30, abs=2)
    assert counts.far_loss == 0
    assert counts.packets_dropped == 0
    heard = far.reporter.heard
    assert heard is not None
    assert heard.fraction_lost == pytest.approx(0.1, abs=0.02)
    assert heard.round_trip_ms is not None
    leg.save_counts()
    kept = checkpoint.noted(0)
    assert (kept.packets_lost, round(kept.round_trip_ms)) == (counts.packets_lost, round(counts.round_trip_ms))
    far.close()
    leg.close()
    control.close()


def test_reports_on_their_own_port_are_of_the_hosts_that_speak_and_ours_follow_them(checkpoint: Checkpoint) -> None:
    """Behind NAT the described address is nobody's; once a report came, the kernel keeps everybody else out."""
    sock, control = udp(), udp()
    for each in (sock, control):
        each.setblocking(False)
    far = FarEnd(sock.getsockname()[1], sealed=False, control_port=control.getsockname()[1])
    spec = LegSpec(
        "a", 1, remote=("10.20.30.40", 4000), control=("10.20.30.40", 4001), peer_address="127.0.0.1",
        receive_codecs=((0, "PCMU"),), may_send=True,
    )  # fmt: skip
    leg = RtpLeg(spec, sock, checkpoint, 0, now=0)
    leg.adopt_control(ControlSocket(control, spec))
    for number in range(10):
        far.speak(number, now=20 * number)
        leg.receive(now=20 * number)
        leg.sender.frame(b"\xff" * 160, now=20 * number)
    far.listen(now=200)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.9", 0))
        report = far.reporter.report(now=200)
        assert report is not None
        stranger.sendto(report, control.getsockname())
        stranger.sendto(b"garbage", control.getsockname())
        leg.receive_reports(now=200)
        assert leg.counts.far_loss < 0
        far.report(now=200)
        leg.receive_reports(now=200)
        assert leg.counts.far_loss == 0
        assert control.getpeername() == far.control.getsockname(), "the kernel keeps others out from now on"
        leg.sender.report(now=10_000)
        far.listen(now=10_000)
        assert far.reports == 1
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)
    far.close()
    leg.close()


def test_a_bad_stretch_is_told_and_remembered(checkpoint: Checkpoint) -> None:
    """Ten good seconds, five in which every fourth packet is lost, ten good ones; a successor knows the worst."""
    sock = udp()
    sock.setblocking(False)
    far = FarEnd(sock.getsockname()[1], sealed=False)
    spec = LegSpec("a", 1, remote=far.socket.getsockname(), receive_codecs=((0, "PCMU"),), may_send=True, has_mux=True)
    leg = RtpLeg(spec, sock, checkpoint, 0, now=0)
    told = []
    for number in range(1251):
        now = 20 * number
        if not (500 <= number < 750 and number % 4 == 0):
            far.speak(number, now=now)
        leg.receive(now=now)
        turned = leg.judge(now=now)
        if turned is not None:
            told.append((now, turned[1], turned[0].loss_percent))
    assert [(now, is_poor) for now, is_poor, _ in told] == [(15_000, True), (20_000, False)]
    assert told[0][2] == pytest.approx(25, abs=1)
    leg.save_counts()
    kept = checkpoint.noted(0)
    assert 1 < kept.worst_mos < 3
    assert kept.worst_loss_percent == pytest.approx(25, abs=1)
    assert leg.counts.worst_mos == pytest.approx(kept.worst_mos)
    far.socket.close()
    sock.close()


def test_a_stranger_reports_nothing(checkpoint: Checkpoint) -> None:
    sock = udp()
    sock.setblocking(False)
    far, stranger = FarEnd(sock.getsockname()[1], sealed=False), FarEnd(sock.getsockname()[1], sealed=False)
    remote = far.socket.getsockname()
    leg = RtpLeg(
        LegSpec("a", 1, remote=remote, receive_codecs=((0, "PCMU"),), may_send=True, has_mux=True),
        sock, checkpoint, 0, now=0,
    )  # fmt: skip
    for number in range(10):
        far.speak(number, now=20 * number)
        leg.receive(now=20 * number)
        leg.sender.frame(b"\xff" * 160, now=20 * number)
    far.listen(now=200)
    stranger.reporter = far.reporter
    stranger.report(now=200)
    leg.receive(now=200)
    assert leg.counts.far_loss < 0
    far.report(now=200)
    leg.receive(now=200)
    assert leg.counts.far_loss == 0
    for end in (far, stranger):
        end.socket.close()
    sock.close()


def test_a_port_is_shared_when_both_say_so() -> None:
    local = LocalStream("192.0.2.1", 4000, 1, 1)
    offer = build_offer(local)
    assert "a=rtcp-mux\r\n" in offer
    read = read_offer(offer)
    assert read.audio.has_mux
    assert read_answer(build_answer(read, local)).has_mux
    assert read.audio.control is None
    silent = read_offer(offer.replace("a=rtcp-mux\r\n", ""))
    assert "rtcp-mux" not in build_answer(silent, local)
    assert silent.audio.send_codec is Codec.PCMU
    assert silent.audio.control == ("192.0.2.1", 4001)
    for said, meant in (
        ("4007", ("192.0.2.1", 4007)), ("4007 IN IP4 192.0.2.9", ("192.0.2.9", 4007)),
        ("x IN IP4 y", ("192.0.2.1", 4001)), ("99999", None),
    ):  # fmt: skip
        assert read_offer(offer.replace("a=rtcp-mux", f"a=rtcp:{said}")).audio.control == meant
