"""Cost of reading and writing SIP messages, in CPU time. Run: ``python tests/bench/bench_sip_parser.py``."""

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from callcenter.sip.messages import SipRequest, SipResponse, build_response
from callcenter.sip.parser import parse

SDP = (
    "v=0\r\no=- 3724394400 3724394400 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    "m=audio 40376 RTP/AVP 8 0 18 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\n"
    "a=fmtp:18 annexb=no\r\na=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=ptime:20\r\na=sendrecv\r\na=rtcp:40377 IN IP4 198.51.100.7\r\n"
)
HEAD = (
    "INVITE sip:+442071838750@pbx.example.com:5060;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK74bf9c8e7d{n:06};rport\r\n"
    "Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK9fe1{n:06};received=203.0.113.9\r\n"
    "Record-Route: <sip:198.51.100.7;lr;ftag=as6d1f>\r\nMax-Forwards: 69\r\n"
    'From: "Alice Example" <sip:+331{n:08}@carrier.example.net;user=phone>;tag=as6d1fa2{n:06}\r\n'
    "To: <sip:+442071838750@pbx.example.com;user=phone>\r\nCall-ID: 7f2a1c0b9d8e4f3a{n:06}@198.51.100.7\r\n"
    "CSeq: 102 INVITE\r\nContact: <sip:+331{n:08}@198.51.100.7:5060;transport=udp>\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, INFO, REFER, NOTIFY, PRACK\r\n"
    "Supported: timer, replaces, 100rel, path\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n"
    "P-Asserted-Identity: <sip:+331{n:08}@carrier.example.net>\r\nUser-Agent: Carrier SBC 9.1.0\r\n"
    "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}"
)


def invite(n: int) -> bytes:
    """An INVITE that differs from call to call."""
    return HEAD.format(n=n, length=len(SDP), sdp=SDP).encode()


def touch(data: bytes) -> SipRequest | SipResponse:
    """What an exchange reads of every message."""
    message = parse(data)
    _ = (message.via, message.from_.tag, message.to.tag, message.cseq, message.call_id, message.contacts)
    message.addresses("record-route")
    return message


def measure(name: str, run: Callable[[bytes], object], messages: list[bytes]) -> None:
    """Print the spread of the cost over all messages."""
    costs = []
    for data in messages:
        before = time.process_time_ns()
        run(data)
        costs.append((time.process_time_ns() - before) / 1_000)
    costs.sort()
    p50, p99 = costs[len(costs) // 2], costs[int(len(costs) * 0.99)]
    print(f"{name:<42} {sum(costs) / len(costs):8.1f} {p50:8.1f} {p99:8.1f}  us mean / p50 / p99")


def main() -> None:
    """Print all figures."""
    calls = [invite(n) for n in range(20_000)]
    dialog = [invite(n // 7) for n in range(20_000)]
    print(f"Python {platform.python_version()}, {platform.machine()}, INVITE of {len(calls[0])} octets, CPU time")
    measure("parse", parse, calls)
    measure("parse, read, serialise: every call new", lambda data: bytes(touch(data)), calls)
    measure("parse, read, serialise: 7 messages a call", lambda data: bytes(touch(data)), dialog)
    request = touch(calls[0])
    assert isinstance(request, SipRequest)
    measure(
        "build and serialise a 180", lambda _: bytes(build_response(request, 180, source=("198.51.100.7", 5060))), calls
    )
    poison = b"INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest " + b'a="", ' * 1_300 + b"\x01\r\n\r\n"
    measure(f"refuse {len(poison)} octets of open lists", _refuse, [poison] * 200)


def _refuse(data: bytes) -> None:
    try:
        parse(data)
    except Exception as error:  # noqa: BLE001
        _ = error


if __name__ == "__main__":
    main()
