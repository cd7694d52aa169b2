"""Why, for a team lead: what is about the own teams, and nothing that names anybody else."""

from collections.abc import Iterable

from msgspec.structs import replace

from agent_console.explanations import (
    CandidateView,
    DecisionTable,
    DecisionView,
    Explanations,
    NothingKnown,
    WaitingView,
    WhyView,
)
from agent_console.sight import Sight


class TeamExplanations:
    """Implements ``Explanations`` over another one, seen with a team lead's sight.

    A decision is seen when its agent is, or its queue is one of the teams'; of who else could have been chosen, those
    who are seen. Contacts of which nothing is seen are as unknown as those that never were.
    """

    def __init__(self, whole: Explanations, sight: Sight) -> None:
        self._whole = whole
        self._sight = sight

    async def why(self, contact_id: str) -> WhyView:
        """The decisions that are about the teams, and why it waits if it waits in a queue of theirs."""
        found = await self._whole.why(contact_id)
        decisions = tuple(self._decision(each) for each in found.decisions if self._sees(each))
        waiting = found.waiting if found.waiting is not None and self._sees_queue(found.waiting.queue_id) else None
        if not decisions and waiting is None:
            raise NothingKnown(f"nothing is known of contact {contact_id!r}")
        return WhyView(contact_id, decisions, self._waiting(waiting))

    async def decision(self, contact_id: str, offer_id: str) -> DecisionTable:
        """Everybody of the teams at that decision."""
        found = await self._whole.decision(contact_id, offer_id)
        if not self._sees(found.decision):
            raise NothingKnown(f"contact {contact_id!r} had no offer {offer_id!r}")
        return DecisionTable(self._decision(found.decision), self._of_teams(found.candidates))

    async def why_not(self, contact_id: str, agent_id: str) -> CandidateView:
        """Why not that agent of the teams."""
        if not self._sight.sees_agent(agent_id):
            raise NothingKnown(f"nothing is known of agent {agent_id!r}")
        waiting = (await self._whole.why(contact_id)).waiting
        if waiting is None or not self._sees_queue(waiting.queue_id):
            raise NothingKnown(f"nothing is known of contact {contact_id!r}")
        return await self._whole.why_not(contact_id, agent_id)

    def _sees(self, decision: DecisionView) -> bool:
        return self._sight.sees_agent(decision.agent_id) or self._sees_queue(decision.queue_id)

    def _sees_queue(self, queue_id: str) -> bool:
        return queue_id in self._sight.led_queues

    def _decision(self, decision: DecisionView) -> DecisionView:
        """Without a name that is not seen; a runner-up may also be a contact, which is none."""
        agent_id = decision.agent_id if self._sight.sees_agent(decision.agent_id) else ""
        runner_up = decision.runner_up if self._sight.sees_agent(decision.runner_up) else None
        key = decision.runner_up_key if runner_up is not None else None
        return replace(decision, agent_id=agent_id, runner_up=runner_up, runner_up_key=key)

    def _waiting(self, waiting: WaitingView | None) -> WaitingView | None:
        return None if waiting is None else replace(waiting, candidates=self._of_teams(waiting.candidates))

    def _of_teams(self, candidates: Iterable[CandidateView]) -> tuple[CandidateView, ...]:
        return tuple(each for each in candidates if self._sight.sees_agent(each.agent_id))
