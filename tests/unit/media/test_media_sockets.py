"""RTP sockets: some are granted ahead, and none is lost between pool, grant and owner."""

import pytest

from callcenter.errors import MediaError, NoFreePorts
from callcenter.media.mediad.ports import PortPool
from callcenter.media.mediad.sockets import RtpSockets

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
