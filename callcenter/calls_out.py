"""Calls out of this day, counted again from the journal at the start: so daily caps hold over restarts.

The journal names every call out twice at most: as a call of its own, or as a segment to a number. A number that joined
from another call of the same phone was counted there. Numbers that a far end's redirection led to are not journaled;
they count as the call that was redirected.
"""

from collections.abc import Iterator, Sequence

from callcenter.calls.facts import CallArrived, NumberConnected, SegmentOpened
from callcenter.calls.segments import SegmentKind, TargetKind
from callcenter.journal import JournalRow
from callcenter.recovery import JournalRows
from callcenter.sip.numbering import NumberingRules

KINDS = ("call.arrived", "call.segment_opened", "call.number_connected")


def resume_caps(rules: NumberingRules, reader: JournalRows, now: int) -> int:
    """Count what was called since the site's midnight; returns how many calls that were. Blocking."""
    after = reader.seq_before(rules.caps.day_begins(now))
    made = list(calls_out(reader.read(after=after, kinds=KINDS)))
    for agent_id, number in made:
        rules.made_before(agent_id, number, now)
    return len(made)


def calls_out(rows: Sequence[JournalRow]) -> Iterator[tuple[str, str]]:
    """Who called which number, by the journal; the agent is empty for the house."""
    joined = {(row.entry.contact_id, row.at) for row in rows if isinstance(row.entry, NumberConnected)}
    for row in rows:
        match row.entry:
            case CallArrived(direction=SegmentKind.OUTBOUND, agent_id=agent_id, called=number):
                yield agent_id, number
            case SegmentOpened(target_kind=TargetKind.NUMBER) as opened if (opened.contact_id, row.at) not in joined:
                yield opened.by_agent_id, opened.target
            case _:
                pass
