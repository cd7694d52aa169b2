"""One way from a browser's page to its leg: ICE checks, the handshake and the keys, without any socket.

A page that is reloaded comes by a new way; a page whose network changes keeps its way and its keys, and restarts ICE.
"""

import pylibsrtp

from callcenter.media.rtcp import Reporter
from callcenter.media.webrtc.connectivity import Address, IceCredentials, LiteAgent, new_credentials
from callcenter.media.webrtc.security import Certificate, DtlsAssociation, HandshakeFailed, SrtpKeys


class Way:
    """``receive_check`` and ``receive_handshake`` give datagrams to be sent back to where theirs came from."""

    def __init__(self, way_id: str, leg_id: str, certificate: Certificate) -> None:
        self.way_id, self.leg_id = way_id, leg_id
        self.agents = [LiteAgent(new_credentials())]
        """The newest last; the one before it serves until the newest is nominated."""
        self.reporter = Reporter()
        self.keys: SrtpKeys | None = None
        """Set once the handshake is over and the certificate is the announced one: then audio may flow."""
        self.has_failed = False
        self._association = DtlsAssociation(certificate, is_server=True)
        self._announced = ""

    @property
    def address(self) -> Address | None:
        """Where the browser is, by the newest nomination."""
        return next((agent.nominated for agent in reversed(self.agents) if agent.nominated is not None), None)

    @property
    def is_closed(self) -> bool:
        """Whether the browser said that it is going, or can never come."""
        return self._association.is_closed or self.has_failed

    def restart(self) -> IceCredentials:
        """New credentials for the same keys (RFC 8445 section 9)."""
        self.agents = [*self.agents[-1:], LiteAgent(new_credentials())]
        return self.agents[-1].credentials

    def describe(self, ufrag: str, fingerprint: str, *, rate: int = 8) -> None:
        """Take what the browser's answer says. ``rate``: timestamp units in a millisecond of its codec."""
        if rate != self.reporter.rate:
            self.reporter = Reporter(rate=rate)
        self.agents[-1].remote_ufrag = ufrag
        self._announced = fingerprint
        self._open()

    def receive_check(self, datagram: bytes, source: Address, ufrag: str, *, now: int) -> bytes | None:
        """Answer a connectivity check, ``None`` for one that proves nothing."""
        agent = next((agent for agent in self.agents if agent.credentials.ufrag == ufrag), None)
        return None if agent is None else agent.receive(datagram, source, now=now)

    def receive_handshake(self, datagram: bytes) -> list[bytes]:
        """Take a DTLS datagram."""
        if self.has_failed:
            return []
        try:
            self._association.receive(datagram)
        except HandshakeFailed:
            self.has_failed = True
        self._open()
        return self._association.take()

    def due(self) -> list[bytes]:
        """What is to be sent again because no answer came; to be asked several times a second."""
        wait = self._association.timeout()
        if wait is None or wait > 0:
            return []
        self._association.handle_timeout()
        return self._association.take()

    def unprotect(self, packet: bytes) -> bytes | None:
        """The RTP packet inside, ``None`` for a forged or repeated one."""
        if self.keys is None:
            return None
        try:
            return self.keys.unprotect(packet)
        except pylibsrtp.Error:
            return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The RTCP packet inside, ``None`` for a forged or repeated one."""
        if self.keys is None:
            return None
        try:
            return self.keys.unprotect_rtcp(packet)
        except pylibsrtp.Error:
            return None

    def close(self) -> list[bytes]:
        """Say goodbye."""
        self._association.close()
        return self._association.take()

    def _open(self) -> None:
        if self.keys is not None or self._association.keys is None or not self._announced:
            return
        if self._association.peer_fingerprint != self._announced:
            self.has_failed = True
            return
        self.keys = self._association.keys
