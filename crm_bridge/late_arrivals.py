"""What the journal tells of a person who has been erased: the call that was going on then, a message that was taken off
the shelf for it, whatever was read before the journal was blank.

It is written as the erasure left everything else, without the person, and its call is put on the list of those that are
blanked in the journal.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.journal_erasures import ask_for
from crm_bridge.models import Customer, ErasureReceipt, Interaction, SurveyResponse, WrapUp
from crm_bridge.models.base import utc_now
from crm_bridge.parties import PARTY
from crm_bridge.ready_queries import ReadyQuery
from crm_bridge.recordings import release_of
from crm_bridge.vocabulary import CustomerStatus
from crm_bridge.voicemails import blank_voicemails

_KEYS_IN_A_QUERY = 500
_ANYBODY_ERASED = ReadyQuery(select(ErasureReceipt.id).limit(1))


async def blank_late_arrivals(session: AsyncSession, contact_ids: Iterable[str]) -> int:
    """Blank what was just written about these contacts, and about other parts of calls that are named, where their
    customer has been erased; how many contacts. A survey names its call, whoever was in which part of it."""
    if not await _ANYBODY_ERASED.rows(session):
        return 0
    wanted = sorted(set(contact_ids))
    blank = 0
    for start in range(0, len(wanted), _KEYS_IN_A_QUERY):
        blank += await _blank(session, wanted[start : start + _KEYS_IN_A_QUERY])
    return blank


async def _blank(session: AsyncSession, contact_ids: Sequence[str]) -> int:
    of_contacts = Interaction.contact_id.in_(contact_ids)
    later_parts = Interaction.call_id.in_(contact_ids) & (Interaction.contact_id != Interaction.call_id)
    query = (
        select(Interaction.contact_id, Interaction.call_id, Interaction.customer_id)
        .join(Customer, Customer.id == Interaction.customer_id)
        .where(or_(of_contacts, later_parts), Customer.status == CustomerStatus.ERASED)
    )
    rows = (await session.execute(query)).all()
    late = {row.contact_id: row.customer_id for row in rows}
    if not late:
        return 0
    theirs = Interaction.contact_id.in_(sorted(late))
    now = utc_now()
    for direction, party in PARTY.items():
        await session.execute(update(Interaction).where(theirs, Interaction.direction == direction).values(**party))
    await session.execute(update(WrapUp).where(WrapUp.contact_id.in_(sorted(late))).values(notes=""))
    calls = sorted({*late, *(row.call_id for row in rows)})
    await session.execute(update(SurveyResponse).where(SurveyResponse.call_id.in_(calls)).values(comment=None))
    customers = sorted({customer_id for customer_id in late.values() if customer_id is not None})
    await blank_voicemails(session, customers)
    await release_of(session, customers, now=now)
    for customer_id in customers:
        await ask_for(session, theirs & (Interaction.customer_id == customer_id), customer_id, now)
    return len(late)
