"""Offers and answers of a session's legs: SDP in and out, and what they mean told to the media processes."""

from collections.abc import Callable
from dataclasses import replace

from callcenter.chance import random_bits
from callcenter.errors import MediaError
from callcenter.media.codecs import NARROWBAND
from callcenter.media.orders import OrderLine
from callcenter.media.protocol import LegSpec
from callcenter.media.putting import SessionOrders
from callcenter.media.sdp import LocalStream, build_answer, build_offer, check_reachable, read_answer, read_offer
from callcenter.media.session import PlaneSession, acceptable, described, event_type, new_ssrc, offered, spoken
from callcenter.media.stock import PortStock
from callcenter.ports import EncryptionPolicy, LegProfile


class LegDescriptions:
    """Negotiates the legs of sessions. ``encryption`` is the installation's policy, which a leg's own may change."""

    def __init__(
        self, line: OrderLine, orders: SessionOrders, stock: PortStock, *, encryption: EncryptionPolicy
    ) -> None:
        self._line, self._orders, self._stock = line, orders, stock
        self._encryption = encryption

    async def answer_offer(self, session: PlaneSession, leg_id: str, sdp: str, profile: LegProfile) -> str:
        """See ``MediaPlane.answer_offer``."""
        encryption = profile.encryption or self._encryption
        offer = read_offer(sdp, spoken=spoken(session, leg_id, profile), encryption=encryption)
        check_reachable(offer.audio, self._line.sdp_address)
        crypto = offer.audio.crypto
        key = None if crypto is None else session.key(leg_id, crypto.key.suite)
        leg = session.legs.get(leg_id) or self._new(session, leg_id)
        await self._tell(session, described(leg, offer.audio, profile, key))
        return self._describe(session, leg_id, lambda local: build_answer(offer, local, key=key))

    async def make_offer(
        self, session: PlaneSession, leg_id: str, *, encryption: EncryptionPolicy | None = None
    ) -> str:
        """See ``MediaPlane.make_offer``."""
        leg = session.legs.get(leg_id)
        if leg is None:
            leg = self._new(session, leg_id)
            await self._tell(session, leg)
        number, codecs = event_type(leg), offered(session, leg)
        session.offered[leg_id] = acceptable(codecs)
        ours, wanted = self._encryption, EncryptionPolicy.REQUIRED
        best_effort = encryption is ours is EncryptionPolicy.OPTIONAL
        is_sealed = leg.send_key is not None or wanted in {ours, encryption}
        # Who answered keys beside plain media is offered them in that form again; what is encrypted stays so.
        beside = leg_id in session.kept_beside if leg.send_key is not None else best_effort
        keys = session.keys_for(leg_id) if is_sealed or beside else ()
        (session.sealed.add if is_sealed else session.sealed.discard)(leg_id)
        (session.beside.add if beside else session.beside.discard)(leg_id)
        return self._describe(
            session,
            leg_id,
            lambda local: build_offer(local, event_type=number, codecs=codecs, keys=keys, beside_plain=beside),
        )

    async def accept_answer(self, session: PlaneSession, leg_id: str, sdp: str, profile: LegProfile) -> None:
        """See ``MediaPlane.accept_answer``."""
        leg = session.legs.get(leg_id)
        if leg is None:
            raise MediaError("no such leg")
        offered = session.offered.get(leg_id, NARROWBAND)
        sealed, beside = leg_id in session.sealed, leg_id in session.beside
        keys = session.keys_for(leg_id) if sealed or beside else ()
        audio = read_answer(
            sdp, event_type=event_type(leg), offered=offered, keys=keys, beside_plain=beside, may_be_plain=not sealed
        )
        check_reachable(audio, self._line.sdp_address)
        kept = audio.crypto is not None and not audio.is_secure_profile
        (session.kept_beside.add if kept else session.kept_beside.discard)(leg_id)
        key = None if audio.crypto is None else session.key(leg_id, audio.crypto.key.suite)
        await self._tell(session, described(leg, audio, profile, key))

    def _new(self, session: PlaneSession, leg_id: str) -> LegSpec:
        """A new leg, with a port if there is one at hand."""
        port = self._stock.take()
        if port:
            session.ports[leg_id] = port
        return LegSpec(leg_id, new_ssrc(), port=port)

    async def _tell(self, session: PlaneSession, leg: LegSpec) -> None:
        """Tell how a leg is now; media is waited for only where it must name the port."""
        before = session.legs.get(leg.leg_id)
        session.legs[leg.leg_id] = leg
        if leg.leg_id in session.ports:
            self._orders.post(session)
        else:
            await self._orders.put_or_undo(session, lambda: _restore(session.legs, leg.leg_id, before))

    def _describe(self, session: PlaneSession, leg_id: str, build: Callable[[LocalStream], str]) -> str:
        """Our description; its version goes up when it differs from the last one (RFC 3264 section 8)."""
        port = session.ports[leg_id]
        last = session.descriptions.get(leg_id)
        if last is None:
            local = LocalStream(self._line.sdp_address, port, random_bits(31), 1)
        else:
            if build(last[0]) == last[1]:
                return last[1]
            local = replace(last[0], version=last[0].version + 1)
        text = build(local)
        session.descriptions[leg_id] = (local, text)
        return text


def _restore(legs: dict[str, LegSpec], leg_id: str, before: LegSpec | None) -> None:
    if before is None:
        legs.pop(leg_id, None)
    else:
        legs[leg_id] = before
