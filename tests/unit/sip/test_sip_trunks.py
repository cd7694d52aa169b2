"""Calls out: which trunk carries them, and what happens when it does not."""

import asyncio
import random
from ipaddress import ip_network

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegOffered, LegRefused, Party
from callcenter.ports import Allowed, Refused, TrunkPolicy
from callcenter.sip.call_caps import Cap
from callcenter.sip.defence import DefenceLimits
from callcenter.sip.digest import ha1
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.media_keys import SrtpPolicy, without_keys
from callcenter.sip.messages import build_response
from callcenter.sip.numbering import DialPermissions, NumberingRules, OutboundPlan, TrunkReach
from callcenter.sip.outbound import Target
from callcenter.sip.parser import parse
from callcenter.sip.resolver import ServiceRecord, gateways, in_order
from callcenter.sip.settings import SipSettings
from callcenter.sip.trunks import Trunk, TrunkCondition, TrunkState
from callcenter.sip.wire import TrunkChanged
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on

pytestmark = pytest.mark.unit

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
FIRST, SECOND = ("10.0.1.1", 5060), ("10.0.3.1", 5060)
CALLER = Party("+4930111", "Support")


def trunk(name: str, address, **more) -> Trunk:
    more = {"options_seconds": 0, **more}
    return Trunk(name, (ip_network(f"{address[0]}/32"),), gateway=address[0], **more)


def house(network: Network, *trunks: Trunk):
    """An exchange with trunks, their gateways found."""
    exchange = exchange_on(network, trunks=trunks or (trunk("one", FIRST), trunk("two", SECOND)))
    for each in trunks or (trunk("one", FIRST), trunk("two", SECOND)):
        flow = Flow(Transport.UDP, (each.gateway, 5060))
        network.perform(EXCHANGE, exchange.found_gateways(each.trunk_id, [flow], network.now))
    return exchange


def dial(network: Network, exchange, leg_id: str = "L", sdp: str = SDP, order=("one", "two")) -> None:
    network.perform(EXCHANGE, exchange.dial(leg_id, "+33123", TrunkPolicy(order), CALLER, sdp, network.now))


def carrier(network: Network, address, status: int = 200) -> None:
    """A gateway that answers every call so."""
    phone = phone_on(network, address, "carrier")

    def react(event) -> None:
        if isinstance(event, LegOffered):
            order = phone.answer(event.leg_id, SDP, network.now) if status == 200 else None
            network.perform(address, order or phone.refuse(event.leg_id, status, network.now))

    network.reactions[address] = react


def sent_to(network: Network, address, start: str) -> list[bytes]:
    return [data for _, to, data in network.carried if to == address and data.startswith(start.encode())]


def test_a_call_out_shows_the_caller_and_asks_for_the_number():
    network = Network()
    carrier(network, FIRST)
    dial(network, house(network))
    network.run(500)
    invite = parse(sent_to(network, FIRST, "INVITE")[0])
    assert invite.uri_text == "sip:+33123@10.0.1.1;user=phone"
    assert str(invite.from_.uri) == "sip:+4930111@10.0.1.1"
    assert str(invite.addresses("p-asserted-identity")[0].uri) == "sip:+4930111@10.0.1.1"
    assert network.events(EXCHANGE) == [LegAnswered("L", SDP, FIRST[0])]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_trunk_that_fails_is_left_for_the_next_at_once(status):
    network = Network()
    carrier(network, FIRST, status)
    carrier(network, SECOND)
    dial(network, house(network))
    network.run(500)
    assert network.events(EXCHANGE) == [LegAnswered("L", SDP, SECOND[0])]


@pytest.mark.parametrize("status", [404, 486, 603])
def test_what_is_said_of_the_number_is_final(status):
    network = Network()
    carrier(network, FIRST, status)
    carrier(network, SECOND)
    dial(network, house(network))
    network.run(5_000)
    assert [type(e) for e in network.events(EXCHANGE)] == [LegRefused]
    assert network.events(EXCHANGE)[0].status == status
    assert not sent_to(network, SECOND, "INVITE")


def test_a_silent_trunk_costs_three_seconds_and_its_late_answer_is_acknowledged_and_ended():
    network = Network()
    carrier(network, SECOND)
    dial(network, house(network))
    network.run(3_500)
    assert network.events(EXCHANGE) == [LegAnswered("L", SDP, SECOND[0])]
    late = parse(sent_to(network, FIRST, "INVITE")[0])
    headers = (("Contact", "<sip:x@10.0.1.1>"), ("Content-Type", "application/sdp"))
    answer = build_response(late, 200, to_tag="late", headers=headers, body=SDP.encode())
    network.inject(FIRST, EXCHANGE, bytes(answer))
    network.run(500)
    assert sent_to(network, FIRST, "ACK")
    assert sent_to(network, FIRST, "BYE")
    assert len(network.events(EXCHANGE)) == 1
    network.run(70_000)
    assert len(exchange_legs(network)) == 1


def test_a_silent_trunk_that_rings_late_is_cancelled():
    network = Network()
    ringing = phone_on(network, SECOND, "carrier")
    network.reactions[SECOND] = lambda event: (
        network.perform(SECOND, ringing.ring(event.leg_id, network.now)) if isinstance(event, LegOffered) else None
    )
    dial(network, house(network))
    network.run(3_500)
    late = parse(sent_to(network, FIRST, "INVITE")[0])
    network.inject(FIRST, EXCHANGE, bytes(build_response(late, 180, to_tag="late")))
    network.run(500)
    assert sent_to(network, FIRST, "CANCEL")
    assert not sent_to(network, SECOND, "CANCEL")


def exchange_legs(network: Network) -> list:
    return network._stations[EXCHANGE]._legs.all()


def test_when_every_trunk_fails_the_call_is_refused_once():
    network = Network()
    carrier(network, FIRST, 503)
    dial(network, house(network))
    network.run(40_000)
    assert network.events(EXCHANGE) == [LegRefused("L", 408, "Request Timeout")]
    assert not exchange_legs(network)
    dial(network, house(network), "M", order=("unknown",))
    assert network.events(EXCHANGE)[-1] == LegRefused("M", 503, "No trunk")


def test_a_trunk_goes_down_after_three_failures_and_comes_back_after_two_successes():
    state = TrunkState(trunk("one", FIRST))
    assert [state.failed(0) for _ in range(4)] == [False, False, True, False]
    assert not state.is_healthy(0)
    assert [state.succeeded(), state.failed(0), state.succeeded(), state.succeeded()] == [False, False, False, True]
    assert state.is_healthy(0)
    state.failed(1_000, retry_after_seconds=10)
    assert (state.is_healthy(10_999), state.is_healthy(11_000)) == (False, True)


def test_probes_find_a_dead_trunk_and_calls_avoid_it():
    network = Network()
    carrier(network, SECOND)
    one, two = trunk("one", FIRST, options_seconds=40), trunk("two", SECOND, options_seconds=40)
    exchange = house(network, one, two)
    network.run(200_000)
    assert TrunkChanged("one", False) in network.heard[EXCHANGE]
    assert exchange.trunk_states()["two"].condition is TrunkCondition.UP
    dial(network, exchange)
    network.run(100)
    assert network.events(EXCHANGE)[-1] == LegAnswered("L", SDP, SECOND[0])
    assert not sent_to(network, FIRST, "INVITE")


def test_the_limits_of_a_trunk_hold():
    network = Network()
    carrier(network, FIRST)
    carrier(network, SECOND)
    exchange = house(network, trunk("one", FIRST, max_calls=1), trunk("two", SECOND, calls_per_second=1.0))
    for number in range(4):
        dial(network, exchange, f"L{number}")
    network.run(500)
    assert len(sent_to(network, FIRST, "INVITE")) == 1
    assert len(sent_to(network, SECOND, "INVITE")) == 1
    assert [e.leg_id for e in network.events(EXCHANGE) if isinstance(e, LegRefused)] == ["L2", "L3"]


def test_a_large_offer_goes_by_tcp_first():
    """RFC 3261 section 18.1.1."""
    network = Network()
    exchange = house(network, trunk("one", FIRST))
    outcomes = exchange.dial("L", "1", TrunkPolicy(("one",)), CALLER, SDP + "a=x\r\n" * 200, network.now)
    assert [one.flow.transport for one in outcomes if hasattr(one, "flow")] == [Transport.TCP]
    assert b"SIP/2.0/TCP" in outcomes[0].data
    lost = exchange.flow_lost(Flow(Transport.TCP, FIRST), network.now)
    assert [one.flow.transport for one in lost if hasattr(one, "flow")] == [Transport.UDP]


def test_a_challenge_of_the_carrier_is_answered_with_its_password():
    network = Network()
    exchange = house(network, trunk("one", FIRST, username="u", password="p"))
    dial(network, exchange, order=("one",))
    network.run(50)
    first = parse(sent_to(network, FIRST, "INVITE")[0])
    challenge = (("Proxy-Authenticate", 'Digest realm="carrier", nonce="n", qop="auth"'),)
    network.inject(FIRST, EXCHANGE, bytes(build_response(first, 407, to_tag="t", headers=challenge)))
    network.run(50)
    again = parse(sent_to(network, FIRST, "INVITE")[-1])
    assert 'username="u"' in (again.get("proxy-authorization") or "")
    assert again.cseq.number == 2
    assert ha1("u", "carrier", "p") not in str(bytes(again))
    network.inject(FIRST, EXCHANGE, bytes(build_response(again, 503, to_tag="t")))
    network.run(50)
    assert network.events(EXCHANGE) == [LegRefused("L", 503, "Service Unavailable")]


def test_a_trunk_that_wants_registration_gets_it_and_is_healthy_only_then():
    network = Network()
    exchange = house(network, trunk("one", FIRST, username="u", password="p", registers=True))
    network.run(50)
    assert not exchange.trunk_states()["one"].is_healthy(network.now)
    register = parse(sent_to(network, FIRST, "REGISTER")[0])
    assert register.contacts[0].uri.user == "u"
    network.inject(FIRST, EXCHANGE, bytes(build_response(register, 200, to_tag="t", headers=(("Expires", "100"),))))
    network.run(50)
    assert exchange.trunk_states()["one"].is_healthy(network.now)
    network.run(51_000)
    assert len({parse(data).cseq for data in sent_to(network, FIRST, "REGISTER")}) == 2


class Names:
    """A name system of dictionaries."""

    def __init__(self, **found) -> None:
        self._found = found

    async def naptr(self, name: str) -> list:
        return self._found.get("naptr", {}).get(name, [])

    async def srv(self, name: str) -> list:
        return self._found.get("srv", {}).get(name, [])

    async def addresses(self, name: str) -> list:
        return self._found.get("addresses", {}).get(name, [])


NAMES = Names(
    naptr={"c.example": [(20, 1, "SIP+D2U", "_sip._udp.c.example"), (10, 1, "SIP+D2T", "_sip._tcp.c.example")]},
    srv={
        "_sip._tcp.c.example": [ServiceRecord(2, 0, "b.c.example", 5080), ServiceRecord(1, 0, "a.c.example", 5070)],
        "_sips._tcp.d.example": [ServiceRecord(1, 0, "a.c.example", 5061)],
    },
    addresses={"a.c.example": ["10.9.0.1", "2001:db8::1"], "b.c.example": ["10.9.0.2"], "e.example": ["10.9.0.3"]},
)


@pytest.mark.parametrize(
    ("gateway", "more", "expected"),
    [
        ("10.1.1.1", {}, [("udp", "10.1.1.1", 5060)]),
        ("10.1.1.1", {"transport": Transport.TLS}, [("tls", "10.1.1.1", 5061)]),
        ("c.example", {}, [("tcp", "10.9.0.1", 5070), ("tcp", "2001:db8::1", 5070), ("tcp", "10.9.0.2", 5080)]),
        ("d.example", {}, [("tls", "10.9.0.1", 5061), ("tls", "2001:db8::1", 5061)]),
        ("e.example", {}, [("udp", "10.9.0.3", 5060)]),
        ("e.example", {"gateway_port": 5099}, [("udp", "10.9.0.3", 5099)]),
        ("nowhere.example", {}, []),
    ],
)
def test_gateways_are_found_as_rfc_3263_says(gateway, more, expected):
    found = asyncio.run(gateways(Trunk("t", (), gateway=gateway, **more), NAMES, random.Random(1)))
    assert [(flow.transport, *flow.remote) for flow in found] == expected


def test_every_gateway_of_a_trunk_is_tried_in_its_order():
    several = Trunk("t", (), gateway="e.example", more_gateways=(("10.1.1.1", 5070), ("e.example", None)))
    found = asyncio.run(gateways(several, NAMES, random.Random(1)))
    assert [flow.remote for flow in found] == [("10.9.0.3", 5060), ("10.1.1.1", 5070)]


@pytest.mark.parametrize(
    ("caller", "shown", "asserted", "more"),
    [
        ("+4930111", "+4930111", "+4930111", {}),
        ("+4930111", "+4930111", "+4930111", {"caller_numbers": ("+4930",), "caller_number": "+49309"}),
        ("+33145", "+49309", "+49309", {"caller_numbers": ("+4930",), "caller_number": "+49309"}),
        ("+33145", "anonymous", None, {"caller_numbers": ("+4930",)}),
        ("", "anonymous", None, {}),
        ("", "+49309", "+49309", {"caller_number": "+49309"}),
        ("anonymous", "anonymous", "+49309", {"caller_number": "+49309"}),
        ("anonymous", "anonymous", None, {}),
    ],
)
def test_a_carrier_is_shown_only_numbers_that_it_knows_as_ours(caller, shown, asserted, more):
    network = Network()
    exchange = house(network, trunk("one", FIRST, **more))
    network.perform(EXCHANGE, exchange.dial("L", "+1", TrunkPolicy(("one",)), Party(caller, "Ann"), SDP, network.now))
    invite = parse(sent_to(network, FIRST, "INVITE")[0])
    assert invite.from_.uri.username == shown
    assert [one.uri.username for one in invite.addresses("p-asserted-identity")] == ([asserted] if asserted else [])
    assert (invite.get("privacy") == "id") is (shown == "anonymous")


def test_a_trunk_that_requires_encryption_gets_and_gives_no_call_in_the_clear():
    network = Network()
    carrier(network, SECOND)
    exchange = house(
        network, trunk("one", FIRST, srtp=SrtpPolicy.REQUIRED, keys_without_tls=True), trunk("two", SECOND)
    )
    dial(network, exchange, "clear")
    dial(network, exchange, "secret", SDP.replace("RTP/AVP", "RTP/SAVP"))
    network.run(500)
    assert {parse(data).body_text.count("SAVP") for data in sent_to(network, FIRST, "INVITE")} == {1}
    assert network.events(EXCHANGE)[0] == LegAnswered("clear", SDP, SECOND[0])
    caller = phone_on(network, FIRST, "carrier")
    way_in = Target("sip:5000@x", Flow(Transport.UDP, EXCHANGE))
    for leg_id, sdp in (("a", SDP), ("b", SDP.replace("RTP/AVP", "RTP/SAVP"))):
        invite = caller.invite(leg_id, [way_in], from_="<sip:1@x>", to="<sip:5000@x>", sdp=sdp, now=network.now)
        network.perform(FIRST, invite)
        network.run(200)
    assert [event.status for event in network.events(FIRST) if isinstance(event, LegRefused)] == [488]
    assert [event.sdp.count("SAVP") for event in network.events(EXCHANGE) if isinstance(event, LegOffered)] == [1]


def test_the_answers_of_a_gateway_are_no_strangers_messages():
    """Its address is known by DNS only; a busy gateway must not run into the limit that strangers have."""
    network = Network()
    carrier(network, FIRST)
    outside = Trunk("one", (), gateway=FIRST[0], options_seconds=0)
    settings = SipSettings(host=EXCHANGE[0], port=EXCHANGE[1], realm="r", defence=DefenceLimits(rate=0.001, burst=2))
    exchange = exchange_on(network, settings, trunks=(outside,))
    network.perform(EXCHANGE, exchange.found_gateways("one", [Flow(Transport.UDP, FIRST)], network.now))
    for number in range(20):
        dial(network, exchange, f"L{number}", order=("one",))
    network.run(300)
    assert len([event for event in network.events(EXCHANGE) if isinstance(event, LegAnswered)]) == 20
    assert "dropped rate" not in exchange.counters()


@pytest.mark.parametrize("status", [200, 404, 503, None])
def test_a_call_gives_its_place_back_when_it_is_over_however_it_ends(status):
    rules = NumberingRules(
        OutboundPlan(house=DialPermissions(national=True), trunks=(TrunkReach("one"),), in_all=Cap(0, 1))
    )
    network = Network()
    if status is not None:
        carrier(network, FIRST, status)
    exchange = exchange_on(network, trunks=(trunk("one", FIRST),), rules=rules)
    if status is not None:
        network.perform(EXCHANGE, exchange.found_gateways("one", [Flow(Transport.UDP, FIRST)], network.now))
    allowed = rules.check("ann", "2025550123", network.now)
    assert isinstance(allowed, Allowed)
    network.perform(EXCHANGE, exchange.dial("L", allowed.e164, allowed.policy, CALLER, SDP, network.now))
    network.run(100_000 if status == 200 else 1_000)
    if status == 200:
        assert isinstance(rules.check("ben", "2025550123", network.now), Refused)
        network.perform(EXCHANGE, exchange.end("L", EndCause.NORMAL, network.now))
    assert isinstance(rules.check("ben", "2025550123", network.now), Allowed)


def test_weights_share_the_load_within_a_priority():
    records = [ServiceRecord(1, 90, "a", 1), ServiceRecord(1, 10, "b", 1), ServiceRecord(0, 1, "first", 1)]
    chance = random.Random(5)
    drawn = [[one.host for one in in_order(records, chance)] for _ in range(300)]
    assert all(hosts[0] == "first" for hosts in drawn)
    assert 240 < sum(hosts[1] == "a" for hosts in drawn) < 295


def test_settings_show_no_password():
    assert "geheim" not in repr(trunk("one", FIRST, username="u", password="geheim"))
    assert SipSettings().hosts == ("127.0.0.1",)


KEYS = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"


@pytest.mark.parametrize(
    ("policy", "without_tls", "offer", "status", "why"),
    [
        (SrtpPolicy.NEVER, False, "plain", None, ""),
        (SrtpPolicy.NEVER, False, "sealed", 488, "not encrypted here"),
        (SrtpPolicy.NEVER, True, "both", None, ""),
        (SrtpPolicy.OPTIONAL, False, "sealed", 488, "need TLS"),
        (SrtpPolicy.OPTIONAL, True, "sealed", None, ""),
        (SrtpPolicy.OPTIONAL, False, "both", None, ""),
        (SrtpPolicy.OPTIONAL, True, "both", None, ""),
        (SrtpPolicy.REQUIRED, False, "sealed", 488, "need TLS"),
        (SrtpPolicy.REQUIRED, True, "plain", 488, "must be encrypted"),
        (SrtpPolicy.REQUIRED, True, "sealed", None, ""),
    ],
)
def test_keys_of_a_carrier_are_taken_by_its_rule_and_over_tls_only_unless_the_site_says_else(
    policy, without_tls, offer, status, why
):
    network = Network()
    house(network, trunk("one", FIRST, srtp=policy, keys_without_tls=without_tls))
    caller = phone_on(network, FIRST, "carrier")
    sdp = {"plain": SDP, "sealed": SDP.replace("RTP/AVP", "RTP/SAVP") + KEYS, "both": SDP + KEYS}[offer]
    way_in = Target("sip:5000@x", Flow(Transport.UDP, EXCHANGE))
    order = caller.invite("a", [way_in], from_="<sip:1@x>", to="<sip:5000@x>", sdp=sdp, now=network.now)
    network.perform(FIRST, order)
    network.run(200)
    refused = [event.status for event in network.events(FIRST) if isinstance(event, LegRefused)]
    assert refused == ([] if status is None else [status])
    if status is not None:
        assert any(why.encode() in data for data in network.sent_by(EXCHANGE, "SIP/2.0 488"))
        return
    (offered,) = [event for event in network.events(EXCHANGE) if isinstance(event, LegOffered)]
    keeps = offer == "sealed" or (offer == "both" and without_tls and policy is SrtpPolicy.OPTIONAL)
    assert ("a=crypto" in offered.sdp) is keeps


def test_a_key_belongs_to_its_stream_and_a_carrier_by_tls_needs_no_leave():
    two = SDP + KEYS + "m=audio 4002 RTP/SAVP 0\r\n" + KEYS
    assert without_keys(two) == SDP + "m=audio 4002 RTP/SAVP 0\r\n" + KEYS
    by_tls = Flow(Transport.TLS, FIRST)
    required = trunk("one", FIRST, srtp=SrtpPolicy.REQUIRED)
    assert required.media.refusal(SDP.replace("RTP/AVP", "RTP/SAVP") + KEYS, by_tls) == ""
    assert not trunk("one", FIRST).media.is_keyless(by_tls)


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP, Transport.TLS])
def test_a_carrier_we_register_with_is_told_by_which_transport_we_are_called(transport):
    network = Network()
    one = trunk("one", FIRST, username="us", password="x", registers=True)
    exchange = exchange_on(network, trunks=(one,))
    network.perform(EXCHANGE, exchange.found_gateways("one", [Flow(transport, FIRST)], network.now))
    (register,) = network.sent_by(EXCHANGE, "REGISTER")
    told = [] if transport is Transport.UDP else [str(transport)]
    assert [each.uri.param("transport") for each in parse(register).contacts] == (told or [None])
