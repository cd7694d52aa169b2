"""`callcenter why`: what happened to a contact, and why each agent was rung."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agent_console.explanations import CandidateView, WaitingView
    from callcenter.journal import JournalRow

HIDDEN_FIELDS = {"call_id", "contact_id", "at", "record", "engine", "counts", "decision", "notes"}


def story(rows: "list[JournalRow]", policies: Mapping[tuple[str, int], str] = MappingProxyType({})) -> Iterator[str]:
    """One line for each entry about the contact; a decision says who won and who came second, and by which version of
    the policy. ``policies``: by offer and instant."""
    from acd.outcomes import OfferContact
    from callcenter.entries import KIND_OF

    for row in rows:
        at = _clock(row.at)
        fields = {
            name: getattr(row.entry, name) for name in type(row.entry).__match_args__ if name not in HIDDEN_FIELDS
        }
        shown = "  ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, "", ()))
        yield f"{at}  {KIND_OF[type(row.entry)]:<24} {shown}"
        if isinstance(row.entry, OfferContact):
            why = row.entry.decision
            second = f"; second was {why.runner_up} with {why.runner_up_key}" if why.runner_up else ""
            version = policies.get((row.entry.offer_id, row.at))
            by = f"; policy {version}" if version else ""
            yield f"{'':14}because: {why.rule}, {why.candidates} candidates, best key {why.winner_key}{second}{by}"


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def candidates_table(candidates: "Sequence[CandidateView]") -> Iterator[str]:
    """One line for each agent: whoever is or would be chosen first."""
    for each in candidates:
        verdict = each.detail or "chosen"
        yield f"{each.agent_id:<20} {each.state:<10} {'' if each.key is None else each.key!s:<24} {verdict}"


def waiting_lines(waiting: "WaitingView | None") -> Iterator[str]:
    """Why a contact waits at the end of the journal; nothing for one that does not."""
    if waiting is None:
        return
    asked = f"those who are {waiting.demand}" if waiting.demand else "anybody"
    yield f"waits in {waiting.queue_id}, step {waiting.step}: asks for {asked}; {waiting.ahead} come first"
    if not waiting.somebody_there:
        yield "nobody whom this step is for is there"
    yield f"who fit: {counted(waiting.fitting)}; ready, but: {counted(waiting.idle_but)}"
    if waiting.next_free_at is not None:
        yield f"a wrap-up of somebody who fits ends at {_clock(waiting.next_free_at)}"
    if waiting.next_step_at is not None:
        yield f"the next step begins at {_clock(waiting.next_step_at)}"
    yield from candidates_table(waiting.candidates)


def counted(counts: Mapping[str, int]) -> str:
    """Counts in words, ``none`` for none."""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("why")
    def why_command(
        contact: Annotated[str, typer.Argument(help="The contact's id, as consoles and the timeline show it.")],
        journal: Annotated[Path, typer.Option(help="The journal.", exists=True, dir_okay=False)] = Path(
            "var/journal.sqlite"
        ),
        offer: Annotated[str, typer.Option(help="Show everybody who was on the floor when this offer was made.")] = "",
        agent: Annotated[str, typer.Option(help="Why does this agent not have the contact that waits now?")] = "",
    ) -> None:
        """Tell a contact's story: its facts, and for each offer why this agent; and why it waits, if it does."""
        from agent_console.explanations import NothingKnown
        from callcenter.journal import JournalReader
        from callcenter.why import Explainer

        explainer = Explainer(JournalReader(journal))
        if offer or agent:
            try:
                shown = [explainer.why_not(contact, agent)] if agent else explainer.decision(contact, offer).candidates
            except NothingKnown as error:
                typer.echo(f"error: {error}", err=True)
                raise typer.Exit(1) from None
            for line in candidates_table(shown):
                typer.echo(line)
            return
        rows = JournalReader(journal).about(contact)
        if not rows:
            typer.echo(f"{journal} knows no contact {contact}", err=True)
            raise typer.Exit(1)
        found = explainer.why(contact)
        policies = {(each.offer_id, each.at): each.policy for each in found.decisions}
        for line in (*story(rows, policies), *waiting_lines(found.waiting)):
            typer.echo(line)
