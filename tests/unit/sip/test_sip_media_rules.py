"""Encryption by rule: what phones and trunks are offered, what of theirs is taken, and what follows a 488."""

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegOffered, LegRefused, LegReoffered, Party
from callcenter.ports import EncryptionPolicy, PhoneTarget, TrunkPolicy
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.media_keys import MediaRule, SrtpPolicy
from callcenter.sip.messages import build_response
from callcenter.sip.outbound import Target
from callcenter.sip.parser import parse
from callcenter.sip.trunks import Trunk
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

HEAD = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"
PLAIN = HEAD + "m=audio 4000 RTP/AVP 0\r\n"
BOTH = PLAIN + KEY
SEALED = BOTH.replace("RTP/AVP", "RTP/SAVP")
FORMS = {PLAIN: "plain", BOTH: "both", SEALED: "sealed", "": "late"}
PHONE, GATEWAY = ("10.0.2.1", 5060), ("10.0.1.1", 5060)
ANYWAY = {"keys_without_tls": True}
"""The networks of these tests know UDP alone."""


class House:
    """An exchange with one phone, which answers each form of offer as told: a status, or a description with 200."""

    def __init__(self, rule: MediaRule, answers: dict[str, int | str] | None = None, at=PHONE) -> None:
        self.network = Network()
        self.answers = answers or {}
        trunk = Trunk("one", (), gateway=GATEWAY[0], options_seconds=0, srtp=rule.srtp, **ANYWAY)
        self.exchange = exchange_on(self.network, trunks=(trunk,), ann="ann")
        self.exchange._directory.rules["ann"] = rule
        flows = [Flow(Transport.UDP, GATEWAY)]
        self.network.perform(EXCHANGE, self.exchange.found_gateways("one", flows, self.network.now))
        self.phone = phone_on(self.network, at, "ann")
        if at == PHONE:
            register(self.network, at, self.phone, "ann")
        self.at, self.offered = at, []
        self.network.reactions[at] = self.react

    def react(self, event) -> None:
        if not isinstance(event, LegOffered):
            return
        form = FORMS[event.sdp]
        self.offered.append(form)
        said = self.answers.get(form, PLAIN)
        invites = [parse(data) for _, to, data in self.network.carried if to == self.at and data[:6] == b"INVITE"]
        invite = next(one for one in invites if one.call_id == event.sip_call_id)
        if isinstance(said, int):
            self.network.inject(self.at, EXCHANGE, bytes(build_response(invite, said, to_tag="no")))
        else:
            self.network.perform(self.at, self.phone.answer(event.leg_id, said, self.network.now))

    def ring(self, sdp: str) -> None:
        self.perform(self.exchange.ring_agent("L", PhoneTarget("ann"), Party("1"), sdp, self.network.now))

    def dial(self, sdp: str) -> None:
        self.perform(self.exchange.dial("L", "+33123", TrunkPolicy(("one",)), Party("1"), sdp, self.network.now))

    def perform(self, outcomes) -> None:
        self.network.perform(EXCHANGE, outcomes)
        self.network.run(2_000)

    def end(self):
        return self.network.events(EXCHANGE)[-1]


@pytest.mark.parametrize("at", [PHONE, GATEWAY])
@pytest.mark.parametrize(
    ("answers", "offered", "answer"),
    [
        ({"both": SEALED}, ["both"], SEALED),
        ({"both": BOTH}, ["both"], BOTH),
        ({"both": PLAIN}, ["both"], PLAIN),
        ({"both": 488, "sealed": SEALED}, ["both", "sealed"], SEALED),
        ({"both": 488, "sealed": 606}, ["both", "sealed", "plain"], PLAIN),
        ({"both": 415, "sealed": 488, "plain": 488}, ["both", "sealed", "plain"], 488),
        ({"both": 486}, ["both"], 486),
    ],
)
def test_keys_are_offered_beside_plain_media_and_what_is_not_acceptable_is_offered_otherwise(
    answers, offered, answer, at
):
    house = House(MediaRule(SrtpPolicy.OPTIONAL, **ANYWAY), answers, at)
    (house.ring if at == PHONE else house.dial)(BOTH)
    assert house.offered == offered
    if isinstance(answer, int):
        assert (type(house.end()), house.end().status) == (LegRefused, answer)
        assert not len(house.exchange)
    else:
        assert house.end() == LegAnswered("L", answer, at[0])
        said = {"both": BOTH, "sealed": SEALED, "plain": PLAIN}[offered[-1]]
        assert house.exchange._legs.get("L").local_sdp == said, "a refresh says what was said"


@pytest.mark.parametrize(
    ("rule", "offer", "offered"),
    [
        (MediaRule(SrtpPolicy.OPTIONAL), BOTH, ["plain"]),
        (MediaRule(SrtpPolicy.NEVER, **ANYWAY), BOTH, ["plain"]),
        (MediaRule(SrtpPolicy.OPTIONAL, **ANYWAY), PLAIN, ["plain"]),
        (MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), BOTH, ["sealed"]),
        (MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), SEALED, ["sealed"]),
        (MediaRule(SrtpPolicy.REQUIRED), SEALED, []),
        (MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), PLAIN, []),
        (MediaRule(SrtpPolicy.NEVER, **ANYWAY), SEALED, []),
    ],
)
def test_a_phone_gets_no_key_on_a_way_that_others_read_and_nothing_less_than_its_rule(rule, offer, offered):
    house = House(rule, {"sealed": SEALED})
    house.ring(offer)
    assert house.offered == offered
    assert isinstance(house.end(), LegAnswered if offered else LegRefused)
    sent = b"".join(house.network.sent_by(EXCHANGE, "INVITE"))
    assert (b"a=crypto" in sent) is (offered == ["sealed"])
    if not offered:
        assert house.end().status == 488


@pytest.mark.parametrize("at", [PHONE, GATEWAY])
def test_a_plain_answer_where_encryption_is_required_ends_the_call(at):
    house = House(MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), {"sealed": PLAIN}, at)
    (house.ring if at == PHONE else house.dial)(SEALED)
    assert house.end() == LegRefused("L", 488, "Media must be encrypted (RTP/SAVP)")
    assert house.network.sent_by(EXCHANGE, "BYE"), "the far end, which answered, is told"
    assert not len(house.exchange)


@pytest.mark.parametrize(
    ("rule", "offer", "taken"),
    [
        (MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), SEALED, SEALED),
        (MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), PLAIN, None),
        (MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), "", None),
        (MediaRule(SrtpPolicy.REQUIRED), SEALED, None),
        (MediaRule(SrtpPolicy.NEVER, **ANYWAY), SEALED, None),
        (MediaRule(SrtpPolicy.NEVER, **ANYWAY), BOTH, PLAIN),
        (MediaRule(SrtpPolicy.OPTIONAL), BOTH, PLAIN),
        (MediaRule(SrtpPolicy.OPTIONAL, **ANYWAY), BOTH, BOTH),
        (MediaRule(SrtpPolicy.OPTIONAL), "", ""),
    ],
)
def test_what_a_phone_offers_is_taken_by_its_agents_rule(rule, offer, taken):
    house = House(rule)
    way_in = Target("sip:5000@10.0.0.1", Flow(Transport.UDP, EXCHANGE))
    own = "<sip:ann@10.0.0.1>"
    order = house.phone.invite("P", [way_in], from_=own, to="<sip:5000@x>", sdp=offer, now=house.network.now)
    house.network.perform(PHONE, order)
    house.network.run(2_000)
    offers = [event for event in house.network.events(EXCHANGE) if isinstance(event, LegOffered)]
    if taken is None:
        assert not offers
        assert [one.status for one in house.network.events(PHONE) if isinstance(one, LegRefused)] == [488]
        assert any(b"399 callcenter" in data for data in house.network.sent_by(EXCHANGE, "SIP/2.0 488"))
    else:
        assert [event.sdp for event in offers] == [taken]


def test_a_call_that_began_encrypted_is_not_made_plain_by_a_new_offer():
    house = House(MediaRule(SrtpPolicy.REQUIRED, **ANYWAY), {"sealed": SEALED})
    house.ring(SEALED)
    theirs = next(one.leg_id for one in house.network.events(PHONE) if isinstance(one, LegOffered))
    house.network.perform(PHONE, house.phone.reoffer(theirs, PLAIN, "t", house.network.now))
    house.network.run(1_000)
    assert not [event for event in house.network.events(EXCHANGE) if isinstance(event, LegReoffered)]
    assert any(b"must be encrypted" in data for data in house.network.sent_by(EXCHANGE, "SIP/2.0 488"))
    house.network.perform(PHONE, house.phone.reoffer(theirs, SEALED, "t2", house.network.now))
    house.network.run(1_000)
    assert [event.sdp for event in house.network.events(EXCHANGE) if isinstance(event, LegReoffered)] == [SEALED]
    house.perform(house.exchange.end("L", EndCause.NORMAL, house.network.now))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (MediaRule(SrtpPolicy.OPTIONAL), None),
        (MediaRule(SrtpPolicy.OPTIONAL, **ANYWAY), EncryptionPolicy.OPTIONAL),
        (MediaRule(SrtpPolicy.NEVER, **ANYWAY), None),
        (MediaRule(SrtpPolicy.REQUIRED), EncryptionPolicy.REQUIRED),
    ],
)
def test_no_keys_are_made_for_phones_that_get_none(rule, expected):
    house = House(rule)
    assert house.exchange.encryption_for("ann", house.network.now) is expected
