"""Handing on: whether whoever gets the customer was asked before, and whether it was a queue. A fold of facts. Pure."""

from callcenter.calls.facts import CallConnected, CallEnded, NumberConnected, SegmentEnded, SegmentOpened
from callcenter.calls.segments import SegmentKind, SegmentResult, TargetKind
from callcenter.reporting.postings import Measure

_TO_HAND_ON = frozenset({SegmentKind.TRANSFER, SegmentKind.CONSULT})


class HandingOn:
    """Whom agents seek in calls that are up. Of a call in which nobody is sought nothing is kept."""

    def __init__(self) -> None:
        self._sought: dict[str, dict[str, SegmentOpened]] = {}
        """By call, by the conversation for which somebody is sought: the newest."""
        self._reached: dict[str, set[str]] = {}
        """By call: segments in which somebody was reached."""

    def take(self, fact: object) -> None:
        """Fold one fact."""
        match fact:
            case SegmentOpened(call_id=call_id, kind=kind) if kind in _TO_HAND_ON:
                self._sought.setdefault(call_id, {})[fact.parent_id or call_id] = fact
            case CallConnected(call_id=call_id) | NumberConnected(call_id=call_id) if call_id in self._sought:
                self._reached.setdefault(call_id, set()).add(fact.contact_id)
            case CallEnded(call_id=call_id):
                self._sought.pop(call_id, None)
                self._reached.pop(call_id, None)
            case _:
                pass

    def counted(self, fact: SegmentEnded) -> tuple[Measure, ...]:
        """What the end of a conversation counts as; nothing when the customer was not handed on by it."""
        if fact.result is not SegmentResult.TRANSFERRED:
            return ()
        sought = self._sought.get(fact.call_id, {}).get(fact.contact_id or fact.call_id)
        if sought is None:
            return (Measure.TRANSFERRED,)
        was_asked = sought.kind is SegmentKind.CONSULT and sought.contact_id in self._reached.get(fact.call_id, ())
        return (
            Measure.TRANSFERRED,
            *((Measure.TRANSFERRED_CONSULTED,) if was_asked else ()),
            *((Measure.TRANSFERRED_TO_QUEUE,) if sought.target_kind is TargetKind.QUEUE else ()),
        )
