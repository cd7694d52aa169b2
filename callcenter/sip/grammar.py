"""The few scanners every SIP header is read with (RFC 3261 section 25). Each walks its text once."""

from collections.abc import Iterable

from callcenter.sip.errors import BadMessage, UnsafeValue

TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~"  # noqa: S105 - a grammar rule
"""The characters of a token (RFC 3261 section 25.1)."""

LWS = " \t\r\n"

COMMON_PARAMS = frozenset({"branch", "expires", "lr", "received", "rport", "tag", "transport", "user"})
"""Parameter names met in almost every message; they need no checking."""

MAX_UINT32 = 2**32 - 1

Params = tuple[tuple[str, str | None], ...]
"""Parameters in order: lower-case name and value as written (quotes kept), ``None`` for a parameter without value."""


def is_token(text: str) -> bool:
    """Whether the text is a non-empty token. ``strip`` ends at the first foreign character, so this is one pass."""
    return bool(text) and not text.strip(TOKEN)


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside quoted strings and angle brackets.

    Raises ``BadMessage`` when a quote or a bracket stays open.
    """
    if '"' not in text and "<" not in text:
        return text.split(separator)
    parts: list[str] = []
    start = index = 0
    end = len(text)
    bracketed = False
    while index < end:
        char = text[index]
        if char == '"':
            index = end_of_quoted(text, index)
            continue
        if char == "<":
            bracketed = True
        elif char == ">":
            bracketed = False
        elif char == separator and not bracketed:
            parts.append(text[start:index])
            start = index + 1
        index += 1
    if bracketed:
        raise BadMessage(400, "Open angle bracket")
    parts.append(text[start:])
    return parts


def end_of_quoted(text: str, start: int) -> int:
    """The index after the quoted string that opens at ``start``. Raises ``BadMessage`` when it never closes."""
    index = start + 1
    while True:
        index = text.find('"', index)
        if index < 0:
            raise BadMessage(400, "Open quoted string")
        escapes = 0
        while text[index - 1 - escapes] == "\\" and index - 1 - escapes > start:
            escapes += 1
        index += 1
        if escapes % 2 == 0:
            return index


def unquote(text: str) -> str:
    """The content of a quoted string with its escapes resolved; any other text unchanged."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    pieces: list[str] = []
    index = 0
    while index < len(inner):
        if inner[index] == "\\" and index + 1 < len(inner):
            index += 1
        pieces.append(inner[index])
        index += 1
    return "".join(pieces)


def quote(text: str) -> str:
    """The text as a quoted string. Raises ``UnsafeValue`` for control characters."""
    check_clean(text, "quoted string")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_params(text: str) -> Params:
    """Parameters from what follows the first semicolon. Raises ``BadMessage`` for an empty or misnamed one."""
    if ";" not in text and '"' not in text:
        name, equals, value = text.partition("=")
        if name in COMMON_PARAMS:
            return ((name, value.strip() if equals else None),)
    params: list[tuple[str, str | None]] = []
    for part in text.split(";") if '"' not in text else split_outside(text, ";"):
        name, equals, value = part.partition("=")
        if name not in COMMON_PARAMS:
            name = name.strip(LWS)
            if not name or name.strip(TOKEN):
                raise BadMessage(400, "Bad parameter")
            name = name.lower()
        params.append((name, value.strip() if equals else None))
    return tuple(params)


def param(params: Params, name: str) -> str | None:
    """The first value of a parameter: ``None`` when absent, an empty string when it has no value."""
    for key, value in params:
        if key == name:
            return value if value is not None else ""
    return None


def render_params(params: Params) -> str:
    """Parameters as they go on the wire, each with its leading semicolon."""
    return "".join(f";{name}={value}" if value is not None else f";{name}" for name, value in params)


def parse_number(text: str, what: str, limit: int = MAX_UINT32) -> int:
    """A decimal number of ASCII digits not above ``limit``. Raises ``BadMessage``; long texts never become integers."""
    if len(text) < 10 and text.isdigit() and text.isascii() and (number := int(text)) <= limit:
        return number
    text = text.strip(LWS)
    if not (text.isascii() and text.isdigit()):
        raise BadMessage(400, f"Bad {what}")
    digits = text.lstrip("0")
    if len(digits) > 10 or int(digits or "0") > limit:
        raise BadMessage(400, f"{what} out of range")
    return int(digits or "0")


def is_clean(text: str) -> bool:
    """Whether a text is plain: what is not may still be fit for a header, see ``check_clean``."""
    return text.isascii() and text.isprintable()


def check_clean(text: str, what: str) -> str:
    """The text itself when it may go into a header. Raises ``UnsafeValue`` for any control character but tab."""
    if text.isascii() and text.isprintable():
        return text
    for char in text:
        if (char < " " and char != "\t") or char == "\x7f" or "\x80" <= char <= "\x9f":
            raise UnsafeValue(what)
    return text


def clean_text(text: str, limit: int = 128) -> str:
    """Text from the wire made fit for people: stray bytes read as Latin-1, no control characters, bounded."""
    if text.isascii() and text.isprintable():
        return text.strip()[:limit]
    if not text.isascii():
        text = "".join(chr(ord(char) - 0xDC00) if "\udc80" <= char <= "\udcff" else char for char in text)
    kept = (char for char in text if char.isprintable())
    return "".join(kept).strip()[:limit]


def join_list(values: Iterable[str]) -> str:
    """Header values joined to one list."""
    return ", ".join(values)
