"""Whether answers tell who exists: 10,000 response times for a known and for an unknown user, interleaved, and what the
Mann-Whitney test says of them; and by how much any stranger's request is multiplied.

    python -m tests.bench.bench_sip_equal_answers [--samples 10000] [--seeds 3]

The exchange is asked within this process, where no network hides a difference. Times are nanoseconds of CPU
from a request's octets to those of its answer. Each seed is an order of questions by lot, with a ``p`` of its own
(two-sided); Fisher's method joins them. Many tests give a small ``p`` now and then by chance alone: so the joint one is
held against 0.01 divided by the number of kinds (Bonferroni), and the same is asked of two users who both do not exist,
which tells what this machine makes of nothing. ``shift`` is by how much the one is slower (Hodges-Lehmann).
"""

import argparse
import gc
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import thread_time_ns

import numpy as np
from numpy.typing import NDArray

from callcenter.sip.attempts import Login
from callcenter.sip.digest import ha1
from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.messages import SipRequest, SipResponse
from callcenter.sip.parser import parse
from callcenter.sip.retries import authorised
from callcenter.sip.wire import AMPLIFICATION
from tests.support.sip_wire import EPOCH, REALM, Network, exchange_on
from tests.unit.sip.test_sip_amplification import LEAST, METHODS, MORE, USUAL, answers

KNOWN, UNKNOWN, NOBODY = "anna", "nobo", "none"
"""Of one length: what differs is whether they exist."""
LEVEL = 0.01
WARM_UP = 500


def rank_sum_p(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Two-sided p of the Mann-Whitney U test, by its normal approximation with the correction for ties."""
    both = np.concatenate([one, other])
    order = np.argsort(both, kind="stable")
    _, first, inverse, counts = np.unique(both[order], return_index=True, return_inverse=True, return_counts=True)
    ranks = np.empty(len(both))
    ranks[order] = (first + (counts + 1) / 2)[inverse]
    n, m = len(one), len(other)
    u = ranks[:n].sum() - n * (n + 1) / 2
    ties = float((counts.astype(np.float64) ** 3 - counts).sum())
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))


def joint_p(ps: Sequence[float]) -> float:
    """The p of several independent tests of one question (Fisher): chi squared with two degrees for each."""
    half = -sum(math.log(max(p, 1e-300)) for p in ps)
    return math.exp(-half) * sum(half**k / math.factorial(k) for k in range(len(ps)))


def shift(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The median of all differences between an observation of the one and one of the other, of 2,000 of each that are
    spread evenly over all."""
    some, others = (each[:: max(1, len(each) // 2_000)] for each in (one, other))
    return float(np.median(np.subtract.outer(some, others)))


class Stored:
    """Credentials as a site keeps them: hashes by user name, nothing computed when they are asked for."""

    def __init__(self) -> None:
        self._hashes = {(KNOWN, algorithm): ha1(KNOWN, REALM, "secret", algorithm) for algorithm in ("MD5", "SHA-256")}

    def ha1(self, username: str, algorithm: str) -> str | None:
        """The stored hash."""
        return self._hashes.get((username, algorithm))

    def agent_of(self, username: str) -> str | None:
        """Whose phone it is."""
        return "a1" if username == KNOWN else None

    def media_rule(self, agent_id: str) -> MediaRule:
        """As by default."""
        del agent_id
        return MediaRule()


def flow(number: int) -> Flow:
    """A stranger of its own for each question: nobody runs into a limit."""
    return Flow(Transport.UDP, (f"10.{9 + number // 65_536}.{number // 256 % 256}.{number % 256}", 5060))


def question(method: str, user: str, source: Flow) -> bytes:
    """A request of this user's, from there."""
    text = USUAL.replace("10.9.9.9", source.remote[0]).replace("anna", user)
    return text.format(method=method, more="").encode()


def guess(exchange: Exchange, method: str, user: str, source: Flow) -> bytes:
    """The same with credentials for the challenge it met, and a wrong password."""
    request = parse(question(method, user, source))
    (challenge,) = (one for one in exchange.receive(bytes(request), source, EPOCH) if isinstance(one, Transmit))
    response = parse(challenge.data)
    assert isinstance(request, SipRequest)
    assert isinstance(response, SipResponse)
    again = authorised(exchange.wire, request, response, source, Login(user, "guessed"))
    assert again is not None
    own = f"Via: SIP/2.0/UDP {source.remote[0]}:5060;branch=z9hG4bKguess;rport".encode()  # not one that we made
    return re.sub(rb"Via: [^\r]*", own, bytes(again), count=1)


def measured(
    make: Callable[[Exchange, str, Flow], bytes], samples: int, seed: int, directory: Stored | None = None
) -> dict[str, NDArray[np.float64]]:
    """Nanoseconds by user; each is asked as often, in an order by lot."""
    exchange = exchange_on(Network(), anna="a1")
    exchange.door._directory = directory or Stored()
    order = [KNOWN, UNKNOWN, NOBODY] * (samples + WARM_UP)
    random.Random(seed).shuffle(order)
    times: dict[str, list[int]] = {KNOWN: [], UNKNOWN: [], NOBODY: []}
    gc.disable()
    for number, user in enumerate(order):
        source = flow(number)
        data = make(exchange, user, source)
        began = thread_time_ns()
        said = exchange.receive(data, source, EPOCH)
        took = thread_time_ns() - began
        assert any(isinstance(one, Transmit) and one.data.startswith(b"SIP/2.0 401") for one in said)
        times[user].append(took)
        if not number % 2_000:
            gc.collect()
    gc.enable()
    return {user: np.array(each[WARM_UP : WARM_UP + samples], dtype=np.float64) for user, each in times.items()}


KINDS: Mapping[str, Callable[[str, Exchange, str, Flow], bytes]] = {
    "no credentials": lambda method, _, user, source: question(method, user, source),
    "wrong password": lambda method, exchange, user, source: guess(exchange, method, user, source),
}


def largest_factors() -> list[tuple[float, int, int, str]]:
    """Of every answer to a stranger: octets out by octets in, the largest first."""
    found = []
    for method in METHODS:
        for more in MORE:
            for form in (USUAL, LEAST):
                request = form.format(method=method, more=more).encode()
                out = sum(map(len, answers(request)))
                name = f"{method} {more.strip() or 'plain'} ({'usual' if form is USUAL else 'least'})"
                found.append((out / len(request), len(request), out, name))
    return sorted(found, reverse=True)


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--samples", type=int, default=10_000)
    arguments.add_argument("--seeds", type=int, default=3)
    asked = arguments.parse_args()
    methods = ("REGISTER", "INVITE", "SUBSCRIBE")
    level = LEVEL / (len(methods) * len(KINDS))
    for method in methods:
        for kind, make in KINDS.items():
            runs = [measured(partial(make, method), asked.samples, seed) for seed in range(1, asked.seeds + 1)]
            print(f"{method:9} {kind}: n {asked.samples} each, {asked.seeds} seeds; to be above {level:.4f}:")
            for name, one, other in (("known and unknown", KNOWN, UNKNOWN), ("two unknown", NOBODY, UNKNOWN)):
                ps = [rank_sum_p(run[one], run[other]) for run in runs]
                here, there = (np.concatenate([run[user] for run in runs]) / 1_000 for user in (one, other))
                medians = f"{np.median(here):.2f} / {np.median(there):.2f}"
                worst = f"{np.percentile(here, 99):.0f} / {np.percentile(there, 99):.0f}"
                each = ", ".join(f"{p:.3f}" for p in ps)
                print(
                    f"  {name}: median {medians} us, p99 {worst} us, shift {shift(here, there) * 1_000:+.0f} ns, "
                    f"p {each}; joint {joint_p(ps):.4f}",
                    flush=True,
                )
    print(f"amplification, to be below {AMPLIFICATION}:")
    for factor, octets, out, name in largest_factors()[:5]:
        print(f"  {factor:.2f}: {octets} octets in, {out} out, {name}")


if __name__ == "__main__":
    main()
