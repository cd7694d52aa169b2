import itertools

import pytest

from callcenter.calls.legs import EndCause
from callcenter.sip.attempts import ATTEMPT_TABLE, Attempt, AttemptEvent, AttemptOrder, AttemptState, better_refusal
from callcenter.sip.dialogs import DIALOG_TABLE, DialogEvent, DialogState, dialog_as_client, dialog_as_server
from callcenter.sip.digits import digit_of
from callcenter.sip.errors import IllegalTransition
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.legs import LEG_TABLE, Leg, LegInput, LegState
from callcenter.sip.messages import SipRequest, SipResponse, build_response
from callcenter.sip.parser import parse
from callcenter.sip.refusals import REFUSALS

pytestmark = pytest.mark.unit

FLOW = Flow(Transport.UDP, ("192.0.2.1", 5060))


def invite(*lines: str) -> SipRequest:
    head = [
        "INVITE sip:b@h SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        "From: <sip:a@h>;tag=f",
        "To: <sip:b@h>",
        "Call-ID: c",
        "CSeq: 7 INVITE",
        "Contact: <sip:a@192.0.2.1:5070>",
    ]
    message = parse(("\r\n".join([*head, *lines]) + "\r\n\r\n").encode())
    assert isinstance(message, SipRequest)
    return message


def in_dialog(method: str, cseq: int) -> SipRequest:
    message = parse(
        bytes(invite())
        .replace(b"CSeq: 7 INVITE", f"CSeq: {cseq} {method}".encode())
        .replace(b"INVITE", method.encode())
    )
    assert isinstance(message, SipRequest)
    return message


def answer(request: SipRequest, status: int = 200, tag: str = "t", *lines: tuple[str, str]) -> SipResponse:
    message = parse(bytes(build_response(request, status, to_tag=tag, headers=lines)))
    assert isinstance(message, SipResponse)
    return message


def test_dialog_rows_and_illegal_events():
    for state, event in itertools.product(DialogState, DialogEvent):
        dialog = dialog_as_server(invite(), "mine")
        dialog.state = state
        if (state, event) in DIALOG_TABLE:
            dialog.happened(event)
            assert dialog.state is DIALOG_TABLE[(state, event)]
        else:
            with pytest.raises(IllegalTransition):
                dialog.happened(event)
            assert dialog.state is state


def test_leg_rows_and_illegal_inputs():
    for state, what in itertools.product(LegState, LegInput):
        leg = Leg("l", state, FLOW)
        if (state, what) in LEG_TABLE:
            leg.happened(what)
            assert leg.state is LEG_TABLE[(state, what)]
        else:
            with pytest.raises(IllegalTransition):
                leg.happened(what)
            assert leg.state is state


def test_every_leg_state_but_over_can_come_to_an_end():
    for state in set(LegState) - {LegState.OVER}:
        assert any(source is state for source, _ in LEG_TABLE)
    assert not any(source is LegState.OVER for source, _ in LEG_TABLE)


def test_the_attempt_table_is_complete():
    assert set(ATTEMPT_TABLE) == set(itertools.product(AttemptState, AttemptEvent))


def attempt() -> Attempt:
    return Attempt("l", invite(), FLOW, ("c", "INVITE", "z9hG4bK1"))


def run(*events: AttemptEvent) -> list[AttemptOrder]:
    one = attempt()
    return [order for event in events for order in one.happened(event)]


@pytest.mark.parametrize(
    ("events", "orders"),
    [
        ("cancel", []),
        ("cancel provisional", ["send_cancel"]),
        ("provisional cancel", ["tell_progress", "send_cancel"]),
        ("provisional cancel cancel provisional", ["tell_progress", "send_cancel"]),
        ("provisional cancel success", ["tell_progress", "send_cancel", "ack_and_bye"]),
        ("provisional cancel failure", ["tell_progress", "send_cancel", "tell_refusal"]),
        ("cancel success success", ["ack_and_bye", "ack_and_bye"]),
        ("success provisional success", ["ack", "tell_answer", "ack"]),
        ("failure success", ["tell_refusal", "ack_and_bye"]),
        ("timeout provisional", ["tell_refusal"]),
        ("success cancel", ["ack", "tell_answer"]),
    ],
)
def test_an_attempt_obeys_the_rules_of_cancel(events, orders):
    assert run(*(AttemptEvent(event) for event in events.split())) == orders


def test_the_server_side_remembers_routes_in_order_and_the_client_side_reversed():
    request = invite("Record-Route: <sip:p2;lr>", "Record-Route: <sip:p1;lr>")
    server = dialog_as_server(request, "mine")
    assert server.route_set == ("<sip:p2;lr>", "<sip:p1;lr>")
    client = dialog_as_client(request, answer(request))
    assert client.route_set == ("<sip:p1;lr>", "<sip:p2;lr>")
    bye = server.build("BYE", "SIP/2.0/UDP h;branch=z9hG4bK2")
    assert (bye.uri_text, bye.values("route")) == ("sip:a@192.0.2.1:5070", ["<sip:p2;lr>", "<sip:p1;lr>"])


def test_a_strict_router_gets_its_own_uri_and_the_target_as_last_route():
    dialog = dialog_as_server(invite("Record-Route: <sip:strict>, <sip:p1;lr>"), "mine")
    bye = dialog.build("BYE", "SIP/2.0/UDP h;branch=z9hG4bK2")
    assert (bye.uri_text, bye.values("route")) == ("sip:strict", ["<sip:p1;lr>", "<sip:a@192.0.2.1:5070>"])


def test_our_requests_swap_the_addresses_and_count_up():
    dialog = dialog_as_server(invite(), "mine")
    first, second = (dialog.build("INFO", "SIP/2.0/UDP h;branch=z9hG4bK2") for _ in range(2))
    assert (first.from_.tag, first.to.tag, first.call_id) == ("mine", "f", "c")
    assert (first.cseq, second.cseq) == ((1, "INFO"), (2, "INFO"))


def test_the_ack_repeats_the_cseq_of_its_invite():
    request = invite()
    dialog = dialog_as_client(request, answer(request, 200, "t", ("Contact", "<sip:b@192.0.2.9>")))
    dialog.build("INFO", "SIP/2.0/UDP h;branch=z9hG4bK2")
    ack = dialog.build_ack("SIP/2.0/UDP h;branch=z9hG4bK3", 7)
    assert (ack.cseq, ack.uri_text, ack.to.tag) == ((7, "ACK"), "sip:b@192.0.2.9", "t")


def test_requests_out_of_order_are_not_accepted():
    dialog = dialog_as_server(invite(), "mine")
    assert [dialog.accepts(in_dialog("INFO", n)) for n in (8, 8, 7, 100, 99)] == [True, False, False, True, False]
    assert dialog.accepts(in_dialog("ACK", 7))


def test_the_target_is_refreshed_by_a_new_contact_only():
    dialog = dialog_as_server(invite(), "mine")
    dialog.refresh_target(invite("Subject: x"))
    moved = parse(bytes(invite()).replace(b"5070", b"5099"))
    dialog.refresh_target(moved)
    assert dialog.remote_target == "sip:a@192.0.2.1:5099"
    dialog.refresh_target(parse(bytes(invite()).replace(b"Contact: <sip:a@192.0.2.1:5070>\r\n", b"")))
    assert dialog.remote_target == "sip:a@192.0.2.1:5099"


def test_an_invite_without_contact_is_answered_to_its_from():
    bare = parse(bytes(invite()).replace(b"Contact: <sip:a@192.0.2.1:5070>\r\n", b""))
    assert dialog_as_server(bare, "mine").remote_target == "sip:a@h"


@pytest.mark.parametrize(
    ("one", "other", "best"),
    [
        ((486, ""), (503, ""), 486),
        ((408, ""), (486, ""), 408),
        ((603, ""), (404, ""), 603),
        ((302, ""), (486, ""), 302),
    ],
)
def test_the_best_refusal_follows_section_16_7(one, other, best):
    assert better_refusal(one, other)[0] == better_refusal(other, one)[0] == best


def test_every_cause_has_a_status_that_refuses():
    assert set(REFUSALS) == set(EndCause)
    assert all(400 <= status < 700 for status in REFUSALS.values())


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", "Duration= 160\r\nsignal= #", "#"),
        ("application/dtmf-relay", "Signal=11", "#"),
        ("application/dtmf", " d ", "D"),
        ("application/dtmf", "10", "*"),
        ("application/dtmf", "flash", ""),
        ("application/dtmf-relay", "", ""),
    ],
)
def test_digits_in_info_bodies(kind, body, digit):
    data = bytes(invite(f"Content-Type: {kind}")).replace(b"INVITE", b"INFO").replace(b"Content-Length: 0\r\n", b"")
    message = parse(data + body.encode())
    assert isinstance(message, SipRequest)
    assert digit_of(message) == digit
