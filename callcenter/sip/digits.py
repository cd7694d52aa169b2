"""Digits in signalling: INFO with ``application/dtmf-relay`` or ``application/dtmf``, both ways."""

from callcenter.calls.legs import LegDigit
from callcenter.sip.legs import Leg
from callcenter.sip.messages import SipRequest
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.wire import Wire

DIGITS = "0123456789*#ABCD"
DTMF_TYPES = ("application/dtmf-relay", "application/dtmf")


def take_info(wire: Wire, arrived: RequestArrived, leg: Leg, now: int) -> None:
    """An INFO inside a dialog: a digit, or nothing we know (RFC 6086 section 5 asks for 415)."""
    request = arrived.request
    if not request.body:
        wire.answer_once(arrived, 200, now)
    elif request.content_type not in DTMF_TYPES:
        wire.answer_once(arrived, 415, now, headers=(("Accept", ", ".join(DTMF_TYPES)),))
    elif digit := digit_of(request):
        wire.answer_once(arrived, 200, now)
        if not leg.told:
            wire.tell(LegDigit(leg.leg_id, digit))
    else:
        wire.answer_once(arrived, 400, now)


def digit_of(request: SipRequest) -> str:
    """The digit an INFO carries, empty when it is none. Bodies in use: ``Signal=5`` lines, or the bare digit."""
    text = request.body_text.strip()
    if request.content_type == "application/dtmf-relay":
        fields = dict(part for line in text.splitlines() if len(part := line.split("=", 1)) == 2)
        text = next((value for name, value in fields.items() if name.strip().lower() == "signal"), "")
    text = text.strip().upper()
    named = {"10": "*", "11": "#"}
    text = named.get(text, text)
    return text if len(text) == 1 and text in DIGITS else ""
