"""Numbers of identity cards: kept as keyed digests, so that two can be told to be the same and none can be read.

Other names elsewhere (member numbers, messaging ids) are kept as they are.
"""

import unicodedata
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.errors import InvalidField
from crm_bridge.secrets_of_store import digest, secret

DIGESTED = frozenset({"id_card"})
"""Providers whose numbers nobody needs to read."""
IDENTITY_KEY = "identity"
SHORTEST = 5
"""Letters and digits. What is shorter is a mark for no number ("none", "-"): all who have it would be one person."""


def normal_number(text: str) -> str:
    """The number as it is compared: one width, one case, letters and digits alone. Pure."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in plain if each.isalnum())


def check_number(text: str) -> None:
    """Raise ``InvalidField`` for what is no number of an identity card. Pure; the message does not repeat it."""
    if len(normal_number(text)) < SHORTEST:
        raise InvalidField(f"the number of an identity card has {SHORTEST} letters or digits at least", where="id_card")


async def stored_form(session: AsyncSession, provider: str, external_id: str, *, create: bool) -> str:
    """How a number of this provider stands in the store; ``create``: whether the key may be made.

    Raises ``InvalidField`` for an identity card whose number is none.
    """
    name = (provider, external_id)
    return (await stored_forms(session, [name], create=create))[name]


async def stored_forms(
    session: AsyncSession, names: Iterable[tuple[str, str]], *, create: bool
) -> dict[tuple[str, str], str]:
    """The same for many, each a provider and a number."""
    plain = {name: name[1] for name in names}
    digested = [name for name in plain if name[0] in DIGESTED]
    if not digested:
        return plain
    for _, external_id in digested:
        check_number(external_id)
    key = await secret(session, IDENTITY_KEY, create=create)
    return plain | {name: digest(key, normal_number(name[1])) for name in digested}
