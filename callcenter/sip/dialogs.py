"""Dialogs: what two ends remember of each other (RFC 3261 section 12), as plain data.

A dialog builds the requests inside it and judges the ones that come in. It knows neither transactions nor sockets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.sip.addresses import NameAddress, parse_address
from callcenter.sip.errors import BadMessage, IllegalTransition
from callcenter.sip.grammar import split_outside
from callcenter.sip.messages import SipRequest, SipResponse, build_request

MAX_FORWARDS = "70"


class DialogState(StrEnum):
    """RFC 3261 section 12."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class DialogEvent(StrEnum):
    """What changes a dialog's state."""

    PROVISIONAL = "provisional"
    """A 101-199 with a tag."""
    SUCCESS = "success"
    """A 2xx to the INVITE."""
    FAILURE = "failure"
    """A final failure to the INVITE."""
    BYE = "bye"
    """A BYE went either way, or the far end said it knows no such dialog."""


DIALOG_TABLE: Mapping[tuple[DialogState, DialogEvent], DialogState] = {
    (DialogState.EARLY, DialogEvent.PROVISIONAL): DialogState.EARLY,
    (DialogState.EARLY, DialogEvent.SUCCESS): DialogState.CONFIRMED,
    (DialogState.EARLY, DialogEvent.FAILURE): DialogState.TERMINATED,
    (DialogState.EARLY, DialogEvent.BYE): DialogState.TERMINATED,
    (DialogState.CONFIRMED, DialogEvent.SUCCESS): DialogState.CONFIRMED,
    (DialogState.CONFIRMED, DialogEvent.PROVISIONAL): DialogState.CONFIRMED,
    (DialogState.CONFIRMED, DialogEvent.BYE): DialogState.TERMINATED,
    (DialogState.TERMINATED, DialogEvent.BYE): DialogState.TERMINATED,
    (DialogState.TERMINATED, DialogEvent.SUCCESS): DialogState.TERMINATED,
    (DialogState.TERMINATED, DialogEvent.PROVISIONAL): DialogState.TERMINATED,
}


@dataclass(slots=True)
class Dialog:
    """One dialog. Addresses and the route set are kept as they go on the wire."""

    call_id: str
    local: str
    """Our From in requests we send, tag included."""
    remote: str
    """Their To in requests we send, tag included when they have one."""
    local_tag: str
    remote_tag: str
    remote_target: str
    route_set: tuple[str, ...]
    local_cseq: int
    remote_cseq: int | None
    state: DialogState = DialogState.EARLY

    def happened(self, event: DialogEvent) -> None:
        """Take one step of the table. Raises ``IllegalTransition``."""
        following = DIALOG_TABLE.get((self.state, event))
        if following is None:
            raise IllegalTransition("dialog", self.state, event)
        self.state = following

    def accepts(self, request: SipRequest) -> bool:
        """Judge an in-dialog request's CSeq and take it over; ``False`` when it is out of order (section 12.2.2)."""
        number = request.cseq.number
        if self.remote_cseq is not None and number <= self.remote_cseq and request.method != "ACK":
            return False
        if request.method not in {"ACK", "CANCEL"}:
            self.remote_cseq = number
        return True

    def refresh_target(self, message: SipRequest | SipResponse) -> None:
        """Follow the far end's new Contact, as re-INVITE and UPDATE and their answers may carry (section 12.2)."""
        contacts = message.contacts
        if contacts and contacts[0].uri.is_sip:
            self.remote_target = str(contacts[0].uri)

    def build(
        self,
        method: str,
        via: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        cseq: int | None = None,
    ) -> SipRequest:
        """A request inside the dialog (section 12.2.1.1). An ACK alone gives ``cseq``: it repeats the INVITE's."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        uri, routes = self._request_uri_and_routes()
        copied = [("Via", via), *(("Route", route) for route in routes)]
        copied += [("From", self.local), ("To", self.remote), ("Call-ID", self.call_id)]
        copied += [("CSeq", f"{cseq} {method}"), ("Max-Forwards", MAX_FORWARDS)]
        return build_request(method, uri, headers, copied=copied, body=body)

    def build_ack(
        self, via: str, cseq: int, *, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> SipRequest:
        """The ACK to a 2xx, a transaction of its own (section 13.2.2.4)."""
        return self.build("ACK", via, headers=headers, body=body, cseq=cseq)

    def _request_uri_and_routes(self) -> tuple[str, tuple[str, ...]]:
        if not self.route_set:
            return self.remote_target, ()
        first = parse_address(self.route_set[0])
        if first.uri.param("lr") is not None:
            return self.remote_target, self.route_set
        # A strict router wants its own URI on the request line and the target as the last route.
        return str(first.uri), (*self.route_set[1:], f"<{self.remote_target}>")


def _remote_target(message: SipRequest | SipResponse, fallback: NameAddress) -> str:
    contacts = message.contacts
    return str(contacts[0].uri if contacts else fallback.uri)


def _routes(message: SipRequest | SipResponse) -> list[str]:
    routes = [part.strip() for value in message.values("record-route") for part in split_outside(value, ",")]
    for route in routes:
        if not parse_address(route).uri.is_sip:
            raise BadMessage(400, "Bad Record-Route")
    return routes


def dialog_as_server(invite: SipRequest, local_tag: str) -> Dialog:
    """The dialog our answer to an INVITE makes (section 12.1.1). An RFC 2543 INVITE may lack Contact and From tag."""
    return Dialog(
        call_id=invite.call_id,
        local=f"{invite.to_text};tag={local_tag}",
        remote=invite.from_text,
        local_tag=local_tag,
        remote_tag=invite.from_.tag,
        remote_target=_remote_target(invite, invite.from_),
        route_set=tuple(_routes(invite)),
        local_cseq=0,
        remote_cseq=invite.cseq.number,
    )


def dialog_as_client(invite: SipRequest, response: SipResponse) -> Dialog:
    """The dialog a response to our INVITE makes (section 12.1.2)."""
    dialog = Dialog(
        call_id=invite.call_id,
        local=invite.from_text,
        remote=response.to_text,
        local_tag=invite.from_.tag,
        remote_tag=response.to.tag,
        remote_target=_remote_target(response, invite.to),
        route_set=tuple(reversed(_routes(response))),
        local_cseq=invite.cseq.number,
        remote_cseq=None,
    )
    dialog.happened(DialogEvent.SUCCESS if response.status >= 200 else DialogEvent.PROVISIONAL)
    return dialog
