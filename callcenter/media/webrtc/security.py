"""DTLS with keys for SRTP (RFC 5763, RFC 5764): bytes in, bytes out; the sockets and clocks are elsewhere."""

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pylibsrtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from callcenter.errors import MediaError

_MTU = 1200
"""Bytes of one handshake datagram: fits every path that a browser is behind."""
_RECORD_HEADER = 13
_LARGEST_FLIGHT = 65536
_LABEL = b"EXTRACTOR-dtls_srtp"
_LIFETIME = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Profile:
    """A protection profile: libsrtp's number, bytes of master key and salt (RFC 5764, RFC 7714)."""

    number: int
    key: int
    salt: int


_PROFILES: dict[bytes, _Profile] = {
    b"SRTP_AEAD_AES_128_GCM": _Profile(pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": _Profile(pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
"""By OpenSSL's names, the preferred one first."""


class HandshakeFailed(MediaError):
    """The DTLS handshake failed, or its certificate is not the one that was announced."""

    code = "dtls-failed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of our own, its key inside ``context``; its fingerprint is what the other side trusts."""

    fingerprint: str
    context: SSL.Context


def new_certificate() -> Certificate:
    """A self-signed ECDSA P-256 certificate, as WebRTC asks for (RFC 8827 section 6.5)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "callcenter")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept_any)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_tlsext_use_srtp(b":".join(_PROFILES))
    return Certificate(fingerprint_of(certificate), context)


def _accept_any(*_: object) -> bool:
    """Certificates are self-signed on both sides; the fingerprint is compared after the handshake."""
    return True


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 as SDP writes it (RFC 8122 section 5)."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class SrtpKeys:
    """Protects what we send and opens what comes; made from a finished handshake."""

    __slots__ = ("_receiving", "_sending", "protect", "protect_rtcp", "unprotect", "unprotect_rtcp")

    protect: Callable[[bytes], bytes]
    unprotect: Callable[[bytes], bytes]
    """Raises ``pylibsrtp.Error`` for a packet that is forged, repeated or too old; the RTCP one too."""
    protect_rtcp: Callable[[bytes], bytes]
    unprotect_rtcp: Callable[[bytes], bytes]

    def __init__(self, material: bytes, profile: _Profile, *, is_server: bool) -> None:
        key, salt = profile.key, profile.salt
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt : 2 * (key + salt)]
        mine, theirs = (server, client) if is_server else (client, server)
        any_out, any_in = pylibsrtp.Policy.SSRC_ANY_OUTBOUND, pylibsrtp.Policy.SSRC_ANY_INBOUND
        self._sending = pylibsrtp.Session(pylibsrtp.Policy(mine, any_out, 0, profile.number))
        self._receiving = pylibsrtp.Session(pylibsrtp.Policy(theirs, any_in, 0, profile.number))
        self.protect, self.protect_rtcp = self._sending.protect, self._sending.protect_rtcp
        self.unprotect, self.unprotect_rtcp = self._receiving.unprotect, self._receiving.unprotect_rtcp


class DtlsAssociation:
    """One handshake and what it agreed upon. ``receive`` what comes, send what ``take`` gives, mind ``timeout``."""

    def __init__(self, certificate: Certificate, *, is_server: bool) -> None:
        self._is_server = is_server
        self._connection = SSL.Connection(certificate.context)
        self._connection.set_ciphertext_mtu(_MTU)
        if is_server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
        self.keys: SrtpKeys | None = None
        """Known once the handshake is over."""
        self.peer_fingerprint = ""
        self.is_closed = False
        """Whether the other side said that it is going."""

    def begin(self) -> None:
        """Make the first flight, as the client does."""
        self._advance()

    def receive(self, datagram: bytes) -> None:
        """Take a datagram. Raises ``HandshakeFailed`` when nothing can come of it any more."""
        self._connection.bio_write(datagram)
        self._advance()

    def handle_timeout(self) -> None:
        """Send the last flight again; to be called when ``timeout`` has passed."""
        with contextlib.suppress(SSL.Error):
            self._connection.DTLSv1_handle_timeout()

    def timeout(self) -> float | None:
        """Seconds until ``handle_timeout`` is due, ``None`` when nothing waits for an answer."""
        return None if self.keys is not None else self._connection.DTLSv1_get_timeout()

    def close(self) -> None:
        """Say that we are going."""
        with contextlib.suppress(SSL.Error):
            self._connection.shutdown()

    def take(self) -> list[bytes]:
        """Datagrams to be sent, whole records in each."""
        try:
            flight = self._connection.bio_read(_LARGEST_FLIGHT)
        except SSL.WantReadError:
            return []
        datagrams, start, position = [], 0, 0
        while position + _RECORD_HEADER <= len(flight):
            length = _RECORD_HEADER + int.from_bytes(flight[position + 11 : position + 13])
            if position + length - start > _MTU and position > start:
                datagrams.append(flight[start:position])
                start = position
            position += length
        datagrams.append(flight[start:])
        return datagrams

    def _advance(self) -> None:
        try:
            if self.keys is None:
                self._connection.do_handshake()
                self._agree()
            self._connection.recv(1500)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.is_closed = True
        except SSL.Error as error:
            if self.keys is None:
                raise HandshakeFailed(f"the DTLS handshake failed: {error}") from error

    def _agree(self) -> None:
        profile = _PROFILES.get(self._connection.get_selected_srtp_profile())
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if profile is None or certificate is None:
            raise HandshakeFailed("no SRTP profile or no certificate was agreed upon")
        self.peer_fingerprint = fingerprint_of(certificate)
        material = self._connection.export_keying_material(_LABEL, 2 * (profile.key + profile.salt))
        self.keys = SrtpKeys(material, profile, is_server=self._is_server)
