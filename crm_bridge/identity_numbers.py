"""Numbers of identity cards: kept as keyed digests, so that two can be told to be the same and none can be read.

Other names elsewhere (member numbers, messaging ids) are kept as they are.
"""

import unicodedata

from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.secrets_of_store import digest, secret

DIGESTED = frozenset({"id_card"})
"""Providers whose numbers nobody needs to read."""
IDENTITY_KEY = "identity"


def normal_number(text: str) -> str:
    """The number as it is compared: one width, one case, letters and digits alone. Pure."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in plain if each.isalnum())


async def stored_form(session: AsyncSession, provider: str, external_id: str, *, create: bool) -> str:
    """How a number of this provider stands in the store; ``create``: whether the key may be made."""
    if provider not in DIGESTED:
        return external_id
    return digest(await secret(session, IDENTITY_KEY, create=create), normal_number(external_id))
