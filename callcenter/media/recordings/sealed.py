"""The encrypted form of a recording: a header in the clear, then AES-GCM records that are only ever appended.

```
file    = "CCREC" version(1) law(1) name-length(1) key-name salt(16) record*
record  = length(4, big-endian, of all that follows) last(1) nonce(12) ciphertext tag(16)
```

Each file has a key of its own, derived from the named key and the salt by HKDF (RFC 5869), and each record a random
nonce, so nothing is reused even when a record that was torn by a power cut is written anew. The header, the record's
number and the ``last`` mark are authenticated with each record: records cannot be changed, exchanged, moved to another
file or cut off at the end without being noticed. Pure.
"""

import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from callcenter.errors import MediaError
from callcenter.media.law import Law
from callcenter.media.recordings.keys import KEY_BYTES, KeyRing

MAGIC = b"CCREC"
VERSION = 1
LARGEST_RECORD = 1 << 20
_SALT_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_LENGTH = struct.Struct("!I")
_NUMBER = struct.Struct("!Q?")
_LAWS = {Law.PCMU: b"u", Law.PCMA: b"a"}
OVERHEAD = _LENGTH.size + 1 + _NONCE_BYTES + _TAG_BYTES
"""Bytes that a record has more than what it carries."""
LONGEST_HEADER = len(MAGIC) + 3 + 255 + _SALT_BYTES


class SealError(MediaError):
    """An encrypted recording is damaged or was changed."""

    code = "recording-damaged"


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens the records of one file."""

    header: bytes
    law: Law
    key_name: str
    _cipher: AESGCM

    @classmethod
    def new(cls, law: Law, keys: KeyRing) -> "Seal":
        """For a new file, with the present key."""
        name = keys.current.encode("ascii")
        salt = secrets.token_bytes(_SALT_BYTES)
        header = MAGIC + bytes([VERSION]) + _LAWS[law] + bytes([len(name)]) + name + salt
        return cls(header, law, keys.current, _cipher(keys, keys.current, salt))

    @classmethod
    def read(cls, start: bytes, keys: KeyRing) -> "Seal":
        """For the file that begins so (``LONGEST_HEADER`` bytes are enough). Raises ``SealError``, or
        ``RecordingKeyError`` when its key is not known."""
        prefix = len(MAGIC)
        laws = {mark: law for law, mark in _LAWS.items()}
        if len(start) < prefix + 3 or start[:prefix] != MAGIC or start[prefix] != VERSION:
            raise SealError("not an encrypted recording")
        law = laws.get(start[prefix + 1 : prefix + 2])
        name_end = prefix + 3 + start[prefix + 2]
        header = start[: name_end + _SALT_BYTES]
        if law is None or len(header) < name_end + _SALT_BYTES:
            raise SealError("the header of the recording is damaged")
        try:
            name = start[prefix + 3 : name_end].decode("ascii")
        except UnicodeDecodeError:
            raise SealError("the header of the recording is damaged") from None
        return cls(header, law, name, _cipher(keys, name, header[name_end:]))

    def seal(self, number: int, content: bytes, *, last: bool = False) -> bytes:
        """Record ``number`` with this content, ready to be appended."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = self._cipher.encrypt(nonce, content, self._binding(number, last))
        return _LENGTH.pack(1 + len(nonce) + len(body)) + bytes([last]) + nonce + body

    def open(self, number: int, record: bytes) -> bytes:
        """The content of record ``number``, given without its length. Raises ``SealError``."""
        nonce, body = record[1 : 1 + _NONCE_BYTES], record[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, self._binding(number, record[0] != 0))
        except (InvalidTag, ValueError, IndexError):
            raise SealError("a part of the recording is damaged") from None

    def _binding(self, number: int, last: bool) -> bytes:
        return self.header + _NUMBER.pack(number, last)


def record_length(start: bytes) -> int | None:
    """How many bytes follow the four that begin a record; ``None`` when that cannot be."""
    if len(start) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(start)
    return length if OVERHEAD - _LENGTH.size <= length <= LARGEST_RECORD else None


def _cipher(keys: KeyRing, name: str, salt: bytes) -> AESGCM:
    derive = HKDF(SHA256(), KEY_BYTES, salt, b"callcenter recording 1")
    return AESGCM(derive.derive(keys.key(name)))
