"""A customer's record as it goes over the wire, with its version."""

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.api.etags import mark
from crm_bridge.api.record_schemas import ProfileOut, RecordOut
from crm_bridge.api.schemas import CustomerSummary
from crm_bridge.catalogue import field_definitions
from crm_bridge.privacy_rules import SENSITIVE
from crm_bridge.profiles import load_record


async def record_out(session: AsyncSession, customer_id: int, response: Response) -> RecordOut:
    """All of the record but fields of a sensitive class; ``response`` gets its ETag. Raises ``CustomerNotFound``."""
    record = await load_record(session, customer_id)
    definitions = await field_definitions(session)
    mark(response, record.customer)
    shown = {
        code: value
        for code, value in record.profile.custom.items()
        if code in definitions and definitions[code].data_class not in SENSITIVE
    }
    profile = {name: getattr(record.profile, name) for name in ProfileOut.model_fields}
    return RecordOut.model_validate(
        CustomerSummary.model_validate(record.customer).model_dump()
        | {
            "profile": profile | {"custom": shown},
            "contact_points": record.contact_points,
            "identities": record.identities,
            "preferences": record.preferences,
            "personal_preferences": record.personal_preferences,
            "relations": record.relations,
            "owners": record.owners,
            "tags": record.tags,
            "level_badge": record.level,
            "merged_into": record.merged_into,
            "completeness": record.completeness,
        },
        from_attributes=True,
    )
