"""Transfers: REFER with its NOTIFYs, and Replaces (RFC 3515, 3891, 3892, 5589).

The far end's REFER is told as ``TransferRequested`` and reported on as the calls say; what we refer ourselves is
reported as ``ReferProgress``.
"""

from urllib.parse import quote as escape

from callcenter.calls.legs import TransferRequested
from callcenter.sip.addresses import NameAddress, parse_address
from callcenter.sip.grammar import clean_text
from callcenter.sip.legs import Leg, Legs, LegState
from callcenter.sip.messages import REASONS, SipRequest
from callcenter.sip.refusals import call_rejected
from callcenter.sip.replaces import ReplacedDialog, replaces_in_uri
from callcenter.sip.requests import Requests
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.uri import Uri
from callcenter.sip.wire import ReferProgress, Replied, Wire

REFER_LIMIT_MS = 60_000
"""How long the calls may take to say what became of a transfer."""
NOTIFY = "notify"
"""The purpose of our NOTIFYs: nobody waits for their end."""


class Transfers:
    """REFER of both sides."""

    def __init__(self, wire: Wire, legs: Legs, requests: Requests) -> None:
        self._wire = wire
        self._legs = legs
        self._requests = requests

    # Theirs.

    def refer(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        """A REFER inside a dialog. Only phones of our agents may transfer; a carrier may not make us call (603)."""
        request = arrived.request
        values = request.values("refer-to")
        if len(values) != 1:
            self._wire.answer_once(arrived, 400, now)
        elif not leg.may_refer or leg.told:
            self._wire.answer_once(arrived, 603, now)
        elif leg.refer_cseq is not None or leg.state is not LegState.UP:
            self._wire.answer_once(arrived, 491, now)
        else:
            self._take_refer(arrived, leg, parse_address(values[0]).uri, now)

    def _take_refer(self, arrived: RequestArrived, leg: Leg, target: Uri, now: int) -> None:
        method = (target.param("method") or "INVITE").upper()
        if not (target.is_sip or target.scheme == "tel") or method != "INVITE":
            self._wire.answer_once(arrived, 416 if method == "INVITE" else 403, now)
            return
        replaced = replaces_in_uri(target)
        taken_over = self._legs.of_tags(replaced.call_id, replaced.to_tag, replaced.from_tag) if replaced else None
        leg.refer_cseq = arrived.request.cseq.number
        self._wire.answer_once(arrived, 202, now, headers=(("Contact", self._wire.contact(leg.flow)),))
        if replaced is not None and (taken_over is None or taken_over is leg):
            self.report(leg, 481, now)
            return
        self.report(leg, 100, now)
        self._wire.alarms.set(("refer", leg.leg_id, ""), now + REFER_LIMIT_MS)
        number = clean_text(target.username)
        self._wire.tell(TransferRequested(leg.leg_id, number, taken_over.leg_id if taken_over else None))

    def report(self, leg: Leg, status: int, now: int, reason: str = "") -> None:
        """Tell the far end how its transfer goes; a final status ends the subscription (RFC 3515 section 2.4.4), and
        ``reason`` stands beside it in the fragment (RFC 3420)."""
        if leg.refer_cseq is None or leg.dialog is None or leg.state is LegState.OVER:
            return
        event = f"refer;id={leg.refer_cseq}"
        state = "active;expires=60"
        if status >= 200:
            state = "terminated;reason=noresource"
            leg.refer_cseq = None
            self._wire.alarms.cancel(("refer", leg.leg_id, ""))
        headers = (
            ("Contact", self._wire.contact(leg.flow)),
            ("Event", event),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag;version=2.0"),
        )
        because = f"Reason: {call_rejected(reason)}\r\n" if reason else ""
        body = f"SIP/2.0 {status} {REASONS.get(status, 'Unknown')}\r\n{because}".encode()
        request = leg.dialog.build("NOTIFY", self._wire.via(leg.flow), headers=headers, body=body)
        self._requests.send(request, leg.flow, "", now, leg.leg_id, NOTIFY)

    def unreported(self, leg: Leg, now: int) -> None:
        """The calls never said what became of a transfer."""
        self.report(leg, 503, now)

    # Ours.

    def send_refer(self, leg: Leg, target: str, replaced: Leg | None, token: str, now: int) -> None:
        """Ask the far end to call ``target``; with ``replaced``, in place of that leg's far end (attended).

        Also before the ACK of our own answer has come: the dialog is there with the 200 (RFC 3261 section 12.1).
        """
        if leg.dialog is None or leg.state not in {LegState.UP, LegState.ANSWERED}:
            self._wire.tell(Replied(token, None))
            return
        uri = target
        if replaced is not None and replaced.dialog is not None:
            other = replaced.dialog
            named = ReplacedDialog(other.call_id, other.remote_tag, other.local_tag)
            uri = f"{other.remote_target}?Replaces={escape(str(named), safe='')}"
        headers = (
            ("Contact", self._wire.contact(leg.flow)),
            ("Refer-To", f"<{uri}>"),
            ("Referred-By", str(NameAddress(parse_address(leg.dialog.local).uri))),
        )
        request = leg.dialog.build("REFER", self._wire.via(leg.flow), headers=headers)
        self._requests.send(request, leg.flow, token, now, leg.leg_id)

    def notify(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        """A NOTIFY inside a dialog: how a transfer of ours goes."""
        request = arrived.request
        event = (request.get("event") or "").partition(";")[0].strip().lower()
        if event != "refer":
            self._wire.answer_once(arrived, 489, now, headers=(("Allow-Events", "refer"),))
            return
        self._wire.answer_once(arrived, 200, now)
        status = _fragment_status(request)
        if status:
            self._wire.tell(ReferProgress(leg.leg_id, status))


def _fragment_status(request: SipRequest) -> int:
    """The status in a ``message/sipfrag``, 0 for none (RFC 3420)."""
    version, _, rest = request.body_text.partition(" ")
    status = rest[:3]
    return int(status) if version == "SIP/2.0" and status.isascii() and status.isdigit() and len(status) == 3 else 0
