"""The exchange's endpoint: trunks and registered phones come in, agents' phones are rung, calls go out. Pure.

Who may come in is ``front_door``'s to say, which phones there are ``registered_phones``'.
"""

from collections.abc import Mapping, Sequence

from callcenter.calls.legs import LegAnswered, LegEarlyMedia, LegEnded, LegOffered, LegRefused, LegRinging, Party
from callcenter.ports import Allowed, EncryptionPolicy, PhoneTarget, TrunkPolicy
from callcenter.sip.addresses import NameAddress
from callcenter.sip.attempts import Attempt
from callcenter.sip.binding_file import KeptBinding
from callcenter.sip.callers import is_own
from callcenter.sip.dialling import OPTIONS, REGISTER, Dialling
from callcenter.sip.doors import Admitted, Refused
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow
from callcenter.sip.front_door import FrontDoor
from callcenter.sip.grammar import clean_text
from callcenter.sip.legs import Leg
from callcenter.sip.media_keys import SrtpPolicy
from callcenter.sip.messages import SipRequest, SipResponse
from callcenter.sip.numbering import NumberingRules
from callcenter.sip.phone_watch import PHONE_WATCH
from callcenter.sip.redirects import LEAVE_LIMIT_MS, MAX_REDIRECTS, Redirect, redirect_targets
from callcenter.sip.registered_phones import RegisteredPhones
from callcenter.sip.requests import Sent
from callcenter.sip.settings import Credentials, SipSettings
from callcenter.sip.subscriptions import SUBSCRIPTION, Mailbox, ShownLeg, Subscriptions
from callcenter.sip.texts import TEXT, Texts
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.trunks import Trunk, TrunkState
from callcenter.sip.uri import Uri, escape_user
from callcenter.sip.wire import ALLOW, EndpointOutcome, Identity, LeaveAsked, NewToken

"""Characters of a text that are kept."""
TERMINATED = "terminated"
LAMPS = {
    LegOffered: "trying",
    LegRinging: "early",
    LegEarlyMedia: "early",
    LegAnswered: "confirmed",
    LegRefused: TERMINATED,
    LegEnded: TERMINATED,
}
"""Leg events to the states of RFC 4235."""
SHOWN = (LegOffered, LegRinging, LegEarlyMedia, LegAnswered, LegRefused, LegEnded)


class Exchange(Endpoint):
    """The endpoint of the exchange."""

    allow = f"{ALLOW}, REGISTER, SUBSCRIBE, MESSAGE"

    def __init__(
        self,
        identity: Identity,
        settings: SipSettings,
        directory: Credentials,
        trunks: Sequence[Trunk],
        secret: bytes,
        new_token: NewToken,
        rules: NumberingRules | None = None,
    ) -> None:
        super().__init__(identity, self, new_token)
        self._house = settings.realm if _is_host(settings.realm) else ""
        """The host that agents and callers are shown at, empty for our own."""
        self._directory = directory
        self._phones = RegisteredPhones(self.wire, settings.limits, directory, watch_ms=settings.watch_phones_ms)
        self.door = FrontDoor(self.wire, settings, directory, self._phones, trunks, secret, rules)
        self.door.leg_count = self.__len__
        self.wire.trunk_named = self.door.trunk_named
        self._subscriptions = Subscriptions(self.wire, self._requests)
        caps = rules.caps if rules is not None else None
        self._dialling = Dialling(self.wire, self._legs, self._outbound, self._requests, trunks, caps)
        self.door.gateway_of = self._dialling.gateway_of
        self._outbound.on_refusal = self._take_refusal
        self._rules = rules
        self._outbound.on_retry = self._dialling.went_on
        self._agent_of_leg: dict[str, tuple[str, str]] = {}
        """By leg: whose phone it is, and whether the phone called or was rung."""
        self.asks_leave = False
        """Whether ``LeaveAsked`` is told, and answered, before a redirect is followed."""
        self._redirects: dict[str, Redirect] = {}
        """By leg: calls that were sent on, while it is asked whether they may go there."""
        self._texts = Texts(self.wire, self._requests, self._phones)

    def receive(self, data: bytes, flow: Flow, now: int) -> list[EndpointOutcome]:
        """Take a message, unless it comes from a stranger who sends too many or is banned: that is dropped unread. So
        is a phone's answer to the question whether it lives, once it has been noted."""
        if self._phones.watch.heard(data, flow):
            return self._drain(now)
        kept_out = self.door.keeps_out(data, flow, now)
        return super().receive(data, flow, now) if kept_out is None else kept_out

    def admit(self, request: SipRequest, flow: Flow, now: int) -> Admitted | Refused:
        """Judge a new INVITE."""
        return self.door.admit(request, flow, now)

    # Registration.

    def _register(self, arrived: RequestArrived, now: int) -> None:
        request, flow = arrived.request, arrived.flow
        if not request.to.uri.is_sip or any(not contact.uri.is_sip for contact in request.contacts):
            raise BadMessage(400, "Not a SIP address", request)
        if self.door.overloaded and self._phones.owner_of(flow, now) is None and not self.door.has_room():
            # A phone that is registered keeps its place; a new one is told to come back.
            self.wire.reply(request, flow, 503, headers=(self.door.busy(),))
            return
        username = self.door.authenticated(request, flow, now)
        if isinstance(username, Refused):
            self.wire.reply(request, flow, username.status, headers=username.headers)
            return
        agent_id = self._directory.agent_of(username)
        if agent_id is None or not is_own(request.to.uri, username):
            self.wire.reply(request, flow, 403)
            return
        self._phones.register(arrived, username, agent_id, now)

    @property
    def binding_changes(self) -> int:
        """How often the registered phones changed."""
        return self._phones.changes

    def kept_bindings(self) -> list[KeptBinding]:
        """The phones that a restart leaves within reach."""
        return self._phones.kept()

    def restore_bindings(self, kept: Sequence[KeptBinding], now: int) -> list[EndpointOutcome]:
        """Take back the phones of an earlier life; those of people who are gone, or run out, are left."""
        self._phones.restore(kept, now)
        return self._drain(now)

    def _leg_alarm(self, owner: str, what: str, name: str, now: int) -> None:
        if owner == "registration":
            self._phones.expire(what, now)
        elif owner == PHONE_WATCH:
            self._phones.watch.alarm(now)
        elif owner == SUBSCRIPTION:
            self._subscriptions.expired(what, now)
        elif owner == "dial":
            self._dialling.too_quiet(what, now)
        elif owner == "redirect":
            self._take_leave(what, now, granted=False)
        elif owner == "trunk":
            self._dialling.alarm(what, name, now)
        elif owner == TEXT:
            self._texts.alarm(what, now)
        else:
            super()._leg_alarm(owner, what, name, now)

    def flow_lost(self, flow: Flow, now: int) -> list[EndpointOutcome]:
        """A connection broke; the phones registered over it are gone."""
        self._phones.flow_lost(flow)
        return super().flow_lost(flow, now)

    def _binding_unheard(self, binding: str) -> None:
        self._phones.unheard(binding)

    def expect_calls(self, agent_id: str, now: int, *, wanted: bool) -> list[EndpointOutcome]:
        """This agent may be rung any moment from now on, or no longer: whether the phones live is watched meanwhile."""
        self._phones.expect_calls(agent_id, now, wanted=wanted)
        return self._drain(now)

    def reachable(self, agent_id: str, now: int) -> bool:
        """Whether a phone of this agent is registered, and not silent."""
        return self._phones.reachable(agent_id, now)

    def encryption_for(self, agent_id: str, now: int) -> EncryptionPolicy | None:
        """How media to this agent's phones is to be offered; ``None`` for plain."""
        rule = self._directory.media_rule(agent_id)
        if rule.srtp is SrtpPolicy.REQUIRED:
            return EncryptionPolicy.REQUIRED
        if rule.srtp is SrtpPolicy.NEVER:
            return None
        private = any(rule.is_private(flow) for flow in self._phones.flows(agent_id, now))
        return EncryptionPolicy.OPTIONAL if private else None

    # Watching and texting.

    def _agent_asking(self, arrived: RequestArrived, now: int) -> str | None:
        """The agent a request outside dialogs comes from; ``None`` when it was refused."""
        agent_id = self.door.agent_of(arrived.request, arrived.flow, now)
        if isinstance(agent_id, str):
            return agent_id
        self.wire.reply(arrived.request, arrived.flow, agent_id.status, headers=agent_id.headers)
        return None

    def _subscribe(self, arrived: RequestArrived, now: int) -> None:
        if self._agent_asking(arrived, now) is None:
            return
        watched = self._directory.agent_of(arrived.request.uri.username)
        if watched is None:
            self.wire.answer_once(arrived, 404, now)
        else:
            self._subscriptions.subscribe(arrived, watched, now)

    def _in_dialog(self, arrived: RequestArrived, now: int) -> None:
        one = self._subscriptions.of_dialog(arrived.request) if arrived.request.method == "SUBSCRIBE" else None
        if one is None:
            super()._in_dialog(arrived, now)
        elif self._agent_asking(arrived, now) is not None:
            self._subscriptions.refresh(arrived, one, now)

    def _text(self, arrived: RequestArrived, now: int) -> None:
        sender = self._agent_asking(arrived, now)
        if sender is not None:
            self._texts.pass_on(arrived, sender, self._directory.agent_of(arrived.request.uri.username), now)

    def set_mailbox(self, agent_id: str, mailbox: Mailbox, now: int) -> list[EndpointOutcome]:
        """What waits for an agent changed; phones that watch it are told."""
        self._subscriptions.set_mailbox(agent_id, mailbox, now)
        return self._drain(now)

    def _request_ended(self, sent: Sent, response: SipResponse | None, now: int) -> bool:
        if sent.purpose in {OPTIONS, REGISTER}:
            self._dialling.answered(sent, response, now)
            return True
        if sent.purpose == TEXT:
            self._texts.answered(sent, response, now)
            return True
        if sent.purpose != SUBSCRIPTION:
            return super()._request_ended(sent, response, now)
        if response is None or response.status >= 300:
            self._subscriptions.refused(sent.leg_id)
        return True

    def _follow(self, told: Sequence[EndpointOutcome], now: int) -> None:
        """Keep the lamps of watching phones right: look at what was just told of agents' legs."""
        for outcome in tuple(told):
            if not isinstance(outcome, SHOWN):
                continue
            state = LAMPS[type(outcome)]
            over = state == TERMINATED
            if isinstance(outcome, LegOffered) and outcome.agent_id is not None:
                self._agent_of_leg[outcome.leg_id] = (outcome.agent_id, "initiator")
            self._dialling.happened(outcome.leg_id, over=over, now=now)
            agent = self._agent_of_leg.get(outcome.leg_id)
            if agent is not None:
                shown = ShownLeg(outcome.leg_id, state, agent[1], *self._tags_of(outcome.leg_id))
                self._subscriptions.show_leg(agent[0], shown, now)
                if over:
                    del self._agent_of_leg[outcome.leg_id]

    def _tags_of(self, leg_id: str) -> tuple[str, str, str]:
        """Call-ID and tags of a leg as the phone at its far end sees them, empty without a dialog."""
        leg = self._legs.get(leg_id)
        if leg is not None and leg.dialog is not None:
            return leg.dialog.call_id, leg.dialog.remote_tag, leg.dialog.local_tag
        if leg is None or not leg.early_dialogs:
            return "", "", ""
        call_id, ours, theirs = leg.early_dialogs[0]
        return call_id, theirs, ours

    # Ringing an agent.

    def ring_agent(self, leg_id: str, target: PhoneTarget, caller: Party, sdp: str, now: int) -> list[EndpointOutcome]:
        """Ring every phone of an agent, showing the caller's number and name."""
        agent_id = target.agent_id
        host = self._house or self.wire.identity.host
        number, name = escape_user(clean_text(caller.number)) or "anonymous", clean_text(caller.display_name)
        shown = str(NameAddress(Uri("sip", number, host), name))
        self._agent_of_leg[leg_id] = (agent_id, "recipient")
        return self.invite(
            leg_id,
            self._phones.targets(agent_id, now, self._directory.media_rule(agent_id)),
            from_=shown,
            to=str(NameAddress(Uri("sip", escape_user(self._phones.address_of(agent_id)), host))),
            sdp=sdp,
            now=now,
            headers=(("P-Asserted-Identity", shown),),
            max_forwards=target.max_forwards,
        )

    # Calling out.

    def dial(
        self, leg_id: str, number: str, policy: TrunkPolicy, caller: Party, sdp: str, now: int
    ) -> list[EndpointOutcome]:
        """Call a number through the first trunk of the policy that works; whether it may be called was decided."""
        self._dialling.dial(leg_id, number, policy, caller, sdp, now)
        return self._drain(now)

    def _take_refusal(self, leg: Leg, attempt: Attempt, response: SipResponse | None, now: int) -> bool:
        """A far end refused our INVITE; tells whether another one is tried."""
        if leg.leg_id in self._redirects and (response is None or response.status < 600):
            self._outbound.note_refusal(leg, response)
            return True  # another phone of the agent sent the call on; that comes first
        if response is not None and (targets := redirect_targets(response)):
            return self._follow_redirect(leg, attempt, response, targets, now)
        return self._dialling.take_refusal(leg, attempt, response, now)

    def _follow_redirect(
        self, leg: Leg, attempt: Attempt, response: SipResponse, targets: Sequence[str], now: int
    ) -> bool:
        """Go where a 3xx sends a call, if that is allowed: each number is checked like a dialled one."""
        dial, rules = self._dialling.of_leg(leg.leg_id), self._rules
        if dial is not None and dial.current is attempt:
            agent_id, wanted = dial.policy.agent_id, self._dialling.states()[dial.trunk_id].trunk.follow_redirects
        else:
            agent_id, role = self._agent_of_leg.get(leg.leg_id, ("", ""))
            wanted = dial is None and role == "recipient" and rules is not None and rules.follows_phones
        forwards = attempt.request.max_forwards
        if rules is None or not wanted or forwards < 2 or (dial is not None and dial.redirects >= MAX_REDIRECTS):
            self.wire.counts["redirects refused"] += 1
            return False
        self._dialling.give_back(leg.leg_id)
        return self._follow_first(leg, agent_id, attempt, response, targets, now)

    def _follow_first(
        self, leg: Leg, agent_id: str, attempt: Attempt, response: SipResponse, targets: Sequence[str], now: int
    ) -> bool:
        """Go to the first of these that may be called; whether its owner wants that may have to be asked first."""
        for place, target in enumerate(targets, 1):
            verdict = self._rules.check(agent_id, target, now) if self._rules is not None else None
            if not isinstance(verdict, Allowed):
                continue
            redirect = Redirect(agent_id, attempt, response, verdict, targets[place:])
            if self.asks_leave:
                self._redirects[leg.leg_id] = redirect
                self.wire.alarms.set(("redirect", leg.leg_id, ""), now + LEAVE_LIMIT_MS)
                self.wire.tell(LeaveAsked(leg.leg_id, agent_id, verdict))
                return True
            if self._go_on(leg, redirect, now):
                return True
        self.wire.counts["redirects refused"] += 1
        return False

    def _go_on(self, leg: Leg, redirect: Redirect, now: int) -> bool:
        diversion = (("Diversion", f"{NameAddress(redirect.attempt.request.to.uri)};reason=unconditional"),)
        followed = self._dialling.redirect(leg, redirect.allowed, diversion, now)
        self.wire.counts["redirects followed"] += followed
        return followed

    def give_leave(self, leg_id: str, now: int, *, granted: bool) -> list[EndpointOutcome]:
        """The answer to a ``LeaveAsked``. What may not be called is like a number that the rules do not allow."""
        self._take_leave(leg_id, now, granted=granted)
        return self._drain(now)

    def _take_leave(self, leg_id: str, now: int, *, granted: bool) -> None:
        redirect, leg = self._redirects.pop(leg_id, None), self._legs.get(leg_id)
        self.wire.alarms.cancel(("redirect", leg_id, ""))
        if redirect is None or self._rules is None:
            return
        if leg is None or leg.told or not granted:
            self._rules.withdraw(redirect.allowed.policy)
        if leg is None or leg.told or (granted and self._go_on(leg, redirect, now)):
            return
        if not self._follow_first(leg, redirect.agent_id, redirect.attempt, redirect.response, redirect.rest, now):
            self._outbound.refused(leg, redirect.attempt, redirect.response, now)

    def found_gateways(self, trunk_id: str, flows: Sequence[Flow], now: int) -> list[EndpointOutcome]:
        """DNS says where a trunk's gateways are."""
        self._dialling.found(trunk_id, flows, now)
        self.door.forget_names()
        return self._drain(now)

    def counters(self) -> dict[str, int]:
        """What happened so far and what is open now, by name."""
        gauges = {
            "legs": len(self),
            "transactions": len(self.wire.transactions),
            "alarms": len(self.wire.alarms),
            "subscriptions": len(self._subscriptions),
            "sources": self.door.sources,
            "bindings": len(self._phones),
            "watched phones": len(self._phones.watch),
            "overloaded": int(self.door.overloaded),
        }
        trunks = {f"trunk {name} calls": len(state.calls) for name, state in self.trunk_states().items()}
        return {**self.wire.counts, **gauges, **trunks}

    def trunk_states(self) -> Mapping[str, TrunkState]:
        """The trunks that take calls of ours, as they do now."""
        return self._dialling.states()


def _is_host(text: str) -> bool:
    return bool(text) and not text.strip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
