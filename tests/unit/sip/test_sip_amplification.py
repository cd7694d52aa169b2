"""Nobody can use us to multiply what he sends to somebody else: whatever comes from an unproven address is answered
with less than three times its size, at once or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.sip.flows import Flow, Transport
from callcenter.sip.parser import KNOWN_METHODS, parse
from callcenter.sip.settings import SipSettings
from callcenter.sip.wire import AMPLIFICATION
from tests.support.sip_wire import EXCHANGE, REALM, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

STRANGER = ("10.9.9.9", 5060)
USUAL = (
    "{method} sip:5000@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bKabcdef;rport\r\n"
    'Max-Forwards: 70\r\nFrom: "A" <sip:anna@10.0.0.1>;tag=12345678\r\nTo: <sip:5000@10.0.0.1>\r\n'
    "Call-ID: 8f3c2a1b@10.9.9.9\r\nCSeq: 1 {method}\r\nContact: <sip:anna@10.9.9.9:5060>\r\nUser-Agent: Phone 1.0\r\n"
    "{more}Content-Length: 0\r\n\r\n"
)
LEAST = (
    "{method} sip:a@b SIP/2.0\r\nv:SIP/2.0/UDP c;branch=z9hG4bK1\r\nf:<sip:anna@b>;tag=1\r\nt:<sip:anna@b>\r\ni:1\r\n"
    "CSeq:1 {method}\r\n{more}\r\n"
)
MORE = (
    "",
    "Require: a,b,c,d\r\n",
    'Authorization: Digest username="anna"\r\n',
    "Route: <sip:x>\r\n",
    "t:<sip:anna@b>;tag=2\r\n",
    "Accept: text/plain\r\n",
    "Session-Expires: 1\r\n",
    "Replaces: a;to-tag=b;from-tag=c\r\n",
    "Event: dialog\r\n",
)
METHODS = (*sorted(KNOWN_METHODS), "JUMP")


def answers(data: bytes, network: Network | None = None, source=STRANGER) -> list[bytes]:
    """Everything that is ever said because of this datagram."""
    network = network or Network()
    settings = SipSettings(host=EXCHANGE[0], port=EXCHANGE[1], realm=REALM)
    exchange = exchange_on(network, settings, anna="a1")
    network.perform(EXCHANGE, exchange.receive(data, Flow(Transport.UDP, source), network.now))
    assert not len(exchange)
    assert not len(exchange.wire.transactions)
    network.run(100_000)
    return network.sent_by(EXCHANGE)


@pytest.mark.parametrize("form", [USUAL, LEAST])
@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("method", METHODS)
def test_every_request_of_a_stranger_is_answered_small_once_and_forgotten(method, more, form):
    request = form.format(method=method, more=more).encode()
    said = answers(request)
    assert len(said) <= 1
    assert sum(map(len, said)) < AMPLIFICATION * len(request)


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "SUBSCRIBE", "OPTIONS", "CANCEL", "BYE"])
def test_a_phones_request_is_big_enough_for_its_whole_answer(method):
    (said,) = answers(USUAL.format(method=method, more="").encode())
    answer = parse(said)
    if answer.status == 401:
        assert len(answer.values("www-authenticate")) == 2
        assert answer.reason == "Unauthorized"


def test_the_least_request_gets_the_least_challenge():
    (said,) = answers(LEAST.format(method="REGISTER", more="").encode())
    challenges = parse(said).values("www-authenticate")
    assert len(challenges) == 1
    assert "SHA-256" in challenges[0]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nor_is_anything_that_was_garbled_on_the_way(data):
    octets = bytearray(data.draw(st.sampled_from([USUAL, LEAST])).format(method="INVITE", more="").encode())
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
    said = answers(bytes(octets))
    assert sum(map(len, said)) < AMPLIFICATION * max(1, len(octets))


def test_what_cannot_be_said_small_is_not_said():
    exchange = exchange_on(Network())
    request = parse(USUAL.format(method="OPTIONS", more="").encode())
    exchange.wire.allowance = 100
    exchange.wire.reply(request, Flow(Transport.UDP, STRANGER), 200)
    exchange.wire.reply_to_source(request, Flow(Transport.UDP, STRANGER), 400, "Bad Request")
    assert exchange.wire.outcomes == []
    assert exchange.counters()["dropped amplification"] == 2


def test_a_registered_phone_is_not_kept_short():
    network = Network()
    phone = phone_on(network, ("10.0.2.1", 5060), "anna")
    exchange = exchange_on(network, anna="a1")
    register(network, ("10.0.2.1", 5060), phone, "anna")
    request = LEAST.format(method="OPTIONS", more="").encode()
    (said,) = exchange.receive(request, Flow(Transport.UDP, ("10.0.2.1", 5060)), network.now)
    assert b"Allow: " in said.data


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "SUBSCRIBE", "MESSAGE"])
def test_a_name_that_exists_and_one_that_does_not_get_the_same_octets(method):
    said = []
    for name in ("anna", "nobo"):
        request = USUAL.replace("anna", name).format(method=method, more="").encode()
        answer = parse(answers(request)[0])
        challenges = [value.split("nonce=")[0] for value in answer.values("www-authenticate")]
        said.append((answer.status, challenges, str(bytes(answer)).count(",")))
    assert said[0] == said[1]
