"""Provisional answers, the reliable ones among them: those we give, and those that come to our INVITEs (RFC 3262)."""

from callcenter.sip.attempts import Attempt
from callcenter.sip.dialogs import dialog_as_client
from callcenter.sip.legs import Leg, LegInput, PendingProvisional
from callcenter.sip.messages import SipResponse
from callcenter.sip.session_timers import Headers
from callcenter.sip.transaction_tables import T1
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.wire import ALLOW, SDP, Wire, answer_flow

MAX_FORKS = 20
"""Early dialogs of one INVITE that are remembered."""
RELIABLE = "100rel"


class Provisionals:
    """Ours on legs that arrived, theirs on legs that we started."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    # Ours.

    def ring(self, leg: Leg, now: int) -> None:
        """Say 180, reliably when the far end insists on it (section 3)."""
        self._say(leg, 180, now)

    def progress(self, leg: Leg, sdp: str, now: int) -> None:
        """Say 183 with a description: the far end hears us before anybody answers."""
        if self._say(leg, 183, now, sdp):
            leg.is_heard = True

    def _say(self, leg: Leg, status: int, now: int, sdp: str = "") -> bool:
        if not leg.allows(LegInput.RING) or leg.invite is None or leg.provisional is not None:
            return False
        leg.happened(LegInput.RING)
        headers: Headers = (("Contact", self._wire.contact(leg.flow)), ("Allow", ALLOW))
        if sdp:
            headers += (("Content-Type", SDP),)
        if not _names(leg.invite.request.listed("require")):
            self._respond(leg, status, now, headers, sdp)
            return True
        # Each is one more than the one before (section 3).
        leg.rseq = leg.rseq + 1 if leg.rseq else 1 + int(self._wire.new_token()[:7], 16)
        rseq = leg.rseq
        response = self._respond(leg, status, now, (*headers, ("Require", RELIABLE), ("RSeq", str(rseq))), sdp)
        back = answer_flow(leg.invite.request, leg.flow)
        leg.provisional = PendingProvisional(bytes(response), back, rseq, T1)
        self._wire.alarms.set(("reliable", leg.leg_id, "repeat"), now + T1)
        self._wire.alarms.set(("reliable", leg.leg_id, "give_up"), now + 64 * T1)
        return True

    def _respond(self, leg: Leg, status: int, now: int, headers: Headers, sdp: str) -> SipResponse:
        assert leg.invite is not None  # noqa: S101 - checked by the caller
        tag = leg.dialog.local_tag if leg.dialog else ""
        transaction_id, request = leg.invite.transaction_id, leg.invite.request
        return self._wire.respond(
            transaction_id, request, leg.flow, status, now, to_tag=tag, headers=headers, body=sdp.encode()
        )

    def prack(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        """A PRACK: 200 when it names the provisional answer we repeat, else 481."""
        said = (arrived.request.get("rack") or "").split()
        pending = leg.provisional
        if pending is None or leg.invite is None or len(said) != 3:
            self._wire.answer_once(arrived, 481, now)
            return
        expected = [str(pending.rseq), str(leg.invite.request.cseq.number), "INVITE"]
        if said == expected:
            self.stop(leg)
        self._wire.answer_once(arrived, 200 if said == expected else 481, now)

    def repeat(self, leg: Leg, now: int) -> None:
        """The PRACK is late: say it once more."""
        if leg.provisional is not None:
            self._wire.transmit(leg.provisional.data, leg.provisional.flow)
            leg.provisional.interval *= 2
            self._wire.alarms.set(("reliable", leg.leg_id, "repeat"), now + leg.provisional.interval)

    def stop(self, leg: Leg) -> None:
        """It was confirmed, or something final was said."""
        if leg.provisional is not None:
            leg.provisional = None
            self._wire.alarms.cancel(("reliable", leg.leg_id, "repeat"))
            self._wire.alarms.cancel(("reliable", leg.leg_id, "give_up"))

    # Theirs.

    def confirm(self, attempt: Attempt, response: SipResponse, now: int) -> bool:
        """Send a PRACK for a reliable answer (section 4); ``False``: a repetition, to be ignored."""
        rseq = response.number("rseq") if response.status > 100 else None
        tag = response.to.tag
        if rseq is None or not tag or not _names(response.listed("require")):
            return True
        before = attempt.rseq.get(tag)
        if (before is not None and rseq != before + 1) or len(attempt.rseq) >= MAX_FORKS:
            return False
        attempt.rseq[tag] = rseq
        dialog = attempt.early.get(tag)
        if dialog is None:
            dialog = attempt.early[tag] = dialog_as_client(attempt.request, response)
        rack = (("RAck", f"{rseq} {attempt.request.cseq.number} INVITE"),)
        self._wire.send(dialog.build("PRACK", self._wire.via(attempt.flow), headers=rack), attempt.flow, now)
        return True


def _names(options: list[str]) -> bool:
    return RELIABLE in [option.lower() for option in options]
