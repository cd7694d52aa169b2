"""Callers who just came are served before all else of a burst, and nobody loses the place in line for it."""

import asyncio

import pytest

from callcenter.sip import arrivals
from callcenter.sip.arrivals import Arrivals, opens_call
from callcenter.sip.flows import Flow, Transport

pytestmark = pytest.mark.unit

FLOW = Flow(Transport.UDP, ("192.0.2.1", 5060))


def invite(number: int, to: str = "To: <sip:5000@x>") -> bytes:
    return f"INVITE sip:{number}@x SIP/2.0\r\nVia: v\r\n{to}\r\nFrom: <sip:a@x>;tag=1\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("data", "opens"),
    [
        (invite(1), True),
        (invite(1, "To: <sip:5000@x>;tag=2"), False),
        (invite(1, "t: <sip:5000@x>"), False),
        (b"ACK sip:1@x SIP/2.0\r\nTo: <sip:5000@x>\r\n\r\n", False),
        (b"SIP/2.0 200 OK\r\nTo: <sip:5000@x>\r\nCSeq: 1 INVITE\r\n\r\n", False),
        (b"INVITE sip:1@x SIP/2.0", False),
        (b"INVITE sip:1@x SIP/2.0\r\nTo: <sip:5000@x>;tag=2", False),
    ],
)
def test_what_opens_a_call_is_told_from_what_goes_on_with_one(data: bytes, opens: bool) -> None:
    assert opens_call(data) is opens


async def test_one_by_one_each_is_served_as_it_comes() -> None:
    served: list[bytes] = []
    arriving = Arrivals(lambda data, _: served.append(data), lambda: False)
    for data in (b"BYE 1", invite(2), b"ACK 3"):
        arriving.take(data, FLOW)
        assert served[-1] == data
    assert len(arriving) == 0


async def test_in_a_burst_new_calls_go_first_and_all_else_in_order_a_little_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[bytes] = []
    held = [b"BYE 1", b"ACK 2", invite(3), b"BYE 4", invite(5), b"BYE 6"]
    arriving = Arrivals(lambda data, _: served.append(data), lambda: bool(held))
    monkeypatch.setattr(arrivals, "TURN_SECONDS", 0.0)
    while held:
        arriving.take(held.pop(0), FLOW)
    assert served == [invite(3), invite(5)]
    assert len(arriving) == 4
    await asyncio.sleep(0)
    assert served[2:] == [b"BYE 1"]
    arriving.take(b"BYE 7", FLOW)
    arriving.take(invite(8), FLOW)
    assert served[3:] == [invite(8)]
    for _ in range(4):
        await asyncio.sleep(0)
    assert served[4:] == [b"ACK 2", b"BYE 4", b"BYE 6", b"BYE 7"]
    arriving.take(b"BYE 9", FLOW)
    assert served[-1] == b"BYE 9"
