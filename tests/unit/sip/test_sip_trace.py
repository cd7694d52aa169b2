import pytest

from callcenter.commands.sip_trace import is_about
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.trace import ladder_line, traced

pytestmark = pytest.mark.unit

FLOW = Flow(Transport.UDP, ("10.0.1.1", 5060))
MESSAGE = (
    b"REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:4711@a>;tag=1\r\nTo: <sip:b@a>\r\n"
    b"Call-ID: one\r\nCSeq: 7 REGISTER\r\nAuthorization: Digest username=secret,\r\n response=secret\r\n"
    b"Proxy-Authorization: secret\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret"
)


def test_bodies_and_credentials_are_never_shown():
    shown = traced(MESSAGE, FLOW, 0, outgoing=False)
    assert "secret" not in repr(shown)
    assert "Authorization: ***" in shown.headers
    assert shown.body == "text/plain, 6 octets"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sip:4711:secret@a", "sip:4711:***@a"),
        ("sips:4711:secret@a;user=phone", "sips:4711:***@a;user=phone"),
        ("sip:a?Authorization=Digest%20secret", "sip:a?Authorization=***"),
        ("sip:10.0.0.1:5060;transport=tcp", "sip:10.0.0.1:5060;transport=tcp"),
        ("sip:4711@a:5060", "sip:4711@a:5060"),
    ],
)
def test_credentials_in_addresses_are_masked_and_nothing_else(uri, shown):
    message = MESSAGE.replace(b"<sip:b@a>", f"<{uri}>".encode()).replace(
        b"Call-ID", f"Refer-To: <{uri}>\r\nCall-ID".encode()
    )
    lines = traced(message, FLOW, 0, outgoing=False).headers
    assert {f"To: <{shown}>", f"Refer-To: <{shown}>"} <= set(lines)
    assert "secret" not in repr(lines)


def test_a_password_in_the_request_line_is_masked():
    shown = traced(MESSAGE.replace(b"REGISTER sip:a ", b"REGISTER sip:b:secret@a ", 1), FLOW, 0, outgoing=False)
    assert shown.line == "REGISTER sip:b:***@a"


def test_a_rung_says_when_who_and_what():
    shown = traced(MESSAGE, FLOW, 3_723_004, outgoing=True)
    rung = "01:02:03.004  10.0.1.1:5060 <---  REGISTER sip:a  (7 REGISTER)  [text/plain, 6 octets]"
    assert ladder_line(shown, 10) == rung


def test_what_cannot_be_read_is_shown_as_that():
    assert traced(b"nonsense", FLOW, 0, outgoing=False).line.startswith("(unreadable")


@pytest.mark.parametrize(("wanted", "found"), [("on", True), ("4711", True), ("4712", False)])
def test_a_call_is_found_by_its_id_or_a_number(wanted, found):
    assert is_about(traced(MESSAGE, FLOW, 0, outgoing=False), wanted) is found
