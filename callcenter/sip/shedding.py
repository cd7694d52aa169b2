"""Refusing a new call at the least cost: a 503 made of the request's own lines, without reading the rest of it. Pure.

While overloaded, what is spent on refusals is missing for the calls that were accepted. Whatever is not of the plain
form that almost every INVITE has goes the long way and gets the same answer there.
"""

from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow
from callcenter.sip.via import Via, parse_via

INVITE = b"INVITE "
SHED_TAG = "shed."
"""What our To tag in such an answer begins with, so that its ACK is known without reading it."""
_ACK_MARK = f";tag={SHED_TAG}".encode()
_HEAD_LIMIT = 8_192
_NAMES = {
    b"via": b"Via",
    b"v": b"Via",
    b"from": b"From",
    b"f": b"From",
    b"to": b"To",
    b"t": b"To",
    b"call-id": b"Call-ID",
    b"i": b"Call-ID",
    b"cseq": b"CSeq",
}


def is_ack_of_shed(data: bytes) -> bool:
    """Whether this is the ACK to a 503 of ours: it ends what was never begun."""
    return data.startswith(b"ACK ") and _ACK_MARK in data[:_HEAD_LIMIT]


def called_user(data: bytes) -> str | None:
    """The user part of an INVITE's Request-URI, ``None`` where it is not plain."""
    end = data.find(b" ", len(INVITE), 300)
    scheme, _, rest = data[len(INVITE) : end].partition(b":")
    user = rest.partition(b"@")[0]
    return user.decode("ascii") if scheme in {b"sip", b"sips"} and user.isascii() and b"%" not in user else None


def shed(data: bytes, flow: Flow, tag: str, retry_after: int) -> tuple[bytes, Via] | None:
    """The 503 to a new INVITE, and its top Via for the way back; ``None`` when the INVITE must be read the long way.

    That is an INVITE inside a dialog, and every unusual form: folded lines, several values in one Via line, a branch
    of RFC 2543, a mandatory header that is missing or there twice.
    """
    end = data.find(b"\r\n\r\n", 0, _HEAD_LIMIT)
    if end < 0:
        return None
    vias: list[bytes] = []
    found: dict[bytes, bytes] = {}
    for line in data[:end].split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if not colon or name[:1] in b" \t":
            return None
        known = _NAMES.get(name.lower())
        if known is None:
            continue
        if known == b"Via":
            vias.append(value.strip())
        elif known in found:
            return None
        else:
            found[known] = value.strip()
    if not vias or len(found) != 4 or any(b"," in via or not via.isascii() for via in vias):
        return None
    if b"tag=" in found[b"To"].lower() or not found[b"CSeq"].endswith(b" INVITE"):
        return None
    try:
        top = parse_via(vias[0].decode("ascii"))
    except BadMessage:
        return None
    if not top.has_unique_branch:
        return None
    lines = [b"SIP/2.0 503 Service Unavailable", b"Via: " + str(top.with_source(*flow.remote)).encode()]
    lines += [b"Via: " + via for via in vias[1:]]
    lines += [b"From: " + found[b"From"], b"To: " + found[b"To"] + f";tag={SHED_TAG}{tag}".encode()]
    lines += [b"Call-ID: " + found[b"Call-ID"], b"CSeq: " + found[b"CSeq"]]
    lines += [b"Retry-After: %d" % retry_after, b"Content-Length: 0", b"", b""]
    return b"\r\n".join(lines), top
