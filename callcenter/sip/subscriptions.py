"""Subscriptions of phones: message waiting and dialog state (RFC 6665, RFC 3842, RFC 4235). Pure."""

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import msgspec

from callcenter.sip.dialogs import Dialog, dialog_as_server
from callcenter.sip.flows import Flow
from callcenter.sip.messages import SipRequest
from callcenter.sip.requests import Requests
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.wire import Wire

MESSAGE_SUMMARY, DIALOG = "message-summary", "dialog"
CONTENT_TYPES = {MESSAGE_SUMMARY: "application/simple-message-summary", DIALOG: "application/dialog-info+xml"}
"""Event packages served and what their NOTIFYs carry."""
MIN_EXPIRES, MAX_EXPIRES = 60, 3_600
"""Seconds."""
MAX_SUBSCRIPTIONS = 5_000
SUBSCRIPTION = "subscription"
"""The purpose of a NOTIFY of ours: one that is refused ends its subscription."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What waits for somebody."""

    new: int = 0
    old: int = 0


class ShownLeg(msgspec.Struct, frozen=True):
    """One leg of an agent as lamps on other phones show it."""

    leg_id: str
    state: str
    """``trying``, ``early``, ``confirmed`` or ``terminated``."""
    direction: str
    """``initiator`` or ``recipient``, as seen from the agent's phone."""
    call_id: str = ""
    local_tag: str = ""
    remote_tag: str = ""
    """Of the dialog, as the agent's phone sees it; empty while there is none. A pick-up key names them in Replaces."""


@dataclass(slots=True)
class Subscription:
    """One phone that watches one agent."""

    name: str
    event: str
    agent_id: str
    """Who is watched."""
    dialog: Dialog
    flow: Flow
    expires_at: int
    version: int = 0


class Subscriptions:
    """Everything that phones watch."""

    def __init__(self, wire: Wire, requests: Requests) -> None:
        self._wire = wire
        self._requests = requests
        self._by_name: dict[str, Subscription] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._legs: dict[str, dict[str, ShownLeg]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def subscribe(self, arrived: RequestArrived, agent_id: str, now: int) -> None:
        """A SUBSCRIBE that starts a subscription; whoever sends it was authenticated."""
        request = arrived.request
        event = _event(request)
        if event not in CONTENT_TYPES:
            self._wire.answer_once(arrived, 489, now, headers=(("Allow-Events", ", ".join(CONTENT_TYPES)),))
            return
        seconds = _wanted(request)
        if 0 < seconds < MIN_EXPIRES:
            self._wire.answer_once(arrived, 423, now, headers=(("Min-Expires", str(MIN_EXPIRES)),))
            return
        if len(self._by_name) >= MAX_SUBSCRIPTIONS:
            self._wire.answer_once(arrived, 503, now, headers=(("Retry-After", "30"),))
            return
        dialog = dialog_as_server(request, self._wire.new_token())
        one = Subscription(f"{dialog.call_id}\0{dialog.local_tag}", event, agent_id, dialog, arrived.flow, 0)
        self._by_name[one.name] = one
        self._extend(one, arrived, seconds, now)

    def of_dialog(self, request: SipRequest) -> Subscription | None:
        """The subscription a SUBSCRIBE inside a dialog belongs to."""
        one = self._by_name.get(f"{request.call_id}\0{request.to.tag}")
        return one if one is not None and one.dialog.remote_tag == request.from_.tag else None

    def refresh(self, arrived: RequestArrived, one: Subscription, now: int) -> None:
        """A SUBSCRIBE inside its dialog: longer, or no more."""
        if not one.dialog.accepts(arrived.request):
            self._wire.answer_once(arrived, 500, now)
            return
        one.flow = arrived.flow
        one.dialog.refresh_target(arrived.request)
        self._extend(one, arrived, _wanted(arrived.request), now)

    def _extend(self, one: Subscription, arrived: RequestArrived, seconds: int, now: int) -> None:
        seconds = min(seconds, MAX_EXPIRES)
        one.expires_at = now + seconds * 1_000
        headers = (("Contact", self._wire.contact(one.flow)), ("Expires", str(seconds)))
        self._wire.answer_once(arrived, 200, now, to_tag=one.dialog.local_tag, headers=headers)
        self._notify(one, now)
        if seconds == 0:
            self._forget(one)
        else:
            self._wire.alarms.set((SUBSCRIPTION, one.name, ""), one.expires_at)

    def expired(self, name: str, now: int) -> None:
        """A subscription ran out."""
        one = self._by_name.get(name)
        if one is not None:
            self._notify(one, now)
            self._forget(one)

    def refused(self, name: str) -> None:
        """A NOTIFY was refused or not answered: the watcher is gone (RFC 6665 section 4.2.2)."""
        one = self._by_name.get(name)
        if one is not None:
            self._forget(one)

    def _forget(self, one: Subscription) -> None:
        self._by_name.pop(one.name, None)
        self._wire.alarms.cancel((SUBSCRIPTION, one.name, ""))

    def set_mailbox(self, agent_id: str, mailbox: Mailbox, now: int) -> None:
        """What waits for an agent changed."""
        if self._mailboxes.get(agent_id, Mailbox()) != mailbox:
            self._mailboxes[agent_id] = mailbox
            self._tell(agent_id, MESSAGE_SUMMARY, now)

    def show_leg(self, agent_id: str, shown: ShownLeg, now: int) -> None:
        """A leg of an agent changed; ``terminated`` is shown once."""
        legs = self._legs.setdefault(agent_id, {})
        if legs.get(shown.leg_id) == shown:
            return
        legs[shown.leg_id] = shown
        self._tell(agent_id, DIALOG, now)
        if shown.state == "terminated":
            del legs[shown.leg_id]
            if not legs:
                del self._legs[agent_id]

    def _tell(self, agent_id: str, event: str, now: int) -> None:
        for one in list(self._by_name.values()):
            if one.agent_id == agent_id and one.event == event:
                self._notify(one, now)

    def _notify(self, one: Subscription, now: int) -> None:
        left = max(0, one.expires_at - now) // 1_000
        state = f"active;expires={left}" if left else "terminated;reason=timeout"
        headers = (
            ("Contact", self._wire.contact(one.flow)),
            ("Event", one.event),
            ("Subscription-State", state),
            ("Content-Type", CONTENT_TYPES[one.event]),
        )
        body = self._summary(one) if one.event == MESSAGE_SUMMARY else self._dialog_info(one)
        request = one.dialog.build("NOTIFY", self._wire.via(one.flow), headers=headers, body=body.encode())
        self._requests.send(request, one.flow, "", now, one.name, SUBSCRIPTION)

    def _summary(self, one: Subscription) -> str:
        box = self._mailboxes.get(one.agent_id, Mailbox())
        return f"Messages-Waiting: {'yes' if box.new else 'no'}\r\nVoice-Message: {box.new}/{box.old}\r\n"

    def _dialog_info(self, one: Subscription) -> str:
        legs = "".join(
            f"<dialog id={quoteattr(leg.leg_id)}{_names(leg)} direction={quoteattr(leg.direction)}>"
            f"<state>{escape(leg.state)}</state></dialog>"
            for leg in self._legs.get(one.agent_id, {}).values()
        )
        version, one.version = one.version, one.version + 1
        entity = quoteattr(f"sip:{one.agent_id}@{self._wire.identity.host}")
        return (
            '<?xml version="1.0"?>\r\n<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '
            f'version="{version}" state="full" entity={entity}>{legs}</dialog-info>\r\n'
        )


def _names(leg: ShownLeg) -> str:
    if not leg.remote_tag or not leg.local_tag:
        return ""
    named = (("call-id", leg.call_id), ("local-tag", leg.local_tag), ("remote-tag", leg.remote_tag))
    return "".join(f" {name}={quoteattr(value)}" for name, value in named)


def _event(request: SipRequest) -> str:
    return (request.get("event") or "").partition(";")[0].strip().lower()


def _wanted(request: SipRequest) -> int:
    seconds = request.number("expires")
    return MAX_EXPIRES if seconds is None else seconds
