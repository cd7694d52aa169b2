"""Legs whose packets a compiled loop relays: their state in rows of numbers, moved there and back.

A leg is enrolled while nothing has to be done with its packets but to count them, and to stamp them and send them to
the one leg that hears it, if any does. As long as that is so the rows are the truth, and the objects are behind until
``refresh`` or ``withdraw``. Whatever is unusual withdraws it: the objects know what to do.
"""

import numpy as np
from numpy.typing import NDArray

from callcenter.media.mediad.checkpoint import SLOT_BYTES, Checkpoint
from callcenter.media.mediad.leg import RtpLeg

NOBODY = -1
INCOMING = np.dtype(
    [
        ("hearer", np.int64),  # row of the leg that is relayed to, if any
        ("number", np.int64),  # payload type that is relayed
        ("ssrc", np.int64),
        ("rate", np.int64),  # timestamp units in a millisecond
        ("highest", np.int64),  # extended sequence number
        ("received", np.int64),  # since the objects were brought up to date
        ("dropped", np.int64),  # since then
        ("jitter", np.float64),
        ("transit", np.int64),
        ("allowance", np.float64),
        ("allowance_at", np.int64),
        ("heard_at", np.int64),
        ("tapped", np.int64),  # whether it is recorded
    ]
)
"""What comes from a leg's far end."""
OUTGOING = np.dtype(
    [
        ("descriptor", np.int64),
        ("number", np.int64),  # payload type that is sent
        ("ssrc", np.int64),
        ("slot", np.int64),
        ("sequence", np.int64),
        ("timestamp", np.int64),
        ("first", np.int64),
        ("sequence_offset", np.int64),
        ("timestamp_offset", np.int64),
        ("at", np.int64),
        ("sent", np.int64),  # since the objects were brought up to date
        ("octets", np.int64),  # since then
    ]
)
"""What goes to a leg's far end."""
STAMPS = np.dtype(
    {
        "names": ["ssrc", "sequence", "wraps", "timestamp", "at"],
        "formats": ["<u4", "<u2", "<u2", "<u4", "<i8"],
        "offsets": [0, 4, 6, 8, 12],
        "itemsize": SLOT_BYTES,
    }
)
"""The slots of a checkpoint (``checkpoint.STAMP``)."""
_MOST_DESCRIPTORS = 1 << 16


class RelayRows:
    """The rows of one worker: each leg has one for each direction. ``now`` is monotonic, in milliseconds."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.incoming: NDArray[np.void] = np.zeros(64, INCOMING)
        self.outgoing: NDArray[np.void] = np.zeros(64, OUTGOING)
        self.by_descriptor: NDArray[np.int32] = np.full(_MOST_DESCRIPTORS, NOBODY, np.int32)
        """Row of an enrolled leg's socket."""
        self.stamps: NDArray[np.void] = np.frombuffer(checkpoint.memory, STAMPS)
        self._row_of: dict[RtpLeg, int] = {}
        self._leg_at: dict[int, RtpLeg] = {}
        self._free = list(range(len(self.incoming)))
        self._enrolled: dict[RtpLeg, RtpLeg | None] = {}
        """With the leg that each is relayed to."""

    def add(self, leg: RtpLeg) -> None:
        """A leg that may be enrolled from now on."""
        if leg.socket.fileno() >= _MOST_DESCRIPTORS:
            return
        if not self._free:
            size = len(self.incoming)
            self.incoming = np.concatenate([self.incoming, np.zeros(size, INCOMING)])
            self.outgoing = np.concatenate([self.outgoing, np.zeros(size, OUTGOING)])
            self._free = list(range(size, 2 * size))
        row = self._row_of[leg] = self._free.pop()
        self._leg_at[row] = leg

    def remove(self, leg: RtpLeg) -> None:
        """A leg that is closed or described anew. It and whoever is relayed to it are withdrawn."""
        self.withdraw(leg)
        for source in [source for source in leg.hears if self._enrolled.get(source) is leg]:
            self.withdraw(source)
        row = self._row_of.pop(leg, None)
        if row is not None:
            del self._leg_at[row]
            self._free.append(row)

    def hear(self, row: int, ssrc: int, timestamp: int, payload: bytes, *, now: int) -> None:
        """Record what an enrolled leg said."""
        leg = self._leg_at[row]
        law = leg.spoken_law
        if law is not None:
            leg.hear_relayed(ssrc, timestamp, payload, law, now=now)

    @property
    def enrolled(self) -> int:
        """How many legs are enrolled."""
        return len(self._enrolled)

    def look_at(self, leg: RtpLeg, *, now: int) -> None:
        """Enrol a leg whose time has come, withdraw one whose time is over."""
        hearer = leg.relays[0] if leg.relays else None
        may = leg.is_plain(now) and leg in self._row_of and (hearer is None or hearer in self._row_of)
        if may and leg in self._enrolled and self._enrolled[leg] is hearer:
            return
        self.withdraw(leg)
        if may:
            self._enrol(leg, hearer)

    def withdraw(self, leg: RtpLeg) -> None:
        """From now on the objects are the truth."""
        if leg in self._enrolled:
            self.refresh(leg)
            self.by_descriptor[leg.socket.fileno()] = NOBODY
            del self._enrolled[leg]

    def refresh(self, leg: RtpLeg) -> None:
        """Bring the objects up to date with a leg that stays enrolled."""
        if leg not in self._enrolled:
            return
        index, hearer = self._row_of[leg], self._enrolled[leg]
        _, _, _, _, highest, received, dropped, jitter, transit, allowance, allowance_at, heard_at, _ = self.incoming[
            index
        ].item()
        if received or dropped:
            leg.catch_up(
                received, dropped, highest,
                transit=(jitter, transit), allowance=(allowance, allowance_at), heard_at=heard_at,
            )  # fmt: skip
            self.incoming["received"][index] = self.incoming["dropped"][index] = 0
        if hearer is None:
            return
        hearing = self._row_of[hearer]
        _, _, _, _, sequence, timestamp, first, _, _, at, sent, octets = self.outgoing[hearing].item()
        hearer.sender.stream.catch_up(sequence, timestamp, first, at=at)
        if sent:
            hearer.sender.catch_up(sent, octets)
            self.outgoing["sent"][hearing] = self.outgoing["octets"][hearing] = 0

    def _enrol(self, leg: RtpLeg, hearer: RtpLeg | None) -> None:
        index, hearing = self._row_of[leg], NOBODY if hearer is None else self._row_of[hearer]
        inlet, sender, reception = leg.inlet, (hearer or leg).sender, leg.reports.reception
        assert reception is not None  # noqa: S101 - a plain leg has been heard
        allowance, allowance_at = inlet.allowance
        self.incoming[index] = (
            hearing, leg.number_of(sender.codec), reception.ssrc, leg.reports.rate, reception.highest, 0, 0,
            reception.jitter,
            NOBODY if reception.transit is None else reception.transit, allowance, allowance_at, inlet.heard_at,
            bool(leg.taps),
        )  # fmt: skip
        if hearer is not None:
            stream = sender.stream
            self.outgoing[hearing] = (
                hearer.socket.fileno(), sender.spec.send_payload_type, stream.ssrc, hearer.slot, stream.sequence,
                stream.timestamp, *stream.relaying, stream.at, 0, 0,
            )  # fmt: skip
        self._enrolled[leg] = hearer
        self.by_descriptor[leg.socket.fileno()] = index
