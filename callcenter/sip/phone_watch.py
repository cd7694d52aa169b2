"""Whether the phones of agents who wait for calls are still there. Pure.

A connection that breaks tells so; datagrams tell nothing, and a phone that lost its power stays registered until its
registration runs out. So each phone that is reached by datagrams is asked every few seconds (OPTIONS, RFC 3261 section
11), for as long as its agent may be rung any moment, and only then. Whatever it answers shows life. One that owes three
answers in a row is *silent*: it is asked on, and back after two answers in a row, or when it registers. A phone that
never answered an OPTIONS is not judged by it: some do not know the method.
"""

from collections.abc import Callable
from dataclasses import dataclass

from callcenter.sip.addresses import NameAddress
from callcenter.sip.flows import Transport
from callcenter.sip.messages import SipResponse, build_request
from callcenter.sip.registrar import Binding
from callcenter.sip.requests import Requests, Sent
from callcenter.sip.uri import Uri
from callcenter.sip.wire import Wire

PHONE_WATCH = "phone_watch"
"""Owner of the alarms, and purpose of the requests."""
MISSES_TO_SILENT = 3
"""After 9.6 seconds at most, with a question every 2.4; each is sent three times by then, so that lost datagrams are
no silence."""
ANSWERS_TO_BACK = 2
MOST_A_SECOND = 200
"""Questions at most; with more phones each is asked less often."""
UNREACHED = frozenset({408, 430, 480, 503})
"""What a proxy on the way says of a phone that is not there."""


@dataclass(slots=True)
class _Watched:
    """One phone."""

    asked: int = 0
    """The number of the question that is out, 0 for none."""
    misses: int = 0
    answers: int = 0


class PhoneWatch:
    """Owned by ``registered_phones``, whose ``find`` gives the binding of a name and whether its agent may be rung, and
    who is told by ``changed`` that a phone fell silent or is back. ``every_ms`` 0 asks nobody."""

    def __init__(
        self,
        wire: Wire,
        requests: Requests,
        *,
        every_ms: int,
        find: Callable[[str, int], tuple[Binding, bool] | None],
        changed: Callable[[str], None],
    ) -> None:
        self._wire = wire
        self._requests = requests
        self._every_ms = every_ms
        self._find = find
        self._changed = changed
        self._watched: dict[str, _Watched] = {}
        self._silent: set[str] = set()
        self._answering: set[str] = set()
        """Phones that ever answered."""
        self._cseq = 0

    def __len__(self) -> int:
        return len(self._watched)

    def is_silent(self, name: str) -> bool:
        """Whether this phone owes its answers."""
        return name in self._silent

    def begin(self, name: str, binding: Binding, now: int) -> None:
        """The phone's agent may be rung from now on."""
        if self._every_ms and binding.flow.transport is Transport.UDP and name not in self._watched:
            self._watched[name] = _Watched()
            self._ask(name, binding, now)

    def registered(self, name: str) -> None:
        """The phone gave a sign of life of its own."""
        self._silent.discard(name)
        watched = self._watched.get(name)
        if watched is not None:
            watched.misses, watched.asked = 0, 0

    def forget(self, name: str) -> None:
        """The phone is registered no more."""
        self._silent.discard(name)
        self._answering.discard(name)
        self._leave(name)

    def _leave(self, name: str) -> None:
        self._watched.pop(name, None)
        self._wire.alarms.cancel((PHONE_WATCH, name, ""))

    def alarm(self, name: str, now: int) -> None:
        """It is time to ask this phone again."""
        watched, found = self._watched.get(name), self._find(name, now)
        if found is None:
            self.forget(name)
        elif watched is None or not found[1]:
            self._leave(name)
        else:
            if watched.asked:
                self._missed(name, watched)
            self._ask(name, found[0], now)

    def _missed(self, name: str, watched: _Watched) -> None:
        watched.answers = 0
        watched.misses += 1
        if watched.misses >= MISSES_TO_SILENT and name in self._answering - self._silent:
            self._silent.add(name)
            self._wire.counts["phones silent"] += 1
            self._changed(name)

    def answered(self, sent: Sent, response: SipResponse | None) -> None:
        """The end of a question; none at all was counted when the next one was due."""
        name, watched = sent.leg_id, self._watched.get(sent.leg_id)
        if watched is None or response is None or response.status in UNREACHED:
            return
        self._answering.add(name)
        watched.misses = 0
        if sent.request.cseq.number != watched.asked:  # a late one; many of them come at once when a line is back
            return
        watched.asked = 0
        watched.answers += 1
        if name in self._silent and watched.answers >= ANSWERS_TO_BACK:
            self._silent.discard(name)
            self._changed(name)

    def _ask(self, name: str, binding: Binding, now: int) -> None:
        self._cseq += 1
        self._watched[name].asked = self._cseq
        every_ms = max(self._every_ms, len(self._watched) * 1_000 // MOST_A_SECOND)
        self._wire.alarms.set((PHONE_WATCH, name, ""), now + every_ms)
        flow = binding.flow
        place = self._wire.identity.place(flow)
        own = NameAddress(Uri("sip", self._wire.identity.user, place[0]))
        headers = (
            ("Via", self._wire.via(flow)),
            *(("Route", proxy) for proxy in binding.path),
            ("Max-Forwards", "70"),
            ("From", f"{own};tag={self._wire.new_token()}"),
            ("To", str(NameAddress(binding.contact.uri))),
            ("Call-ID", f"watch-{self._wire.stateless_name(name)}"),
            ("CSeq", f"{self._cseq} OPTIONS"),
            ("Accept", "application/sdp"),
        )
        request = build_request("OPTIONS", str(binding.contact.uri), headers)
        self._requests.send(request, flow, "", now, name, PHONE_WATCH)
