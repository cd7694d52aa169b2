"""A thousand phones are watched together, and nobody else's word is taken for an answer of theirs."""

import pytest

from callcenter.sip.binding_file import KeptBinding
from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.messages import SipRequest, build_response
from callcenter.sip.parser import parse
from callcenter.sip.phone_watch import MOST_A_SECOND
from callcenter.sip.wire import EndpointOutcome, PhoneReachable
from tests.support.sip_wire import EPOCH, Network, exchange_on

pytestmark = pytest.mark.unit

STEP_MS = 20


class Crowd:
    """Phones that answer everything at once, unless their power is cut."""

    def __init__(self, count: int) -> None:
        names = {f"u{number}": f"agent{number}" for number in range(count)}
        self.exchange: Exchange = exchange_on(Network(), **names)
        self.now = EPOCH
        self.alive = True
        self.status = 200
        self.gone: dict[str, int] = {}
        self.questions: list[SipRequest] = []
        kept = [
            KeptBinding(
                name, f"<sip:{name}@10.0.3.1:{6_000 + n}>", "10.0.3.1", 6_000 + n, 0, EPOCH + 3_600_000, name, 1
            )
            for n, name in enumerate(names)
        ]
        self.take(self.exchange.restore_bindings(kept, self.now))
        for agent_id in names.values():
            self.take(self.exchange.expect_calls(agent_id, self.now, wanted=True))

    def take(self, outcomes: list[EndpointOutcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Transmit):
                self._ask(outcome)
            elif isinstance(outcome, PhoneReachable) and not outcome.reachable:
                self.gone[outcome.agent_id] = self.now

    def _ask(self, sent: Transmit) -> None:
        question = parse(sent.data)
        assert isinstance(question, SipRequest)
        self.questions.append(question)
        if self.alive:
            self.take(self.exchange.receive(self.answer(question), sent.flow, self.now))

    def answer(self, question: SipRequest, branch: str = "") -> bytes:
        """What a phone says, perhaps with another branch than it was asked with."""
        data = bytes(build_response(question, self.status, to_tag="p", source=("10.0.0.1", 5060)))
        return data.replace(question.via.branch.encode(), branch.encode()) if branch else data

    def run(self, for_ms: int) -> None:
        for self.now in range(self.now + STEP_MS, self.now + for_ms + 1, STEP_MS):  # noqa: B020 - the clock itself
            self.take(self.exchange.handle_timer(self.now))


def test_of_a_thousand_phones_that_vanish_together_each_is_known_to_be_gone_within_ten_seconds() -> None:
    crowd = Crowd(1_000)
    crowd.run(6_000)
    before = len(crowd.questions)
    crowd.run(8_000)
    assert len(crowd.questions) - before <= 8 * MOST_A_SECOND
    assert crowd.gone == {}
    crowd.alive, off = False, crowd.now
    crowd.run(10_000)
    assert len(crowd.gone) == 1_000
    assert max(crowd.gone.values()) - off <= 10_000


def test_questions_are_unique_and_their_answers_leave_nothing_open() -> None:
    crowd = Crowd(20)
    crowd.run(60_000)
    asked = [(each.uri_text, each.cseq.number) for each in crowd.questions]
    assert len({each.via.branch for each in crowd.questions}) == len(asked) == len(set(asked)) > 250
    assert len({each.call_id for each in crowd.questions}) == 20
    assert len(crowd.exchange.wire.transactions) == 0
    for number in range(20):
        crowd.take(crowd.exchange.expect_calls(f"agent{number}", crowd.now, wanted=False))
    crowd.run(5_000)
    assert crowd.exchange.counters()["watched phones"] == 0
    assert crowd.exchange.next_deadline() in {None, EPOCH + 3_600_000}, "only the registrations' own end is waited for"


def test_an_answer_with_a_made_up_branch_is_no_life() -> None:
    """Whoever saw one question cannot foretell the next: the number is plain, the proof behind it is not."""
    crowd = Crowd(1)
    crowd.run(9_000)
    crowd.alive = False
    flow = Flow(Transport.UDP, ("10.0.3.1", 6_000))
    for _ in range(100):
        crowd.run(100)
        seen = crowd.questions[0].via.branch
        token, _, proof = seen.partition(".")
        number = crowd.questions[-1].cseq.number
        forged = f"{token.rpartition('w')[0]}w{number}.{proof}"
        crowd.take(crowd.exchange.receive(crowd.answer(crowd.questions[-1], forged), flow, crowd.now))
    assert set(crowd.gone) == {"agent0"}


def test_a_proxy_that_says_it_cannot_reach_the_phone_is_no_life() -> None:
    crowd = Crowd(1)
    crowd.run(9_000)
    crowd.status = 480
    crowd.run(10_000)
    assert set(crowd.gone) == {"agent0"}
    crowd.status = 486
    crowd.run(10_000)
    assert crowd.exchange.reachable("agent0", crowd.now), "whatever else it says, it is there"
