"""The OPTIONS that one phone is asked again and again: laid out once, with room for what differs. Pure."""

from callcenter.sip.addresses import NameAddress
from callcenter.sip.messages import build_request
from callcenter.sip.registrar import Binding
from callcenter.sip.uri import Uri
from callcenter.sip.via import MAGIC_COOKIE, Via
from callcenter.sip.wire import Wire

_BRANCH, _NUMBER = "=the-branch=", 2_147_483_646
"""Stand for what differs while a question is laid out; no checked value contains either."""


class Question:
    """To one phone, as it is registered now. Raises ``UnsafeValue`` for a registration that cannot be asked."""

    __slots__ = ("_after", "_before", "_between", "binding")

    def __init__(self, wire: Wire, binding: Binding, call_id: str) -> None:
        self.binding = binding
        flow = binding.flow
        place = wire.identity.place(flow)
        own = NameAddress(Uri("sip", wire.identity.user, place[0]))
        via = Via(flow.transport.upper(), *place, (("branch", _BRANCH), ("rport", None)))
        headers = (
            ("Via", str(via)),
            *(("Route", proxy) for proxy in binding.path),
            ("Max-Forwards", "70"),
            ("From", f"{own};tag={wire.new_token()}"),
            ("To", str(NameAddress(binding.contact.uri))),
            ("Call-ID", call_id),
            ("CSeq", f"{_NUMBER} OPTIONS"),
            ("Accept", "application/sdp"),
        )
        whole = bytes(build_request("OPTIONS", str(binding.contact.uri), headers))
        self._before, _, rest = whole.partition(_BRANCH.encode())
        self._between, _, self._after = rest.rpartition(b"%d OPTIONS" % _NUMBER)

    def asked(self, branch: bytes, number: int) -> bytes:
        """The octets of one more of it."""
        return b"%b%b%b%d OPTIONS%b" % (self._before, branch, self._between, number, self._after)


class Branches:
    """The branches of questions: each is unique, nobody else can foretell it, and it is known in an answer unread."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._prefix = f"{wire.stateless_name('phone watch')}w"
        self._mark = f"{MAGIC_COOKIE}{self._prefix}".encode()

    def branch(self, number: int) -> bytes:
        """That of one question."""
        token = f"{self._prefix}{number}"
        return f"{MAGIC_COOKIE}{token}.{self._wire.stateless_name(token)[:8]}".encode()

    def find(self, data: bytes) -> bytes | None:
        """The branch in an answer's Via; ``None`` where there is none of these."""
        start = data.find(self._mark)
        if start < 0:
            return None
        end = data.find(b".", start) + 9
        return data[start:end]
