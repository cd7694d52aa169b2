"""SIP messages and descriptions as accident and malice deform them, for parsers that must not care."""

import random
from collections.abc import Iterator

from hypothesis import strategies as st

SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 9 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
)


def _message(*lines: str, body: str = "") -> bytes:
    return "\r\n".join((*lines, f"Content-Length: {len(body)}", "", body)).encode()


INVITE = _message(
    "INVITE sip:5000@10.0.0.1;user=phone SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport",
    "Record-Route: <sip:192.0.2.7;lr>, <sip:[2001:db8::1]:5070;transport=tcp;lr>",
    "Max-Forwards: 69",
    "Call-ID: a@b",
    "CSeq: 102 INVITE",
    'From: "A \\"B\\" C" <sip:+331@c.example;user=phone>;tag=x',
    "To: <sip:5000@10.0.0.1>",
    'Contact: <sip:+331@192.0.2.7:5060;ob>;+sip.instance="<urn:uuid:1>";reg-id=1;expires=60;q=0.5',
    "Supported: timer, 100rel",
    "Require: replaces",
    "Session-Expires: 1800;refresher=uac",
    "Min-SE: 90",
    "P-Asserted-Identity: <sip:+331@c.example>, <tel:+331>",
    "Diversion: <sip:1@x>;reason=busy",
    "History-Info: <sip:1@x>;index=1, <sip:2@x?Reason=SIP%3Bcause%3D302>;index=1.1",
    "Accept: application/sdp",
    "Replaces: a@b;to-tag=1;from-tag=2;early-only",
    'Reason: Q.850;cause=16;text="ok"',
    "Expires: 120",
    "Content-Type: application/sdp",
    body=SDP,
)
REGISTER = _message(
    "REGISTER sip:10.0.0.1 SIP/2.0",
    "v: SIP/2.0/UDP 10.0.2.1;branch=z9hG4bK2;rport",
    "f: <sip:anna@10.0.0.1>;tag=1",
    "t: <sip:anna@10.0.0.1>",
    "i: r1",
    "CSeq: 7 REGISTER",
    "m: <sip:anna@10.0.2.1:5062;transport=udp>;expires=300",
    'Authorization: Digest username="anna", realm="callcenter", nonce="AAAB", uri="sip:10.0.0.1", response="00", '
    'algorithm=SHA-256, cnonce="a", qop=auth, nc=00000001',
    "Path: <sip:edge;lr>",
    "l: 0",
    body="",
)
CHALLENGE = _message(
    "SIP/2.0 401 Unauthorized",
    "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK3;received=10.0.0.1;rport=5060",
    "From: <sip:a@b>;tag=1",
    "To: <sip:c@d>;tag=2",
    "Call-ID: q",
    "CSeq: 1 INVITE",
    'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=MD5, Digest realm="s"',
    "RSeq: 5",
    "Require: 100rel",
    "Retry-After: 5 (soon);duration=3",
    body="",
)
REFER = _message(
    "REFER sip:10.0.0.1 SIP/2.0",
    "Via: SIP/2.0/TCP 10.0.2.1;branch=z9hG4bK4",
    "From: <sip:a@b>;tag=1",
    "To: <sip:c@d>;tag=2",
    "Call-ID: q",
    "CSeq: 2 REFER",
    "Refer-To: <sip:e@f?Replaces=q%3Bto-tag%3D1%3Bfrom-tag%3D2>",
    "Event: refer;id=2",
    "Subscription-State: active;expires=60",
    "RAck: 5 1 INVITE",
    body="",
)
MESSAGES = (INVITE, REGISTER, CHALLENGE, REFER)
"""Messages that use most headers the product reads."""
PIECES = (
    b"\r\n",
    b"\r\n ",
    b"\n",
    b"\r",
    b"\0",
    b",",
    b";",
    b"<",
    b">",
    b'"',
    b'\\"',
    b"\\",
    b"=",
    b":",
    b"@",
    b"%",
    b"%00",
    b"[",
    b"]",
    b"sip:",
    b"tel:",
    b"*",
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b"\xff\xfe",
    b"\xc3\xa9",
    b" ",
    b"\t",
    b"()",
    b"((((",
    b"a" * 300,
    b'"' * 40,
    b"<" * 40,
    b';a="' * 30,
    b",,,,,,,,",
    b"%25" * 30,
    b"0" * 50,
    b"tag=",
    b"branch=",
    b"received=",
)


def mutations(source: random.Random, texts: tuple[bytes, ...] = MESSAGES) -> Iterator[bytes]:
    """Deformed texts without end, the same for the same seed."""
    while True:
        octets = bytearray(source.choice(texts))
        for _ in range(source.randint(1, 6)):
            _deform(octets, source)
        yield bytes(octets)


def _deform(octets: bytearray, source: random.Random) -> None:
    at = source.randrange(len(octets) + 1)
    end = min(len(octets), at + source.randint(0, 24))
    kind = source.randrange(6)
    if kind == 0:
        octets[at:end] = b""
    elif kind == 1:
        octets[at:at] = source.choice(PIECES)
    elif kind == 2:
        octets[at:end] = source.choice(PIECES)
    elif kind == 3:
        octets[at:at] = bytes(octets[at:end]) * source.randint(1, 8)
    elif kind == 4:
        octets[at:end] = source.randbytes(end - at)
    else:
        lines = bytes(octets).split(b"\r\n")
        source.shuffle(lines)
        octets[:] = b"\r\n".join(lines)


def seeds() -> st.SearchStrategy[int]:
    """Seeds of mutations, for hypothesis to choose and to shrink."""
    return st.integers(0, 2**32)
