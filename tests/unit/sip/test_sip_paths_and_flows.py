"""Phones behind proxies (Path, RFC 3327) and phones that keep several flows open (RFC 5626)."""

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegRefused, Party
from callcenter.ports import PhoneTarget
from callcenter.sip.errors import BadMessage
from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import SipRequest
from callcenter.sip.parser import parse
from callcenter.sip.registrar import Registrar
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on

pytestmark = pytest.mark.unit

PROXY = Flow(Transport.UDP, ("10.0.9.1", 5060))
DIRECT = Flow(Transport.TCP, ("10.0.9.2", 5060), 1)
SECOND = Flow(Transport.TCP, ("10.0.9.2", 5061), 2)
PHONE = ("10.0.2.1", 5062)
SECOND_PHONE = ("10.0.2.2", 5062)
SDP = "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
NOW = 1_700_000_000_000
PATH = "Path: <sip:10.0.9.1;lr>,\r\n <sip:10.0.8.1;lr;ob>\r\n"
INSTANCE = '+sip.instance="<urn:uuid:f81d4fae>"'


def register(call_id: str, contact: str, more: str = "", cseq: int = 1) -> SipRequest:
    message = parse(
        f"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.9.1;branch=z9hG4bK{call_id}{cseq}\r\n"
        f"From: <sip:a@h>;tag=f\r\nTo: <sip:a@h>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n"
        f"Contact: {contact}\r\n{more}Content-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(message, SipRequest)
    return message


def test_the_path_is_kept_in_its_order():
    registrar = Registrar()
    (binding,) = registrar.register("a", register("1", "<sip:a@192.168.1.2>", PATH), PROXY, NOW)
    assert binding.path == ("<sip:10.0.9.1;lr>", "<sip:10.0.8.1;lr;ob>")


def test_two_phones_behind_one_proxy_stand_side_by_side_and_without_a_proxy_the_ghost_goes():
    registrar = Registrar()
    registrar.register("a", register("1", "<sip:a@192.168.1.2>", PATH), PROXY, NOW)
    assert len(registrar.register("a", register("2", "<sip:a@192.168.1.3>", PATH), PROXY, NOW)) == 2
    registrar.register("b", register("3", "<sip:b@192.168.1.2>"), DIRECT, NOW)
    assert len(registrar.register("b", register("4", "<sip:b@192.168.1.3>"), DIRECT, NOW)) == 1


def test_a_proxy_belongs_to_everybody_behind_it_until_the_last_one_leaves():
    registrar = Registrar()
    for name in ("a", "b"):
        registrar.register(name, register(name, f"<sip:{name}@192.168.1.2>", PATH), PROXY, NOW)
    registrar.register("b", register("b", "<sip:b@192.168.1.2>;expires=0", PATH, 2), PROXY, NOW)
    assert registrar.owner_of(PROXY, NOW) == "a"
    registrar.register("b", register("b", "<sip:b@192.168.1.2>", PATH, 3), PROXY, NOW)
    assert registrar.drop_flow(PROXY) == ("a", "b")
    assert len(registrar) == 0
    assert registrar.owner_of(PROXY, NOW) is None


def test_the_flows_of_one_device_are_one_phone_rung_by_the_newest():
    registrar = Registrar()
    registrar.register("a", register("1", f"<sip:a@1.1.1.1>;{INSTANCE};reg-id=1"), DIRECT, NOW)
    registrar.register("a", register("2", f"<sip:a@1.1.1.1>;{INSTANCE};reg-id=2"), SECOND, NOW + 5)
    registrar.register("a", register("3", "<sip:a@2.2.2.2>"), PROXY, NOW + 6)
    device, other = registrar.ways("a", NOW + 10)
    assert [one.flow for one in device] == [SECOND, DIRECT]
    assert [one.flow for one in other] == [PROXY]
    registrar.register("a", register("1", f"<sip:a@1.1.1.1>;{INSTANCE};reg-id=1", cseq=2), DIRECT, NOW + 20)
    assert [one.flow for one in registrar.ways("a", NOW + 30)[0]] == [DIRECT, SECOND]


def settled(network: Network, *registrations: tuple[SipRequest, Flow]) -> Exchange:
    """An exchange where agent ``a1`` registered so, with name and password checked."""
    exchange = exchange_on(network, anna="a1")
    for number, (request, flow) in enumerate(registrations):
        exchange._phones.registrar.register("anna", request, flow, network.now + number)
    exchange._phones._follow("anna", "a1")
    return exchange


def over(address: tuple[str, int]) -> Flow:
    return Flow(Transport.UDP, address)


def test_a_call_takes_the_path_of_the_registration_as_its_route_and_so_does_its_cancel():
    network = Network()
    phone = phone_on(network, PHONE, "anna")
    exchange = settled(network, (register("1", "<sip:anna@192.168.1.2:5062>", PATH), over(PHONE)))
    network.perform(EXCHANGE, exchange.ring_agent("L", PhoneTarget("a1"), Party("1"), SDP, network.now))
    network.run(100)
    network.perform(PHONE, phone.ring(network.events(PHONE)[0].leg_id, network.now))
    network.run(100)
    network.perform(EXCHANGE, exchange.end("L", EndCause.NORMAL, network.now))
    network.run(100)
    for method in ("INVITE ", "CANCEL "):
        (sent,) = network.sent_by(EXCHANGE, method)
        message = parse(sent)
        assert isinstance(message, SipRequest)
        assert message.uri_text == "sip:anna@192.168.1.2:5062"
        assert message.values("route") == ["<sip:10.0.9.1;lr>", "<sip:10.0.8.1;lr;ob>"]


@pytest.mark.parametrize("status", [430, 486])
def test_only_a_flow_that_failed_is_left_for_the_phones_next_one(status):
    network = Network()
    phones = {address: phone_on(network, address, "anna") for address in (PHONE, SECOND_PHONE)}
    contacts = (f"<sip:anna@1.1.1.1>;{INSTANCE};reg-id={number}" for number in (1, 2))
    exchange = settled(
        network,
        *(
            (register(f"r{number}", contact), over(address))
            for number, (contact, address) in enumerate(zip(contacts, phones, strict=True))
        ),
    )
    network.perform(EXCHANGE, exchange.ring_agent("L", PhoneTarget("a1"), Party("1"), SDP, network.now))
    network.run(100)
    assert not network.events(PHONE)  # one phone, rung over its newest flow only
    (ringing,) = network.events(SECOND_PHONE)
    network.perform(SECOND_PHONE, phones[SECOND_PHONE].refuse(ringing.leg_id, status, network.now))
    network.run(100)
    if status == 486:
        assert network.events(EXCHANGE)[-1] == LegRefused("L", 486, "Busy Here")
        assert not network.events(PHONE)
        assert len(exchange._phones.registrar) == 2
        return
    assert len(exchange._phones.registrar) == 1
    again = network.events(PHONE)[0]
    network.perform(PHONE, phones[PHONE].answer(again.leg_id, SDP, network.now))
    network.run(100)
    assert network.events(EXCHANGE)[-1] == LegAnswered("L", SDP, PHONE[0])


def test_a_path_that_is_no_address_is_refused():
    with pytest.raises(BadMessage):
        Registrar().register("a", register("1", "<sip:a@1.1.1.1>", "Path: <sip:x\r\n"), PROXY, NOW)
