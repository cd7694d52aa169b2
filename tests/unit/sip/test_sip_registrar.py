import pytest

from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import SipRequest
from callcenter.sip.parser import parse
from callcenter.sip.registrar import Limits, Registrar, TooBrief, render_contacts

pytestmark = pytest.mark.unit

NOW = 1_700_000_000_000
HOME = Flow(Transport.UDP, ("198.51.100.7", 40_001))
AWAY = Flow(Transport.TCP, ("198.51.100.8", 40_002), 3)


def register(*lines: str, call_id: str = "r1", cseq: int = 1) -> SipRequest:
    head = [
        "REGISTER sip:h SIP/2.0",
        "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
        "From: <sip:a@h>;tag=f",
        "To: <sip:a@h>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
    ]
    message = parse(("\r\n".join([*head, *lines]) + "\r\n\r\n").encode())
    assert isinstance(message, SipRequest)
    return message


def contacts(registrar: Registrar, now: int = NOW) -> list[str]:
    return [str(one.contact.uri) for one in registrar.bindings("a", now)]


def test_a_binding_keeps_the_flow_it_came_on_and_runs_out():
    registrar = Registrar()
    (binding,) = registrar.register("a", register("Contact: <sip:a@10.0.0.1>", "Expires: 60"), HOME, NOW)
    assert (binding.flow, binding.expires_at) == (HOME, NOW + 60_000)
    assert registrar.next_deadline("a") == NOW + 60_000
    assert registrar.owner_of(HOME, NOW) == "a"
    assert contacts(registrar, NOW + 60_000) == []
    registrar.expire("a", NOW + 60_000)
    assert (registrar.next_deadline("a"), registrar.owner_of(HOME, NOW)) == (None, None)


def test_two_phones_live_side_by_side_and_one_can_leave():
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:a@10.0.0.1>"), HOME, NOW)
    registrar.register("a", register("Contact: <sip:a@10.0.0.2>;expires=90", call_id="r2"), AWAY, NOW)
    assert contacts(registrar) == ["sip:a@10.0.0.1", "sip:a@10.0.0.2"]
    left = registrar.register("a", register("Contact: <sip:a@10.0.0.1>;expires=0", cseq=2), HOME, NOW)
    assert render_contacts(left, NOW) == ["<sip:a@10.0.0.2>;expires=90"]


def test_a_register_without_contact_only_asks():
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:a@10.0.0.1>"), HOME, NOW)
    assert len(registrar.register("a", register(cseq=2), HOME, NOW)) == 1


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ((), 300),
        (("Expires: 100",), 100),
        (("Expires: 999999999999999999",), 3_600),
        (("Expires: soon",), 3_600),
    ],
)
def test_expiry_is_defaulted_and_bounded(lines, seconds):
    (binding,) = Registrar().register("a", register("Contact: <sip:a@h1>", *lines), HOME, NOW)
    assert binding.expires_at == NOW + seconds * 1_000


def test_too_short_an_interval_is_refused_and_nothing_changes():
    registrar = Registrar(Limits(minimum=60))
    with pytest.raises(TooBrief) as caught:
        registrar.register("a", register("Contact: <sip:a@h1>, <sip:b@h1>;expires=59"), HOME, NOW)
    assert (caught.value.status, caught.value.minimum) == (423, 60)
    assert contacts(registrar) == []


def test_a_star_removes_everything_but_only_with_expires_0():
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:a@h1>"), HOME, NOW)
    with pytest.raises(BadMessage):
        registrar.register("a", register("Contact: *", cseq=2), HOME, NOW)
    assert registrar.register("a", register("Contact: *", "Expires: 0", cseq=3), HOME, NOW) == ()


@pytest.mark.parametrize(
    "lines", [("Contact: <sip:a@h1>;expires=0",), ("Contact: *", "Expires: 0"), ("Contact: <sip:a@h1>",)]
)
def test_an_update_out_of_order_is_refused(lines):
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:a@h1>", cseq=9), HOME, NOW)
    with pytest.raises(BadMessage) as caught:
        registrar.register("a", register(*lines, cseq=9), HOME, NOW)
    assert caught.value.status == 500
    assert contacts(registrar) == ["sip:a@h1"]


def test_a_restarted_phone_leaves_no_ghost():
    """Same flow, new Call-ID, new Contact; or the same instance from somewhere else."""
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:old@h1>"), HOME, NOW)
    registrar.register("a", register("Contact: <sip:new@h1>", call_id="r2"), HOME, NOW)
    assert contacts(registrar) == ["sip:new@h1"]
    instance = '+sip.instance="<urn:uuid:1>"'
    registrar.register("b", register(f"Contact: <sip:x@h1>;{instance}"), HOME, NOW)
    registrar.register("b", register(f"Contact: <sip:x@h2>;{instance}", call_id="r3"), AWAY, NOW)
    assert [one.flow for one in registrar.bindings("b", NOW)] == [AWAY]


def test_a_lost_connection_takes_its_bindings_along():
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:a@h1>"), HOME, NOW)
    registrar.register("a", register("Contact: <sip:a@h2>", call_id="r2"), AWAY, NOW)
    assert registrar.drop_flow(AWAY) == ("a",)
    assert registrar.drop_flow(AWAY) == ()
    assert contacts(registrar) == ["sip:a@h1"]


def test_too_many_phones_and_foreign_schemes_are_refused():
    registrar = Registrar(Limits(bindings=2))
    many = ", ".join(f"<sip:a@h{n}>" for n in range(3))
    for line in (f"Contact: {many}", "Contact: <isbn:1>"):
        with pytest.raises(BadMessage):
            registrar.register("a", register(line), HOME, NOW)
    assert contacts(registrar) == []


def test_contacts_that_differ_in_nothing_that_counts_are_one_binding():
    registrar = Registrar()
    registrar.register("a", register("Contact: <sip:%61@H1;x=1>"), HOME, NOW)
    registrar.register("a", register("Contact: <sip:a@h1;x=2>", cseq=2), HOME, NOW)
    assert contacts(registrar) == ["sip:a@h1;x=2"]
