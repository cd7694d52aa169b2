"""Digest authentication, both roles (RFC 7616, RFC 8760 for SIP, RFC 2617 for old phones). Pure.

Nonces carry their own time and signature, so a challenge leaves no state behind; only nonces that were used with the
right password are remembered, to refuse their replay.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import LWS, is_token, quote, split_outside, unquote

ALGORITHMS: dict[str, str] = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
"""Digest names by RFC 7616 to names of hashlib."""

DEFAULT_OFFER = ("SHA-256", "MD5")
"""What is offered, best first (RFC 8760 section 2.4)."""


def _hash(algorithm: str, text: str | bytes) -> str:
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return hashlib.new(ALGORITHMS[algorithm], data, usedforsecurity=False).hexdigest()


def ha1(username: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """What is stored instead of a password: the hash of ``username:realm:password`` (RFC 7616 section 3.4.2)."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


@dataclass(frozen=True, slots=True)
class DigestParams:
    """What an Authorization header says. ``qop`` is empty for RFC 2069 clients."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    nc: str = ""
    cnonce: str = ""
    opaque: str = ""


def compute_response(params: DigestParams, secret: str, method: str, body: bytes = b"") -> str:
    """The response value from an HA1 (RFC 7616 section 3.4.1). Raises ``BadMessage`` for an unknown algorithm."""
    base = params.algorithm.removesuffix("-sess")
    if base not in ALGORITHMS:
        raise BadMessage(400, "Unknown digest algorithm")
    if params.algorithm.endswith("-sess"):
        secret = _hash(base, f"{secret}:{params.nonce}:{params.cnonce}")
    a2 = f"{method}:{params.uri}"
    if params.qop == "auth-int":
        a2 += f":{_hash(base, body)}"
    middle = f"{params.nonce}:{params.nc}:{params.cnonce}:{params.qop}" if params.qop else params.nonce
    return _hash(base, f"{secret}:{middle}:{_hash(base, a2)}")


def parse_fields(value: str) -> dict[str, str] | None:
    """The fields of a Digest challenge or credential by lower-case name.

    ``None`` for another scheme. Raises ``BadMessage``.
    """
    scheme, _, rest = value.strip(LWS).partition(" ")
    if scheme.lower() != "digest":
        return None
    fields: dict[str, str] = {}
    for part in split_outside(rest, ","):
        name, equals, text = part.partition("=")
        name = name.strip(LWS).lower()
        if not equals or not is_token(name) or name in fields:
            raise BadMessage(400, "Bad digest")
        fields[name] = unquote(text.strip(LWS))
    return fields


def parse_credentials(value: str) -> DigestParams | None:
    """An Authorization header taken apart, ``None`` for another scheme. Raises ``BadMessage``."""
    fields = parse_fields(value)
    if fields is None:
        return None
    try:
        algorithm = fields.get("algorithm", "MD5")
        names = {name.lower(): name for base in ALGORITHMS for name in (base, f"{base}-sess")}
        return DigestParams(
            username=fields["username"],
            realm=fields["realm"],
            nonce=fields["nonce"],
            uri=fields["uri"],
            response=fields["response"].lower(),
            algorithm=names.get(algorithm.lower(), algorithm),
            qop=fields.get("qop", "").lower(),
            nc=fields.get("nc", ""),
            cnonce=fields.get("cnonce", ""),
            opaque=fields.get("opaque", ""),
        )
    except KeyError as missing:
        raise BadMessage(400, f"Digest without {missing.args[0]}") from None


class Verdict(StrEnum):
    """What a credential is worth."""

    GRANTED = "granted"
    ABSENT = "absent"
    """No Digest credential for this realm."""
    STALE = "stale"
    """The nonce is not one of ours for this address, is old or was used before: ask again with ``stale=true``."""
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Checked:
    """A verdict and, when granted, whose it is."""

    verdict: Verdict
    username: str = ""


class NonceWindow:
    """Which counts of which nonces were used: 64 counts behind the highest, for at most ``capacity`` nonces."""

    WIDTH = 64

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._used: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def use(self, nonce: str, count: int) -> bool:
        """Note one use; ``False`` when that count was used before or is too far behind to tell."""
        highest, mask = self._used.get(nonce, (0, 0))
        if count > highest:
            mask = ((mask << (count - highest)) | 1) & ((1 << self.WIDTH) - 1) if count - highest < self.WIDTH else 1
            highest = count
        else:
            bit = 1 << (highest - count)
            if highest - count >= self.WIDTH or mask & bit:
                return False
            mask |= bit
        self._used[nonce] = (highest, mask)
        self._used.move_to_end(nonce)
        if len(self._used) > self._capacity:
            self._used.popitem(last=False)
        return True


Secrets = Callable[[str, str], str | None]
"""From user name and algorithm to the stored HA1."""


class DigestGuard:
    """Challenges requests and judges the answers. ``secret`` signs nonces; every process that shares it can verify."""

    def __init__(
        self,
        realm: str,
        secret: bytes,
        *,
        offer: Sequence[str] = DEFAULT_OFFER,
        lifetime_ms: int = 300_000,
        require_qop: bool = False,
    ) -> None:
        self.realm = realm
        self._secret = secret
        self._offer = tuple(offer)
        self._lifetime = lifetime_ms
        self._require_qop = require_qop
        self._window = NonceWindow()

    def _signature(self, stamp: bytes, peer: str) -> bytes:
        return hmac.digest(self._secret, f"nonce:{self.realm}:{peer}:".encode() + stamp, "sha256")[:16]

    def nonce(self, now: int, salt: bytes, peer: str) -> str:
        """A fresh nonce for one address; ``salt`` is 8 random octets that make it unique within a millisecond."""
        stamp = now.to_bytes(8, "big") + salt[:8]
        return urlsafe_b64encode(stamp + self._signature(stamp, peer)).decode().rstrip("=")

    def nonce_age(self, nonce: str, now: int, peer: str) -> int | None:
        """Milliseconds since we made this nonce for this address, ``None`` when we did not."""
        try:
            raw = urlsafe_b64decode(nonce.encode() + b"=" * (-len(nonce) % 4))
        except (ValueError, UnicodeEncodeError):
            return None
        stamp, signature = raw[:16], raw[16:]
        if len(raw) != 32 or not hmac.compare_digest(signature, self._signature(stamp, peer)):
            return None
        return now - int.from_bytes(stamp[:8], "big")

    def challenges(self, now: int, salt: bytes, peer: str, *, stale: bool = False) -> list[str]:
        """Values for WWW-Authenticate, one for each offered algorithm, best first; good for this address only."""
        nonce = self.nonce(now, salt, peer)
        suffix = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote(self.realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{suffix}'
            for algorithm in self._offer
        ]

    def check(
        self, values: Sequence[str], method: str, body: bytes, secrets: Secrets, now: int, *, peer: str
    ) -> Checked:
        """Judge the Authorization values of a request from this address. Raises ``BadMessage``.

        The nonce is looked at first: with a foreign one nothing is guessed and nothing learnt. Then the work is the
        same for known and unknown users.
        """
        params = next((p for value in values if (p := parse_credentials(value)) and p.realm == self.realm), None)
        if params is None:
            return Checked(Verdict.ABSENT)
        base = params.algorithm.removesuffix("-sess")
        if base not in self._offer or params.qop not in {"", "auth", "auth-int"}:
            return Checked(Verdict.DENIED)
        if self._require_qop and not params.qop:
            return Checked(Verdict.DENIED)
        age = self.nonce_age(params.nonce, now, peer)
        if age is None or not 0 <= age <= self._lifetime:
            return Checked(Verdict.STALE)
        nobodys = ha1(params.username, self.realm, "", base)  # made for everybody: what it costs tells nothing
        stored = secrets(params.username, base)
        expected = compute_response(params, nobodys if stored is None else stored, method, body)
        matches = hmac.compare_digest(expected.encode(), params.response.encode("utf-8", "surrogateescape"))
        if stored is None or not matches:
            return Checked(Verdict.DENIED)
        if not self._window.use(params.nonce, _count(params)):
            return Checked(Verdict.STALE)
        return Checked(Verdict.GRANTED, params.username)


def _count(params: DigestParams) -> int:
    if not params.qop:
        return 1  # without a count a nonce is good for one use
    try:
        return int(params.nc[:8], 16)
    except ValueError:
        raise BadMessage(400, "Bad nonce count") from None


def answer_challenge(
    challenges: Sequence[str], *, method: str, uri: str, username: str, password: str, cnonce: str, body: bytes = b""
) -> str | None:
    """The Authorization value for the first challenge we can meet, else ``None`` (RFC 8760 section 2.4)."""
    for value in challenges:
        fields = parse_fields(value)
        if fields is None or "nonce" not in fields or "realm" not in fields:
            continue
        algorithm = next((a for a in ALGORITHMS if a.lower() == fields.get("algorithm", "MD5").lower()), None)
        offered = [option.strip().lower() for option in fields.get("qop", "").split(",") if option.strip()]
        if algorithm is None or (offered and "auth" not in offered):
            continue
        params = DigestParams(
            username=username,
            realm=fields["realm"],
            nonce=fields["nonce"],
            uri=uri,
            response="",
            algorithm=algorithm,
            qop="auth" if offered else "",
            nc="00000001" if offered else "",
            cnonce=cnonce if offered else "",
            opaque=fields.get("opaque", ""),
        )
        response = compute_response(params, ha1(username, params.realm, password, algorithm), method, body)
        return render_credentials(params, response)
    return None


def render_credentials(params: DigestParams, response: str) -> str:
    """An Authorization value as it goes on the wire."""
    text = (
        f"Digest username={quote(params.username)}, realm={quote(params.realm)}, nonce={quote(params.nonce)}, "
        f'uri={quote(params.uri)}, response="{response}", algorithm={params.algorithm}'
    )
    if params.qop:
        text += f', qop={params.qop}, nc={params.nc}, cnonce="{params.cnonce}"'
    if params.opaque:
        text += f", opaque={quote(params.opaque)}"
    return text
