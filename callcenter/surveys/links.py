"""Signed links to the page on which a customer answers. Pure.

A link names the contact and proves that the house made it; when it ends, and whether it was used, is known where the
survey is kept.
"""

import base64
import hashlib
import hmac
import re

PATH = "/s/"
_DIGEST_BYTES = 12
_PERSON = b"survey link"
_CONTACT = re.compile(r"[A-Za-z0-9._~-]{1,100}")


def token(call_id: str, key: bytes) -> str:
    """What stands behind ``PATH``."""
    return f"{call_id}~{_signature(call_id, key)}"


def contact_of(told: str, key: bytes) -> str | None:
    """The contact of a token; ``None`` for what this house did not make."""
    call_id, _, signed = told.rpartition("~")
    if not _CONTACT.fullmatch(call_id):
        return None
    return call_id if hmac.compare_digest(signed.encode(), _signature(call_id, key).encode()) else None


def _signature(call_id: str, key: bytes) -> str:
    made = hashlib.blake2b(call_id.encode(), key=key, person=_PERSON, digest_size=_DIGEST_BYTES).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
