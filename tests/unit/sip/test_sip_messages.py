import csv
import random
import string
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.sip.addresses import NameAddress, parse_address, parse_addresses
from callcenter.sip.errors import BadMessage, UnsafeValue
from callcenter.sip.grammar import clean_text, quote, split_outside, unquote
from callcenter.sip.messages import SipRequest, SipResponse, build_request, build_response
from callcenter.sip.parser import MAX_HEADERS, MAX_LINE, MAX_MESSAGE, parse
from callcenter.sip.uri import Uri, escape_user, parse_uri
from callcenter.sip.via import parse_via

pytestmark = pytest.mark.unit

TORTURE = Path(__file__).parents[3].parent / "shared" / "data" / "sip_torture"
needs_torture = pytest.mark.skipif(not TORTURE.exists(), reason="../shared/data/sip_torture is not here")

PARSER_SAYS = {
    "badinv01.dat": 400,
    "clerr.dat": 400,
    "ncl.dat": 400,
    "scalar02.dat": 400,
    "scalarlg.dat": 400,
    "quotbal.dat": 400,
    "ltgtruri.dat": 400,
    "lwsruri.dat": 400,
    "lwsstart.dat": 400,
    "trws.dat": 400,
    "escruri.dat": 400,
    "regbadct.dat": 400,
    "badaspec.dat": 400,
    "baddn.dat": 400,
    "badvers.dat": 505,
    "mismatch01.dat": 400,
    "mismatch02.dat": 501,
    "bigcode.dat": 400,
    "insuf.dat": 400,
    "multi01.dat": 400,
    "mcl01.dat": 400,
}
"""The verdicts of RFC 4475 that are the parser's; the others depend on what the agent serves."""


def torture_names() -> list[str]:
    if not TORTURE.exists():
        return []
    with (TORTURE / "rfc4475_expected.csv").open(encoding="utf-8") as table:
        return [row["file"] for row in csv.DictReader(table)]


def read_everything(message: SipRequest | SipResponse) -> None:
    """Every typed header the product reads."""
    _ = (message.via, message.vias(), message.from_, message.to, message.cseq, message.call_id, message.contacts)
    for name in ("route", "record-route", "p-asserted-identity"):
        message.addresses(name)
    for name in ("require", "supported", "accept"):
        message.listed(name)


def request(*lines: str, start: str = "OPTIONS sip:b@example.com SIP/2.0", body: str = "") -> bytes:
    head = [
        "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK77",
        "From: <sip:a@example.com>;tag=1",
        "To: <sip:b@example.com>",
        "Call-ID: one",
        "CSeq: 1 " + start.split(" ", maxsplit=1)[0],
        "Max-Forwards: 70",
    ]
    return ("\r\n".join([start, *head, *lines]) + "\r\n\r\n" + body).encode()


@needs_torture
@pytest.mark.parametrize("name", torture_names())
def test_a_torture_message_is_judged_as_the_rfc_asks(name):
    data = (TORTURE / "rfc4475" / name).read_bytes()
    if name in PARSER_SAYS:
        with pytest.raises(BadMessage) as caught:
            read_everything(parse(data))
        assert caught.value.status == PARSER_SAYS[name]
    else:
        message = parse(data)
        read_everything(message)
        assert bytes(message).startswith(data[: data.find(b"\r\n\r\n")])


@needs_torture
def test_folding_escapes_and_lists_of_the_tortuous_invite_are_understood():
    message = parse((TORTURE / "rfc4475" / "wsinv.dat").read_bytes())
    assert isinstance(message, SipRequest)
    assert message.to.tag == "1918181833n"
    assert (message.from_.display_name, message.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert message.max_forwards == 68
    assert message.cseq == (9, "INVITE")
    assert [via.transport for via in message.vias()] == ["UDP", "TCP", "UDP"]
    assert message.vias()[2].branch == "z9hG4bK30239"
    assert message.contacts[0].param("q") == "0.33"
    assert message.get("NewFangledHeader") == "newfangled value continued newfangled value"


@needs_torture
def test_octets_behind_content_length_are_ignored_in_a_datagram():
    message = parse((TORTURE / "rfc4475" / "dblreq.dat").read_bytes())
    assert (message.body, message.method) == (b"", "REGISTER")


@needs_torture
def test_percent_escapes_are_resolved_once_and_a_nul_does_not_truncate():
    escaped = parse((TORTURE / "rfc4475" / "escnull.dat").read_bytes())
    assert escaped.to.uri.username == "null-\0-null"
    assert escaped.contacts[0].uri.identity() != escaped.contacts[1].uri.identity()
    semi = parse((TORTURE / "rfc4475" / "semiuri.dat").read_bytes())
    assert semi.uri.username == "user;par=u@example.net"


@pytest.mark.parametrize("eol", ["\n", "\r", "\0\n"])
def test_a_bare_line_end_inside_a_header_is_refused(eol):
    with pytest.raises(BadMessage) as caught:
        parse(request(f"Subject: a{eol}Evil: yes"))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["X: y"] * (MAX_HEADERS + 1), "Too many headers"),
        (["X: " + "y" * MAX_LINE], "Header line too long"),
        (["no colon here"], "Bad header"),
        ([": nameless"], "Bad header"),
        (["To: <sip:c@example.com>"], "Several to"),
        (["Content-Length: 5"], "Body shorter"),
        (["Content-Length: 0", "Content-Length: 1"], "Several content-length"),
    ],
)
def test_breaches_of_the_limits_are_refused_with_a_reason(lines, reason):
    with pytest.raises(BadMessage) as caught:
        parse(request(*lines))
    assert reason in caught.value.reason
    assert caught.value.request is not None


def test_a_message_above_the_limit_is_dropped_before_it_is_read():
    with pytest.raises(BadMessage) as caught:
        parse(b"x" * (MAX_MESSAGE + 1))
    assert caught.value.request is None


@pytest.mark.parametrize("missing", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_each_mandatory_header_is_missed(missing):
    lines = [line for line in request().split(b"\r\n") if not line.startswith(missing.encode() + b":")]
    with pytest.raises(BadMessage) as caught:
        parse(b"\r\n".join(lines))
    assert caught.value.status == 400


def test_what_cannot_be_parsed_can_still_be_answered():
    with pytest.raises(BadMessage) as caught:
        parse(request("Max-Forwards: x").replace(b"Max-Forwards: 70\r\n", b""))
    answer = build_response(caught.value.request, 400, source=("192.0.2.9", 7000), to_tag="t")
    assert b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK77;received=192.0.2.9" in bytes(answer)
    assert answer.to.tag == "t"


def test_headers_are_found_by_any_spelling_and_written_back_untouched():
    data = request("sUbJeCt :  spaced out ", "k: a, b", "Supported: c", "X-Odd:\t1")
    message = parse(data)
    assert message.get("s") == message.get("SUBJECT") == "spaced out"
    assert message.listed("supported") == ["a", "b", "c"]
    assert bytes(message) == data


@pytest.mark.parametrize("raw", ["é".encode("latin-1"), "é".encode()])
def test_latin_1_and_utf_8_are_read_alike_and_written_back_as_they_came(raw):
    data = request().replace(b"From: <", b'From: "Ren' + raw + b'" <')
    message = parse(data)
    assert message.from_.display_name == "René"
    assert bytes(message) == data


@pytest.mark.parametrize(
    ("text", "display", "uri", "params"),
    [
        ("sip:a@b;tag=x", "", "sip:a@b", (("tag", "x"),)),
        ("<sip:a@b;lr>;tag=x", "", "sip:a@b;lr", (("tag", "x"),)),
        ('"A, \\"B\\" <x>" <sip:a@b>', 'A, "B" <x>', "sip:a@b", ()),
        ("A. Bell <sip:a@b>", "A. Bell", "sip:a@b", ()),
        ("caller<sip:a@b>", "caller", "sip:a@b", ()),
        ("<sip:b@h?Replaces=a%40b>", "", "sip:b@h?Replaces=a%40b", ()),
        ("<tel:+1-201;phone-context=x>", "", "tel:+1-201;phone-context=x", ()),
        ("<isbn:2983792873>", "", "isbn:2983792873", ()),
        (
            '<sip:a@h>;+sip.instance="<urn:uuid:0,1>";q=1',
            "",
            "sip:a@h",
            (("+sip.instance", '"<urn:uuid:0,1>"'), ("q", "1")),
        ),
        ("<sip:kam_1-x@[2001:db8::1]:5070>", "", "sip:kam_1-x@[2001:db8::1]:5070", ()),
    ],
)
def test_addresses_of_every_kind_are_read_and_written(text, display, uri, params):
    address = parse_address(text)
    assert (address.display_name, str(address.uri), address.params) == (display, uri, params)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "<sip:a@b",
        '"open <sip:a@b>',
        "<sip:a@b> garbage",
        "< sip:a@b>",
        "sip:a@b?x=y",
        "Bell, A <sip:a@b>",
        "*",
    ],
)
def test_broken_addresses_are_refused(text):
    with pytest.raises(BadMessage):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "sip:",
        "sip:@b",
        "sip:a@",
        "sip:a@b:0",
        "sip:a@b:70000",
        "sip:a@b:x",
        "sip:a@[::1",
        "1sip:a@b",
        "sip:a@b;=x",
        "sip:a b@c",
    ],
)
def test_broken_uris_are_refused(text):
    with pytest.raises(BadMessage):
        parse_uri(text)


def test_lists_split_outside_quotes_and_brackets_only():
    values = ['"a,b" <sip:a@h;x=1,2>;q=1;y="3,4", <sip:c,d@h>', "sip:e@h"]
    assert [a.uri.user for a in parse_addresses(values)] == ["a", "c,d", "e"]
    assert split_outside('a;"b;\\";";<c;d>;e', ";") == ["a", '"b;\\";"', "<c;d>", "e"]


def test_a_via_keeps_what_it_does_not_know_and_notes_the_source():
    via = parse_via("SIP/2.0/UDP [2001:db8::9]:5061;branch=z9hG4bK1;rport;alias")
    assert (via.host, via.port) == ("2001:db8::9", 5061)
    stamped = via.with_source("192.0.2.7", 4444)
    assert str(stamped).endswith(";branch=z9hG4bK1;alias;received=192.0.2.7;rport=4444")
    assert parse_via("SIP/2.0/UDP 192.0.2.7;branch=x").with_source("192.0.2.7", 4444).params == (("branch", "x"),)


def test_a_star_contact_is_told_apart():
    message = parse(request("Contact: *"))
    assert message.contact_is_star
    assert message.contacts == ()


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_is_built_can_forge_a_header(name, value):
    """Whatever a caller is called, the message has the headers it was given and no others."""
    try:
        shown = NameAddress(Uri("sip", escape_user(value), "h"), name)
        built = build_request(
            "OPTIONS",
            "sip:b@h",
            (
                ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"),
                ("From", f"{shown};tag=1"),
                ("To", "<sip:b@h>"),
                ("Call-ID", "c"),
                ("CSeq", "1 OPTIONS"),
                ("Subject", value),
            ),
        )
    except UnsafeValue:
        assert any(ord(c) < 32 or 127 <= ord(c) < 160 for c in name + value)
        return
    again = parse(bytes(built))
    assert again.header_count() == 7
    if value:
        assert again.from_.uri.username == value


@pytest.mark.parametrize("char", ["\r", "\n", "\0", "\x7f", "\x1b"])
def test_control_characters_are_never_sent(char):
    with pytest.raises(UnsafeValue):
        build_request("OPTIONS", "sip:b@h", (("Subject", f"a{char}b"),))
    with pytest.raises(UnsafeValue):
        quote(f"a{char}b")
    with pytest.raises(UnsafeValue):
        escape_user(f"a{char}b")
    assert clean_text(f"a{char}b") == "ab"


@given(st.text(alphabet=st.characters(blacklist_categories=["Cc", "Cs"]), max_size=40))
def test_quoting_is_undone_by_unquoting(text):
    assert unquote(quote(text)) == text


def seeds() -> list[bytes]:
    found = [p.read_bytes() for p in sorted((TORTURE / "rfc4475").glob("*.dat"))] if TORTURE.exists() else []
    return [*found, request("Contact: <sip:a@h>;expires=5", 'Authorization: Digest a="b", c=d', body="x")]


def mutate(data: bytes, source: random.Random) -> bytes:
    mutant = bytearray(data)
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(mutant)) if mutant else 0
        match source.randrange(5):
            case 0:
                mutant[at : at + 1] = bytes([source.randrange(256)])
            case 1:
                del mutant[at : at + source.randint(1, 30)]
            case 2:
                mutant[at:at] = source.choice(
                    [b'"', b"<", b">", b",", b";", b"\r\n ", b"\r\n", b"\0", b"%", b":", b"\\"]
                )
            case 3:
                chunk = bytes(mutant[at : at + 40])
                mutant[at:at] = chunk * source.randint(1, 5)
            case _:
                mutant[at:at] = source.choice([b"99999999999999999999", b"-1", "é".encode("latin-1"), b"\xff" * 9])
    return bytes(mutant)


def test_twenty_thousand_mutants_raise_nothing_but_bad_message():
    source = random.Random(4475)
    pool = seeds()
    refused = 0
    for _ in range(20_000):
        try:
            message = parse(mutate(source.choice(pool), source))
            read_everything(message)
            assert bytes(message)
        except BadMessage as bad:
            refused += 1
            if bad.request is not None:
                bytes(build_response(bad.request, 400, source=("192.0.2.1", 5060), to_tag="t"))
    assert 1_000 < refused < 19_900


def steps_of(data: bytes) -> int:
    """How many lines of Python the parser runs for a message: a cost that does not depend on the machine."""
    steps = 0

    def count(frame, event, arg):
        nonlocal steps
        steps += event == "line"
        return count

    sys.settrace(count)
    try:
        read_everything(parse(data))
    except BadMessage:
        pass
    finally:
        sys.settrace(None)
    return steps


@pytest.mark.parametrize(
    "bomb",
    [
        lambda n: request("Contact: " + ", ".join(["<sip:a@h>;q=1"] * n)),
        lambda n: request("Contact: " + '"\\"' * n),
        lambda n: request("Contact: " + "<" * n),
        lambda n: request("X: " + '"a,' * n),
        lambda n: request("Contact: <sip:a@h" + ";a=b" * n + ">"),
        lambda n: request('Contact: "' + "\\" * n),
        lambda n: request(*["X: y"] * (n // 4)),
        lambda n: request("X: a" + "\r\n b" * n),
        lambda n: request('Supported: "",' * n),
    ],
)
def test_cost_grows_with_size_and_no_faster(bomb):
    small, large = steps_of(bomb(100)), steps_of(bomb(200))
    assert large <= 2.2 * small + 200


@settings(max_examples=200)
@given(st.binary(max_size=300), st.text(alphabet=string.printable, max_size=80))
def test_arbitrary_octets_are_refused_or_read(octets, text):
    for data in (octets, request("Contact: " + text.replace("\r", "").replace("\n", "")), request() + octets):
        with suppress(BadMessage):
            read_everything(parse(data))


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_a_line_end_within_the_first_line_is_refused(end: str) -> None:
    lines = [
        f"OPTIONS sip:a{end}b@h SIP/2.0",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        "From: <sip:a@h>;tag=1",
        "To: <sip:b@h>",
    ]
    with pytest.raises(BadMessage, match="Bare line end"):
        parse("\r\n".join([*lines, "Call-ID: c", "CSeq: 1 OPTIONS", "", ""]).encode())
