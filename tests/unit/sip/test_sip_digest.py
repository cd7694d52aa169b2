import json
from pathlib import Path

import pytest

from callcenter.sip import digest
from callcenter.sip.digest import (
    DigestGuard,
    DigestParams,
    NonceWindow,
    Verdict,
    answer_challenge,
    compute_response,
    ha1,
    parse_credentials,
    parse_fields,
    render_credentials,
)
from callcenter.sip.errors import BadMessage
from callcenter.sip.throttle import GuessLimit

pytestmark = pytest.mark.unit

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "digest" / "vectors.json"
NOW = 1_700_000_000_000
PEER = "198.51.100.7"


@pytest.mark.skipif(not VECTORS.exists(), reason="../shared/data/digest is not here")
@pytest.mark.parametrize(
    "row", json.loads(VECTORS.read_text()) if VECTORS.exists() else [], ids=lambda r: r["source"][:40]
)
def test_published_and_computed_vectors_agree(row):
    params = DigestParams(
        username=row["username"],
        realm=row["realm"],
        nonce=row["nonce"],
        uri=row["uri"],
        response="",
        algorithm=row["algorithm"],
        qop=row.get("qop", ""),
        nc=row.get("nc", ""),
        cnonce=row.get("cnonce", ""),
    )
    secret = ha1(row["username"], row["realm"], row["password"], row["algorithm"].removesuffix("-sess"))
    assert compute_response(params, secret, row["method"], row.get("body", "").encode()) == row["computed_response"]


def guard(**changes) -> DigestGuard:
    return DigestGuard("pbx", b"secret", **changes)


def stored(username: str, algorithm: str) -> str | None:
    return ha1("anna", "pbx", "pw", algorithm) if username == "anna" else None


def answer(challenges: list[str], username: str = "anna", password: str = "pw", method: str = "REGISTER") -> str:
    value = answer_challenge(
        challenges, method=method, uri="sip:pbx", username=username, password=password, cnonce="0a4f113b"
    )
    assert value is not None
    return value


def test_sha_256_is_offered_before_md5_and_the_first_known_is_answered():
    challenges = guard().challenges(NOW, b"saltsalt", PEER)
    assert ["SHA-256" in challenges[0], "MD5" in challenges[1]] == [True, True]
    assert "algorithm=SHA-256" in answer(challenges)
    assert "algorithm=MD5" in answer([challenges[0].replace("SHA-256", "SHA-1024"), challenges[1]])


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_right_password_is_granted_once_per_count(algorithm):
    one = guard(offer=(algorithm,))
    value = answer(one.challenges(NOW, b"saltsalt", PEER))
    assert one.check([value], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.GRANTED
    assert one.check([value], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.STALE


@pytest.mark.parametrize(
    ("username", "password", "method"),
    [("anna", "wrong", "REGISTER"), ("ben", "pw", "REGISTER"), ("ben", "", "REGISTER"), ("anna", "pw", "INVITE")],
)
def test_anything_else_is_denied(username, password, method):
    one = guard()
    value = answer(one.challenges(NOW, b"saltsalt", PEER), username, password)
    assert one.check([value], method, b"", stored, NOW, peer=PEER).verdict is Verdict.DENIED


def test_an_old_a_forged_and_a_stolen_nonce_are_stale():
    one, other = guard(), DigestGuard("pbx", b"another secret")
    old = answer(one.challenges(NOW - 300_001, b"saltsalt", PEER))
    assert one.check([old], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.STALE
    forged = answer(other.challenges(NOW, b"saltsalt", PEER))
    assert one.check([forged], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.STALE
    mine = answer(one.challenges(NOW, b"saltsalt", PEER))
    assert one.check([mine], "REGISTER", b"", stored, NOW, peer="203.0.113.1").verdict is Verdict.STALE
    assert one.check([mine], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.GRANTED
    assert "stale=true" in one.challenges(NOW, b"saltsalt", PEER, stale=True)[0]


def test_every_process_with_the_secret_can_verify():
    value = answer(guard().challenges(NOW, b"saltsalt", PEER))
    assert guard().check([value], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.GRANTED


def test_a_phone_without_qop_is_taken_once_unless_qop_is_required():
    challenge = guard().challenges(NOW, b"saltsalt", PEER)[1].replace(', qop="auth"', "")
    value = answer([challenge])
    assert "qop" not in value
    one = guard()
    assert one.check([value], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.GRANTED
    assert one.check([value], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.STALE
    assert guard(require_qop=True).check([value], "REGISTER", b"", stored, NOW, peer=PEER).verdict is Verdict.DENIED


def test_other_schemes_and_other_realms_count_as_no_credentials():
    one = guard()
    foreign = answer(DigestGuard("elsewhere", b"x").challenges(NOW, b"saltsalt", PEER))
    assert (
        one.check(["NoOneKnowsThisScheme x=y", foreign], "REGISTER", b"", stored, NOW, peer=PEER).verdict
        is Verdict.ABSENT
    )
    assert parse_fields("Basic abc") is None


@pytest.mark.parametrize(
    "value", ["Digest", "Digest a", 'Digest username="x', "Digest a=b, a=c", 'Digest username="a"']
)
def test_broken_credentials_are_refused(value):
    with pytest.raises(BadMessage):
        parse_credentials(value)


def test_what_is_written_is_read_back():
    params = DigestParams('a"\\b', "pbx", "n", "sip:x,y", "", "SHA-256", "auth", "00000001", "c", "o")
    parsed = parse_credentials(render_credentials(params, "r"))
    assert parsed == DigestParams('a"\\b', "pbx", "n", "sip:x,y", "r", "SHA-256", "auth", "00000001", "c", "o")


def test_the_window_takes_each_count_once_in_any_order_and_stays_small():
    window = NonceWindow(capacity=3)
    assert [window.use("n", count) for count in (1, 3, 2, 3, 100, 37, 36, 35, 100)] == [
        *(True, True, True, False, True, True, False, False, False),
    ]
    for nonce in "abcd":
        window.use(nonce, 1)
    assert window.use("n", 1)  # forgotten: the nonce has long expired by then


def test_wrong_guesses_are_limited_per_address_and_come_back_with_time():
    limit = GuessLimit(burst=3, refill_ms=1_000, capacity=2)
    for _ in range(3):
        assert limit.allows(PEER, NOW)
        limit.failed(PEER, NOW)
    assert not limit.allows(PEER, NOW)
    assert limit.allows("203.0.113.1", NOW)
    assert not limit.allows(PEER, NOW + 999)
    assert limit.allows(PEER, NOW + 1_000)
    limit.failed("a", NOW)
    limit.failed("b", NOW)
    assert limit.allows(PEER, NOW)


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_known_and_unknown_users_cost_the_same_digests(monkeypatch, algorithm, qop):
    counted: list[int] = []
    hashed = digest._hash

    def count(name, data):
        counted[-1] += 1
        return hashed(name, data)

    monkeypatch.setattr(digest, "_hash", count)
    guard = DigestGuard("r", b"s" * 32)
    nonce = guard.nonce(NOW, b"12345678", PEER)
    for user in ("anna", "nobo"):
        counted.append(0)
        params = DigestParams(user, "r", nonce, "sip:x", "0" * 32, algorithm, qop, "00000001", "c")
        value = render_credentials(params, "0" * 32)
        stored = {"anna": "f" * 32}
        checked = guard.check([value], "REGISTER", b"", lambda name, _, kept=stored: kept.get(name), NOW, peer=PEER)
        assert checked.verdict is Verdict.DENIED
    assert counted[0] == counted[1] > 0
