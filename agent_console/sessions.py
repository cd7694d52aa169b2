"""Signed session tokens: nothing is stored for a session that goes well, so a restart of the web keeps everybody in.

A token is ``key_id.payload.mac``: the payload is JSON ``[user_id, issued_at, renewed_at, session_id]`` in unpadded
URL-safe base64, the mac HMAC-SHA256 over everything before it. The key id names the key that signed, so keys can be
changed without ending sessions. Instants are milliseconds since the epoch.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from agent_console.errors import NotSignedIn

MINUTE = 60_000
HOUR = 60 * MINUTE
LEAST_KEY_BYTES = 32
"""Half of SHA-256's block: shorter keys weaken HMAC-SHA256 (RFC 2104 section 3)."""
CLOCK_STEP_MS = 5 * MINUTE
"""A token from further in the future than this is refused: the clock was set back, or the token is odd."""
LONGEST_TOKEN = 1024
REVOKED_PER_USER = 32
"""Revoked sessions remembered one by one for each user; past that, everything the user opened so far ends."""
_PURPOSE = b"callcenter console session v1:"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of one person in one browser."""

    user_id: str
    issued_at: int
    renewed_at: int
    session_id: str
    """Random; not a secret by itself, since only the signed token opens anything."""


class Sessions:
    """Opens, reads, renews and revokes sessions.

    ``keys``: the first signs, all of them verify; at least 32 bytes each. ``lifetime_ms`` counts from the sign-in,
    ``idle_ms`` from the last renewal. Revocations are kept in memory until the revoked token would have expired anyway;
    ``on_revoked`` hears of each, so that somebody may ``restore`` them after a restart.
    """

    def __init__(self, keys: Sequence[bytes], *, lifetime_ms: int = 12 * HOUR, idle_ms: int = 4 * HOUR) -> None:
        if not keys or any(len(key) < LEAST_KEY_BYTES for key in keys):
            raise ValueError(f"a session key has at least {LEAST_KEY_BYTES} bytes")
        self._keys = {hashlib.sha256(_PURPOSE + key).hexdigest()[:8]: key for key in keys}
        self._signing_id = next(iter(self._keys))
        self.lifetime_ms = lifetime_ms
        self.idle_ms = idle_ms
        self._renew_after_ms = min(5 * MINUTE, idle_ms // 4)
        self._revoked: dict[str, dict[str, int]] = {}
        self._floors: dict[str, int] = {}
        self.on_revoked: Callable[[Session], None] = lambda session: None  # noqa: ARG005

    def open(self, user_id: str, *, now: int) -> str:
        """The token of a new session."""
        issued_at = max(now, self._floors.get(user_id, now - 1) + 1)
        return self._sign(Session(user_id, issued_at, issued_at, secrets.token_urlsafe(16)))

    def read(self, token: str, *, now: int) -> Session:
        """The session a token stands for. Raises ``NotSignedIn`` when it is forged, expired, idle or revoked."""
        session = self._verified(token)
        if not self.is_open(session, now=now) or now - session.renewed_at >= self.idle_ms:
            raise NotSignedIn("the session has ended")
        return session

    def is_open(self, session: Session, *, now: int) -> bool:
        """Whether a session, once read, is still within its lifetime and not revoked. Idleness is not looked at."""
        age = now - session.issued_at
        if not -CLOCK_STEP_MS <= age < self.lifetime_ms:
            return False
        if session.issued_at <= self._floors.get(session.user_id, -1):
            return False
        return session.session_id not in self._revoked.get(session.user_id, {})

    def renewed(self, session: Session, *, now: int) -> str | None:
        """A fresh token for the same session when the present one has aged enough to be worth it, else ``None``."""
        if now - session.renewed_at < self._renew_after_ms:
            return None
        return self._sign(Session(session.user_id, session.issued_at, now, session.session_id))

    def remaining_ms(self, session: Session, *, now: int) -> int:
        """How long the session may live on at most."""
        return max(0, session.issued_at + self.lifetime_ms - now)

    def revoke(self, session: Session, *, now: int) -> None:
        """End one session for good."""
        self.restore(session, now=now)
        self.on_revoked(session)

    def restore(self, session: Session, *, now: int) -> None:
        """Take in a revocation that was told before a restart."""
        revoked = self._revoked.setdefault(session.user_id, {})
        revoked[session.session_id] = session.issued_at
        if len(revoked) > REVOKED_PER_USER:
            self.revoke_user(session.user_id, now=now)
        self._forget_expired(now)

    def revoke_user(self, user_id: str, *, now: int) -> None:
        """End everything this user opened until now; what is opened later is not touched."""
        newest = max(self._revoked.pop(user_id, {}).values(), default=now)
        self._floors[user_id] = max(now, newest, self._floors.get(user_id, 0))

    def _forget_expired(self, now: int) -> None:
        oldest = now - self.lifetime_ms - CLOCK_STEP_MS
        self._floors = {user: floor for user, floor in self._floors.items() if floor > oldest}
        kept = {
            user: {session_id: issued_at for session_id, issued_at in revoked.items() if issued_at > oldest}
            for user, revoked in self._revoked.items()
        }
        self._revoked = {user: revoked for user, revoked in kept.items() if revoked}

    def _sign(self, session: Session) -> str:
        payload = msgspec.json.encode((session.user_id, session.issued_at, session.renewed_at, session.session_id))
        head = f"{self._signing_id}.{_encode(payload)}"
        return f"{head}.{_encode(_mac(self._keys[self._signing_id], head))}"

    def _verified(self, token: str) -> Session:
        head, _, mac = token.rpartition(".")
        key_id, _, payload = head.partition(".")
        key = self._keys.get(key_id)
        if key is None or len(token) > LONGEST_TOKEN or not token.isascii():
            raise NotSignedIn("not signed in")
        if not hmac.compare_digest(_encode(_mac(key, head)), mac):
            raise NotSignedIn("not signed in")
        return Session(*msgspec.json.decode(_decode(payload), type=tuple[str, int, int, str]))


def _mac(key: bytes, head: str) -> bytes:
    return hmac.new(key, _PURPOSE + head.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
