"""Surveys and scores of an interaction over HTTP. They stand in the journal; the exchange writes them down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from agent_console.auth import current_principal
from agent_console.errors import NotAllowed, NotFound
from agent_console.ports import IntentError, Principal, Role
from callcenter.appraisals.entries import MAX_NOTES
from callcenter.appraisals.facts import ConversationScored, Mark, SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.appraisals.forms import QualityForm, form_for
from callcenter.calls.facts import CallClosed, CallCorrected
from callcenter.calls.segments import call_of
from callcenter.channels.facts import ItemClosed
from callcenter.journal import JournalReader

ContactPath = Annotated[str, Path(min_length=1, max_length=100)]
Asking = Annotated[Principal, Depends(current_principal)]
_ALL = {Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.INTEGRATION}


class Strict(BaseModel):
    """A body with nothing that is not known."""

    model_config = ConfigDict(extra="forbid")


class SurveyIn(Strict):
    """A question that was sent, or with ``score`` its answer."""

    kind: SurveyKind
    how: Literal["sms", "email", "chat", "message", "other"] = "message"
    score: int | None = None


class MarkIn(Strict):
    """Points for one criterion; ``null`` where it does not apply."""

    criterion: str = Field(max_length=100)
    points: int | None


class ScoreIn(Strict):
    """A form as it was filled in."""

    form: str = Field(max_length=100)
    marks: list[MarkIn] = Field(max_length=200)
    notes: str = Field(default="", max_length=MAX_NOTES)


class Interaction:
    """What the journal knows of a contact that is over."""

    def __init__(self, contact_id: str, entries: Sequence[object]) -> None:
        self.contact_id, self.call_id = contact_id, call_of(contact_id)
        self.agent_id = self.queue_id = ""
        self.ended_at: int | None = None
        self.asked = [each for each in entries if isinstance(each, SurveyAsked)]
        self.answers = [each for each in entries if isinstance(each, SurveyAnswered)]
        scores = (each for each in entries if isinstance(each, ConversationScored))
        self.scores = [each for each in scores if (each.contact_id or each.call_id) == contact_id]
        for entry in entries:
            if isinstance(entry, CallClosed | CallCorrected):
                segments = {each.contact_id: each for each in entry.record.segments}
                part = segments.get(contact_id)
                self.agent_id = (part.agent_id if part else entry.record.agent_id) or ""
                self.queue_id = (part.queue_id if part else entry.record.queue_id) or ""
                self.ended_at = part.ended_at if part else entry.record.ended_at
            elif isinstance(entry, ItemClosed):
                self.agent_id, self.queue_id = entry.record.agent_id, entry.record.queue_id
                self.ended_at = entry.record.ended_at


def may_score(asking: Principal, agent_id: str) -> bool:
    """Whether this person scores this agent's conversations; nobody scores the own ones."""
    above = asking.may_see_floor() or agent_id in asking.led_agents
    return above and bool(agent_id) and agent_id != asking.agent_id and asking.scopes is None


def sees(asking: Principal, agent_id: str) -> bool:
    """Whether this person sees what was said of this agent's conversations."""
    if asking.scopes is not None and "read" not in asking.scopes:
        return False
    return (
        bool(asking.roles & _ALL) or agent_id in asking.led_agents or (bool(agent_id) and agent_id == asking.agent_id)
    )


def appraisal_router(
    reader: JournalReader,
    write_down: Callable[[object], Awaitable[None]],
    forms: tuple[QualityForm, ...],
    names: Mapping[str, str],
) -> APIRouter:
    """The routes, for the web process. ``names`` are those of people, by user id."""
    router = APIRouter(prefix="/api/v1/interactions", tags=["appraisals"])

    async def found(contact_id: str) -> Interaction:
        rows = await asyncio.to_thread(reader.about, call_of(contact_id))
        interaction = Interaction(contact_id, [row.entry for row in rows])
        if interaction.ended_at is None:
            raise NotFound("No contact of this id is over.")
        return interaction

    @router.get("/{contact_id}/appraisal", summary="What customer and supervisors said of an interaction")
    async def appraisal(contact_id: ContactPath, asking: Asking) -> Response:
        """200 with ``{answer, scores, form}``; ``form`` is there for whoever may score it. 404 unknown or not over, 403
        for those who neither had it nor lead who did."""
        interaction = await found(contact_id)
        if not sees(asking, interaction.agent_id):
            raise NotAllowed("This is somebody else's conversation.")
        form = form_for(forms, interaction.queue_id) if may_score(asking, interaction.agent_id) else None
        return JSONResponse(_shown(interaction, form, names))

    @router.post("/{contact_id}/survey", status_code=204, summary="A survey was sent, or is answered")
    async def survey(contact_id: ContactPath, body: SurveyIn, asking: Asking) -> Response:
        """For programs that send questions by message and take the answers. 204; 409 `already-answered`,
        `invalid-answer`; 403 without the scope to write; 404."""
        program = Role.INTEGRATION in asking.roles and asking.scopes is not None and "write" in asking.scopes
        if not program and not asking.may_see_floor():
            raise NotAllowed("Surveys are told by programs with the scope to write.")
        interaction = await found(contact_id)
        who = interaction.queue_id, interaction.agent_id
        if interaction.answers:
            raise IntentError("already-answered", "The customer has answered for this interaction.")
        if body.score is None:
            if not interaction.asked:
                await write_down(SurveyAsked(interaction.call_id, 0, body.kind, *who, body.how))
            return Response(status_code=204)
        asked_at = interaction.asked[0].at if interaction.asked else 0
        answer = SurveyAnswered(interaction.call_id, 0, body.kind, body.score, *who, body.how, asked_at)
        await write_down(answer)
        return Response(status_code=204)

    @router.post("/{contact_id}/scores", status_code=204, summary="Score a conversation")
    async def score(contact_id: ContactPath, body: ScoreIn, asking: Asking) -> Response:
        """204; 409 `invalid-score` says which mark, `unknown-form`; 403 for those who do not lead the agent; 404."""
        interaction = await found(contact_id)
        if not may_score(asking, interaction.agent_id):
            raise NotAllowed("You score the conversations of those you lead.")
        marks = tuple(Mark(each.criterion, each.points) for each in body.marks)
        later = "" if interaction.contact_id == interaction.call_id else contact_id
        await write_down(
            ConversationScored(
                interaction.call_id,
                0,
                asking.user_id,
                interaction.agent_id,
                interaction.queue_id,
                interaction.ended_at or 0,
                body.form,
                marks,
                0,
                is_fatal=False,
                notes=body.notes,
                contact_id=later,
            )
        )
        return Response(status_code=204)

    return router


def _shown(interaction: Interaction, form: QualityForm | None, names: Mapping[str, str]) -> dict[str, object]:
    answer = interaction.answers[0] if interaction.answers else None
    return {
        "asked": bool(interaction.asked or answer),
        "answer": None if answer is None else {"kind": answer.kind, "score": answer.score, "at": answer.at},
        "scores": [
            {
                "at": each.at,
                "by": names.get(each.by, each.by),
                "form": each.form_id,
                "score": each.score / 100,
                "is_fatal": each.is_fatal,
                "notes": each.notes,
                "marks": [{"criterion": mark.criterion, "points": mark.points} for mark in each.marks],
            }
            for each in reversed(interaction.scores)
        ],
        "form": None
        if form is None
        else {
            "id": form.id,
            "labels": dict(form.labels),
            "criteria": [
                {
                    "id": each.id,
                    "labels": dict(each.labels),
                    "weight": each.weight,
                    "most": each.most,
                    "fatal": each.fatal,
                    "may_not_apply": each.may_not_apply,
                }
                for each in form.criteria
            ],
        },
    }
