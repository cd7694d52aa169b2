"""RTP sockets: some are granted ahead, and none is lost between pool, grant and owner."""

import select
import socket

import msgspec
import pytest

from callcenter.errors import MediaError, NoFreePorts
from callcenter.media.mediad.leg_socket import LEFT_OVER, LegSocket
from callcenter.media.mediad.ports import PortPool
from callcenter.media.mediad.sockets import RtpSockets
from callcenter.media.protocol import LegSpec

pytestmark = pytest.mark.unit
FIRST = 42_000


def sockets(count: int) -> RtpSockets:
    """Of a pool with so many ports; they do not rest."""
    return RtpSockets("127.0.0.1", PortPool(FIRST, FIRST + 2 * count - 1, quarantine=0, seed=1))


def test_a_share_is_granted_and_more_once_half_of_it_is_used() -> None:
    opened = sockets(32)
    granted = opened.grant()
    assert len(granted) == 4
    assert opened.grant() == ()
    assert opened.counts() == (32, 0, 0)  # what nobody uses is free
    taken = [opened.take(port) for port in granted[:2]]
    assert [port for port, _ in taken] == list(granted[:2])
    assert all(sock.getsockname()[1] == port for port, sock in taken)
    assert opened.counts() == (30, 2, 0)
    more = opened.grant()
    assert (len(more), set(more) & set(granted)) == (2, set())
    for port, sock in taken:
        opened.close(port, sock)
    opened.revoke()
    assert sum(opened.counts()) == 32


def test_a_port_that_was_not_granted_or_was_revoked_is_refused() -> None:
    opened = sockets(32)
    granted = opened.grant()
    with pytest.raises(MediaError, match="not granted"):
        opened.take(FIRST + 2 * 40)
    opened.revoke()
    with pytest.raises(MediaError, match="not granted"):
        opened.take(granted[0])


def test_a_small_pool_is_nobodys_ahead_and_its_end_is_told() -> None:
    opened = sockets(2)
    assert opened.grant() == ()
    taken = [opened.take(0), opened.take(0)]
    with pytest.raises(NoFreePorts):
        opened.take(0)
    for port, sock in taken:
        opened.close(port, sock)
    assert opened.take(0)[1].close() is None


def test_what_came_to_a_granted_port_is_not_kept_for_the_leg_that_gets_it() -> None:
    """Its socket is open long before: an exchange that is busy orders a leg and its far end with one description."""
    opened = sockets(32)
    port = opened.grant()[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(3):
            stranger.sendto(b"early", ("127.0.0.1", port))
        _, sock = opened.take(port)
        with pytest.raises(BlockingIOError):
            sock.recv(100)
        stranger.sendto(b"in time", ("127.0.0.1", port))
        select.select([sock], [], [])
        assert sock.recv(100) == b"in time"
    opened.close(port, sock)
    opened.revoke()


def test_what_came_before_a_leg_had_this_far_end_is_never_read() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs,
    ):
        for each in (ours, theirs):
            each.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        unknown = LegSpec("agent", 1)
        described = msgspec.structs.replace(unknown, remote=theirs.getsockname())
        inlet = LegSocket(unknown, ours, now=0)
        for packet in (b"early", b"too early"):
            theirs.sendto(packet, ours.getsockname())
        select.select([ours], [], [])
        inlet.follow(described, unknown, now=0)
        with pytest.raises(BlockingIOError):
            ours.recv(100)
        theirs.sendto(b"in time", ours.getsockname())
        select.select([ours], [], [])
        inlet.follow(msgspec.structs.replace(described, held=True), described, now=0)
        assert ours.recv(100) == b"in time"


def test_a_stream_that_has_not_spoken_since_the_far_end_was_named_begins_with_no_digit() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        unknown = LegSpec("agent", 1)
        described = msgspec.structs.replace(unknown, remote=("127.0.0.1", 9))
        inlet = LegSocket(unknown, ours, now=0)
        inlet.follow(described, unknown, now=10_000)
        assert inlet.is_left_over(77, now=10_000 + LEFT_OVER - 1)
        assert not inlet.is_left_over(77, now=10_000 + LEFT_OVER)
        assert inlet.may_change_ssrc(77, now=10_000)  # by speech
        assert not inlet.is_left_over(77, now=10_001)
        inlet.follow(msgspec.structs.replace(described, held=True), described, now=20_000)
        assert not inlet.is_left_over(88, now=20_000)
        inlet.follow(msgspec.structs.replace(described, remote=("127.0.0.1", 19)), described, now=20_000)
        assert inlet.is_left_over(88, now=20_000)
        assert not inlet.is_left_over(77, now=20_000), "the stream that spoke goes on where it moves"
        ours.connect(("127.0.0.1", 9))
        assert not LegSocket(described, ours, now=0).is_left_over(77, now=0), "a successor's was named long ago"
