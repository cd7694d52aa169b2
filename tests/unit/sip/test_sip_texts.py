"""Texts between agents' phones (MESSAGE, RFC 3428)."""

from types import MethodType

import pytest

from callcenter.sip.flows import Flow, Transport
from callcenter.sip.phone import PhoneEndpoint
from callcenter.sip.wire import Replied
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

ANNA, BEN, BENS_OTHER = ("10.0.2.1", 5062), ("10.0.2.2", 5062), ("10.0.2.3", 5062)
FLOW = Flow(Transport.UDP, EXCHANGE)
TEXT = "Wer übernimmt die 4711?"


def house(network: Network, *bens: tuple[str, int]):
    """Anna's phone, and Ben's; all registered."""
    exchange = exchange_on(network, anna="a1", ben="b1")
    phones = [phone_on(network, address, name) for address, name in ((ANNA, "anna"), *((each, "ben") for each in bens))]
    for address, phone, name in zip((ANNA, *bens), phones, ("anna", *("ben" for _ in bens)), strict=True):
        register(network, address, phone, name)
    return exchange, *phones


def answers(phone: PhoneEndpoint, status: int) -> list[str]:
    """Let a phone serve MESSAGE, with this answer; the texts it gets."""
    read: list[str] = []

    def take(self, arrived, now) -> None:
        read.append(arrived.request.body.decode())
        self.wire.answer_once(arrived, status, now)

    phone._served = phone._served | {"MESSAGE"}
    phone._text = MethodType(take, phone)
    return read


def say(network: Network, phone: PhoneEndpoint, whom: str, kind: str = "text/plain;charset=UTF-8", n: int = 1) -> int:
    """Send a text; the final status."""
    sent = phone.send(
        "MESSAGE", f"sip:{whom}@10.0.0.1", FLOW, f"t{n}", network.now, from_="Anna <sip:anna@10.0.0.1>",
        to=f"<sip:{whom}@10.0.0.1>", call_id=f"text{n}", headers=(("Content-Type", kind),), body=TEXT.encode(),
    )  # fmt: skip
    network.perform(ANNA, sent)
    network.run(40_000)
    (reply,) = [each for each in network.heard[ANNA] if isinstance(each, Replied) and each.token == f"t{n}"]
    return reply.response.status


def test_a_text_reaches_every_phone_of_the_colleague_and_the_first_good_answer_counts():
    network = Network()
    exchange, anna, ben, other = house(network, BEN, BENS_OTHER)
    read, too = answers(ben, 200), answers(other, 486)
    assert say(network, anna, "ben") == 200
    assert read == too == [TEXT]
    (message, *_) = network.sent_by(EXCHANGE, "MESSAGE")
    assert b"From: Anna <sip:anna@10.0.0.1>" in message.replace(b'"Anna"', b"Anna")
    assert len(exchange._texts) == 0
    assert len(exchange.wire.transactions) == 0


@pytest.mark.parametrize(("status", "told"), [(486, 486), (405, 405), (0, 480)])
def test_who_sent_it_hears_why_nobody_reads_it(status, told):
    network = Network()
    exchange, anna, ben = house(network, BEN)
    if status:
        answers(ben, status)
    else:
        network.drop = lambda data: data.startswith(b"MESSAGE sip:ben@10.0.2.2")
    assert say(network, anna, "ben") == told
    assert len({message.split(b"Call-ID: ")[1][:12] for message in network.sent_by(EXCHANGE, "MESSAGE")}) == 1
    assert len(exchange._texts) == 0


def test_texts_stay_in_the_house_and_are_text():
    network = Network()
    exchange, anna = house(network)
    assert say(network, anna, "ben", n=1) == 480  # no phone
    assert say(network, anna, "eve", n=2) == 404
    assert say(network, anna, "+12025550177", n=3) == 404
    assert say(network, anna, "anna", kind="text/html", n=4) == 415
    assert network.sent_by(EXCHANGE, "MESSAGE") == []
    stranger = phone_on(network, CARRIER, "carrier")
    plain = (("Content-Type", "text/plain"),)
    to = "<sip:anna@10.0.0.1>"
    sent = stranger.send(
        "MESSAGE", to[1:-1], FLOW, "s", network.now, from_="<sip:x@y>", to=to, call_id="s", headers=plain
    )
    network.perform(CARRIER, sent)
    network.run(40_000)
    assert network.sent_by(EXCHANGE, "MESSAGE") == [], "a carrier sends no texts"
    assert len(exchange._texts) == 0
