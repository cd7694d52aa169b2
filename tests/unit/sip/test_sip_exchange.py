"""Who may come in, and what strangers learn."""

import re
from ipaddress import ip_network

import pytest

from callcenter.calls.legs import EndCause, LegEnded, LegOffered, LegRefused, Party
from callcenter.ports import PhoneTarget
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.outbound import Target
from callcenter.sip.registrar import Limits
from callcenter.sip.settings import SipSettings
from callcenter.sip.trunks import Trunk, trunk_of
from callcenter.sip.wire import PhoneReachable
from tests.support.sip_wire import CARRIER, EXCHANGE, REALM, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

PHONE = ("10.0.2.1", 5062)
THIEF = ("10.0.9.9", 5060)
FLOW = Flow(Transport.UDP, EXCHANGE)
SDP = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"


def raw(
    method: str, *, user: str = "anna", branch: str = "1", lines: tuple[str, ...] = (), body: str = "", to_tag: str = ""
) -> bytes:
    tag = f";tag={to_tag}" if to_tag else ""
    head = [
        f"{method} sip:5000@10.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {CARRIER[0]}:{CARRIER[1]};branch=z9hG4bK{branch};rport",
        f'From: "A" <sip:{user}@10.0.0.1>;tag=f',
        f"To: <sip:{user}@10.0.0.1>{tag}",
        f"Call-ID: c{branch}",
        f"CSeq: 1 {method}",
        "Contact: <sip:x@10.0.9.9>",
        *lines,
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def answers(network: Network, data: bytes, source=CARRIER) -> list[int]:
    """The statuses that come back to one datagram."""
    before = len(network.sent_by(EXCHANGE))
    network.inject(source, EXCHANGE, data)
    network.run(150)
    return [int(d[8:11]) for d in network.sent_by(EXCHANGE)[before:] if d.startswith(b"SIP/2.0 ")]


def place(network: Network, address, phone, *, from_: str, leg_id: str = "p1") -> None:
    network.perform(
        address,
        phone.invite(
            leg_id, [Target("sip:5000@10.0.0.1", FLOW)], from_=from_, to="<sip:5000@10.0.0.1>", sdp=SDP, now=network.now
        ),
    )
    network.run(1_000)


def test_a_registered_agent_calls_and_is_known_by_name():
    network = Network()
    exchange_on(network, anna="a1")
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna")
    place(network, PHONE, phone, from_='"Anna A." <sip:anna@10.0.0.1>')
    offered = network.events(EXCHANGE)[0]
    assert isinstance(offered, LegOffered)
    assert (offered.trunk_id, offered.agent_id) == (None, "a1")
    assert (offered.caller, offered.called) == (Party("anna", "Anna A."), Party("5000"))


@pytest.mark.parametrize(
    ("username", "password", "from_", "registered", "status"),
    [
        ("anna", "wrong", "<sip:anna@10.0.0.1>", True, 401),
        ("nobody", "x", "<sip:nobody@10.0.0.1>", False, 401),
        ("anna", None, "<sip:ben@10.0.0.1>", True, 403),
        ("anna", None, "<sip:anna@10.0.0.1>", False, 403),
    ],
)
def test_anybody_else_is_refused_and_no_leg_comes_of_it(username, password, from_, registered, status):
    network = Network()
    exchange = exchange_on(network, anna="a1", ben="a2")
    if registered:
        register(network, PHONE, phone_on(network, PHONE, "anna"), "anna")
    phone = phone_on(network, PHONE, username, password)
    place(network, PHONE, phone, from_=from_)
    assert [e.status for e in network.events(PHONE) if isinstance(e, LegRefused)] == [status]
    assert network.events(EXCHANGE) == []
    assert len(exchange) == 0


def test_nobody_registers_in_the_name_of_another():
    network = Network()
    exchange = exchange_on(network, anna="a1", ben="a2")
    thief = phone_on(network, THIEF, "ben")
    own = "<sip:anna@10.0.0.1>"
    headers = (("Contact", "<sip:x@10.0.9.9>"),)
    order = thief.send(
        "REGISTER", "sip:10.0.0.1", FLOW, "t", network.now, from_=own, to=own, call_id="x", headers=headers
    )
    network.perform(THIEF, order)
    network.run(1_000)
    assert [r.response.status for r in network.heard[THIEF]] == [403]
    assert not exchange.reachable("a1", network.now)


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
def test_known_and_unknown_names_get_the_same_octets(method):
    network = Network()
    exchange_on(network, anna="a1")
    seen = []
    for user in ("anna", "zzzz"):
        assert answers(network, raw(method, user=user, branch=user), THIEF) == [401]
        text = network.sent_by(EXCHANGE)[-1].replace(user.encode(), b"USER")
        seen.append(re.sub(rb'nonce="[^"]*"|;tag=[0-9a-f]{16}', b"", text))
    assert seen[0] == seen[1]


def test_nothing_is_remembered_of_strangers():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    for n in range(200):
        for method in ("INVITE", "REGISTER", "OPTIONS", "BYE", "INFO"):
            data = raw(method, branch=str(n), to_tag="x" if method in {"BYE", "INFO"} else "")
            assert len(answers(network, data, THIEF)) == 1
            assert len(network.sent_by(EXCHANGE)[-1]) <= 3 * len(data)
    assert (len(exchange), len(exchange.wire.transactions), len(exchange.wire.alarms)) == (0, 0, 0)


def test_the_carrier_is_known_by_its_address_and_its_asserted_identity():
    network = Network()
    exchange_on(network)
    data = raw("INVITE", user="anonymous", lines=('P-Asserted-Identity: "Zoë" <tel:+4930123>',))
    assert answers(network, data) == [100]
    offered = network.events(EXCHANGE)[0]
    assert isinstance(offered, LegOffered)
    assert (offered.trunk_id, offered.agent_id, offered.sdp) == ("carrier", None, "")
    assert offered.caller == Party("+4930123", "Zoë")


def test_a_name_with_control_characters_arrives_clean():
    network = Network()
    exchange_on(network)
    network.inject(CARRIER, EXCHANGE, raw("INVITE").replace(b'"A"', b'"A\\\x07\x1b[31m \xe9"'))
    network.run(100)
    assert network.events(EXCHANGE)[0].caller.display_name == "A[31m é"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (raw("INVITE", lines=("Max-Forwards: 0",)), 483),
        (raw("INVITE", lines=("Require: precondition",)), 420),
        (raw("INVITE", lines=("Content-Type: text/plain",), body="x"), 415),
        (raw("INVITE", lines=("Content-Type: application/sdp", "Content-Encoding: gzip"), body="x"), 415),
        (raw("INVITE", lines=("Accept: text/plain",)), 406),
        (raw("PUBLISH"), 405),
        (raw("NOVEL"), 501),
        (raw("INVITE").replace(b"sip:5000@10.0.0.1 SIP", b"novel:5000 SIP"), 416),
        (raw("BYE", to_tag="x"), 481),
        (raw("INVITE", to_tag="x"), 481),
        (raw("CANCEL"), 481),
        (raw("INFO"), 481),
        (raw("OPTIONS"), 200),
        (raw("OPTIONS", lines=("Max-Forwards: 0",)), 200),
        (raw("INVITE").replace(b"CSeq: 1 INVITE\r\n", b""), 400),
    ],
)
def test_what_we_do_not_serve_is_refused_by_the_right_status(data, status):
    network = Network()
    exchange_on(network)
    assert answers(network, data) == [status]
    assert network.events(EXCHANGE) == []


def test_a_call_that_is_answered_at_once_has_no_100_and_one_that_waits_has_one_in_time():
    """RFC 3261 section 17.2.1: none is needed where another answer follows within 200 ms."""
    network = Network()
    exchange = exchange_on(network)
    quick, slow, rings = (
        raw("INVITE"),
        *(
            raw("INVITE").replace(b"z9hG4bK1", b"z9hG4bK%d" % n).replace(b"Call-ID: ", b"Call-ID: %d" % n)
            for n in (2, 3)
        ),
    )
    for number, data in enumerate((quick, slow, rings)):
        network.inject(CARRIER, EXCHANGE, data)
        network.run(20)
        leg_id = network.events(EXCHANGE)[number].leg_id
        network.perform(EXCHANGE, exchange.answer(leg_id, SDP, network.now) if data is quick else [])
        network.perform(EXCHANGE, exchange.ring(leg_id, network.now) if data is rings else [])
    network.run(180)
    assert [int(data[8:11]) for data in network.sent_by(EXCHANGE)] == [200, 180, 100]
    network.inject(CARRIER, EXCHANGE, slow)
    network.run(20)
    assert [int(data[8:11]) for data in network.sent_by(EXCHANGE)][3:] == [100]
    exchange.wire.is_late = lambda: True  # then whoever sends again makes it later
    network.inject(
        CARRIER, EXCHANGE, raw("INVITE").replace(b"z9hG4bK1", b"z9hG4bK4").replace(b"Call-ID: ", b"Call-ID: 4")
    )
    network.run(20)
    assert [int(data[8:11]) for data in network.sent_by(EXCHANGE)][4:] == [100]


def test_the_same_invite_by_another_way_is_a_loop():
    network = Network()
    exchange_on(network)
    assert answers(network, raw("INVITE")) == [100]
    assert answers(network, raw("INVITE").replace(b"z9hG4bK1", b"z9hG4bK2")) == [482]
    assert answers(network, raw("INVITE")) == [100]
    assert len(network.events(EXCHANGE)) == 1


def test_a_phone_that_acknowledges_with_a_wrong_tag_is_understood():
    network = Network()
    exchange = exchange_on(network)
    network.inject(CARRIER, EXCHANGE, raw("INVITE"))
    network.run(100)
    leg = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.answer(leg, SDP, network.now))
    network.inject(CARRIER, EXCHANGE, raw("ACK", to_tag="wrong"))
    network.run(60_000)
    assert len(network.events(EXCHANGE)) == 1
    assert len(exchange) == 1
    network.perform(EXCHANGE, exchange.end(leg, EndCause.NORMAL, network.now))
    assert network.events(EXCHANGE)[-1] == LegEnded(leg, EndCause.NORMAL)


def test_an_ack_from_another_address_does_not_count():
    network = Network()
    exchange = exchange_on(network)
    network.inject(CARRIER, EXCHANGE, raw("INVITE"))
    network.run(100)
    network.perform(EXCHANGE, exchange.answer(network.events(EXCHANGE)[0].leg_id, SDP, network.now))
    network.inject(THIEF, EXCHANGE, raw("ACK", branch="1", to_tag="wrong").replace(b"z9hG4bK1", b"z9hG4bK8"))
    network.run(33_000)
    assert network.events(EXCHANGE)[-1].cause is EndCause.TIMEOUT


def test_hanging_up_before_the_ack_waits_for_it():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "c")
    network.drop = lambda data: data.startswith(b"ACK ") and network.now < 1_700_000_001_000
    network.reactions[EXCHANGE] = lambda e: (
        network.perform(EXCHANGE, exchange.answer(e.leg_id, SDP, network.now)) if isinstance(e, LegOffered) else None
    )
    place(network, CARRIER, carrier, from_="<sip:1@x>")
    leg = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.end(leg, EndCause.NORMAL, network.now))
    assert network.events(EXCHANGE)[-1] == LegEnded(leg, EndCause.NORMAL)
    assert not network.sent_by(EXCHANGE, "BYE ")
    network.run(5_000)
    assert network.sent_by(EXCHANGE, "BYE ")
    assert network.events(CARRIER)[-1] == LegEnded("p1", EndCause.NORMAL)
    assert network.events(EXCHANGE).count(LegEnded(leg, EndCause.NORMAL)) == 1


def test_a_hang_up_with_a_foreign_tag_is_not_believed():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "c")
    place(network, CARRIER, carrier, from_="<sip:1@x>")
    leg = exchange._legs.all()[0]
    assert leg.dialog is not None
    bye = raw("BYE", to_tag=leg.dialog.local_tag).replace(b"Call-ID: c1", f"Call-ID: {leg.dialog.call_id}".encode())
    assert answers(network, bye, THIEF) == [481]
    assert len(exchange) == 1


def test_an_order_for_a_leg_that_is_over_is_ignored():
    network = Network()
    exchange = exchange_on(network)
    for order in (exchange.ring("x", 1), exchange.answer("x", SDP, 1), exchange.accept_reoffer("x", SDP, 1)):
        assert order == []
    assert exchange.end("x", EndCause.NORMAL, 1) == []


def test_an_agent_without_phone_is_refused_480():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    assert exchange.ring_agent("L", PhoneTarget("a1"), Party("1"), SDP, network.now) == [
        LegRefused("L", 480, "Not registered")
    ]


def test_coming_and_going_of_phones_is_told_once():
    network = Network()
    settings = SipSettings(host=EXCHANGE[0], port=EXCHANGE[1], realm=REALM, limits=Limits(minimum=1))
    exchange = exchange_on(network, settings, anna="a1")
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna", expires=60)
    network.run(30_000)
    register(network, PHONE, phone, "anna", expires=60)
    assert network.heard[EXCHANGE] == [PhoneReachable("a1", True)]
    network.run(61_000)
    assert network.heard[EXCHANGE] == [PhoneReachable("a1", True), PhoneReachable("a1", False)]
    assert not exchange.reachable("a1", network.now)
    register(network, PHONE, phone, "anna", expires=60)
    register(network, PHONE, phone, "anna", expires=0)
    assert [one.reachable for one in network.heard[EXCHANGE]] == [True, False, True, False]


def test_a_lost_connection_makes_its_phone_unreachable():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    register(network, PHONE, phone_on(network, PHONE, "anna"), "anna")
    network.perform(EXCHANGE, exchange.flow_lost(Flow(Transport.UDP, PHONE), network.now))
    assert network.heard[EXCHANGE][-1] == PhoneReachable("a1", False)


@pytest.mark.parametrize(
    ("address", "trunk_id"),
    [
        (("10.0.1.7", 5060), "a"),
        (("10.0.2.7", 5060), "b"),
        (("10.0.2.7", 9), None),
        (("2001:db8::1", 1), "a"),
        (("192.0.2.1", 5060), None),
        (("not an address", 1), None),
    ],
)
def test_trunks_are_known_by_network_and_port(address, trunk_id):
    trunks = [
        Trunk("a", (ip_network("10.0.1.0/24"), ip_network("2001:db8::/32"))),
        Trunk("b", (ip_network("10.0.2.0/24"),), frozenset({5060})),
    ]
    found = trunk_of(trunks, address)
    assert (found.trunk_id if found else None) == trunk_id


def test_guessing_passwords_is_soon_in_vain_and_hurts_no_other_address():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    thief = phone_on(network, THIEF, "anna", "wrong")
    answers = set()
    for n in range(30):
        response = register(network, THIEF, thief, "anna").response
        answers.add(response and response.status)
        network.now += n  # each attempt its own CSeq
    assert answers == {401, None}  # and then nothing at all
    assert register(network, PHONE, phone_on(network, PHONE, "anna"), "anna").response.status == 200
    assert exchange.reachable("a1", network.now)
    network.run(3_600_000)
    assert register(network, THIEF, phone_on(network, THIEF, "anna"), "anna").response.status == 200


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("10.0.1.1:5099", 5099),  # names its own address: the port it listens on
        ("10.0.1.1", 5060),
        ("10.0.1.1:5099;rport", 7000),
        ("192.168.0.9:5099", 7000),  # behind NAT: back through the hole it came from
        ("phone.example.com:5099", 7000),
    ],
)
def test_answers_go_to_the_source_address_and_to_no_other(via, port):
    network = Network()
    exchange_on(network)
    data = raw("OPTIONS").replace(b"10.0.1.1:5060;branch=z9hG4bK1;rport", f"{via};branch=z9hG4bK1".encode())
    network.inject((CARRIER[0], 7000), EXCHANGE, data)
    network.run(100)
    assert [destination for source, destination, _ in network.carried if source == EXCHANGE] == [(CARRIER[0], port)]


def test_a_phone_inside_a_trunks_network_must_still_show_its_password():
    network = Network()
    exchange_on(network, anna="a1")
    inside = ("10.0.1.9", 5062)
    phone = phone_on(network, inside, "anna")
    register(network, inside, phone, "anna")
    assert answers(network, raw("INVITE", user="anna"), inside) == [401]
    place(network, inside, phone, from_="<sip:anna@10.0.0.1>")
    assert [(e.trunk_id, e.agent_id) for e in network.events(EXCHANGE)] == [(None, "a1")]


def test_a_request_out_of_order_is_refused_and_does_nothing():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "c")
    place(network, CARRIER, carrier, from_="<sip:1@x>")
    leg = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.answer(leg, SDP, network.now))
    network.run(1_000)
    network.perform(CARRIER, carrier.send_digit("p1", "1", network.now))
    network.run(100)
    old = network.sent_by(CARRIER, "INFO ")[0].replace(b"branch=z9hG4bK", b"branch=z9hG4bKnew")
    assert answers(network, old) == [500]
    assert len(network.events(EXCHANGE)) == 2


def test_a_call_that_nobody_answers_is_refused_in_the_end():
    network = Network()
    exchange = exchange_on(network)
    assert answers(network, raw("INVITE")) == [100]
    network.run(300_000)
    assert network.events(EXCHANGE)[-1].cause is EndCause.NO_ANSWER
    assert network.sent_by(EXCHANGE, "SIP/2.0 480")
    assert len(exchange) == 0


def test_a_reoffer_that_nobody_accepts_is_refused_and_the_call_goes_on():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "c")
    place(network, CARRIER, carrier, from_="<sip:1@x>")
    network.perform(EXCHANGE, exchange.answer(network.events(EXCHANGE)[0].leg_id, SDP, network.now))
    network.run(1_000)
    network.perform(CARRIER, carrier.reoffer("p1", SDP, "hold", network.now))
    network.run(21_000)
    assert [one.response.status for one in network.heard[CARRIER] if hasattr(one, "token")] == [488]
    assert len(exchange) == len(carrier) == 1
