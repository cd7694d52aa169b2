"""What the parts of the house need of the site: the floor for routing, and the rules of its queues and people."""

from collections.abc import Mapping

from acd.events import AgentSpec, Channel, FloorConfigured, QueueDelay, SkillLevel
from acd.ids import AgentId, QueueId
from callcenter.appraisals.forms import Criterion, QualityForm
from callcenter.calls.greetings import Greetings
from callcenter.calls.personal_plans import PersonalPlan
from callcenter.calls.queueing import CallbackRule
from callcenter.calls.reach import Reach, SupervisorRights
from callcenter.calls.recordings import RecordingRule
from callcenter.channels.items import ItemRules
from callcenter.code_meanings import CodesConfigured, WrapUpMeaning
from callcenter.service_targets import ServiceTarget
from callcenter.site.channels import DEFAULT_PRIORITY, capacities, interrupts
from callcenter.site.models import Site
from callcenter.site.opening_hours import opening_hours
from callcenter.site.queues import milliseconds
from callcenter.surveys.rules import SurveyRule
from callcenter.waiting_room import AnnouncementRule
from callcenter.workforce.activities import Activity, PauseMeaning
from ivr.effects import PromptText


def floor_configuration(site: Site) -> FloorConfigured:
    """The site as the routing engine sees it."""
    routing = site.routing
    return FloorConfigured(
        queues=tuple(queue.spec() for queue in site.queues),
        agents=tuple(
            AgentSpec(
                AgentId(agent.id),
                agent.name,
                tuple(QueueId(each) for each in agent.queues),
                tuple(SkillLevel(skill, level) for skill, level in sorted(agent.skills.items())),
                tuple(
                    QueueDelay(QueueId(each), round(wait * 1000)) for each, wait in sorted(agent.second_line.items())
                ),
                capacities(routing.capacity, agent.capacity),
                interrupts(routing.interrupts, agent.interrupts),
            )
            for agent in site.agents
            if agent.queues
        ),
        priority_worth_ms=milliseconds(routing.priority_worth_seconds),
        seed=routing.seed,
        quarantine_after=routing.quarantine_after,
        quarantine_ms=round(routing.quarantine_seconds * 1000),
    )


def service_targets(site: Site) -> tuple[ServiceTarget, ...]:
    """What each queue promises, for calls and for all other channels."""
    return tuple(queue.target(channel) for queue in site.queues for channel in Channel)


def code_meanings(site: Site, at: int) -> CodesConfigured:
    """What the site's codes mean from ``at`` on."""
    return CodesConfigured(at, pause_meanings(site), tuple(
        WrapUpMeaning(each.code, each.right_party, each.issue or "") for each in site.dispositions
    ))  # fmt: skip


def pause_meanings(site: Site) -> tuple[PauseMeaning, ...]:
    """Which activity each reason of a pause is, where the site says it."""
    return tuple(PauseMeaning(each.code, Activity(each.activity)) for each in site.not_ready_reasons if each.activity)


def quality_forms(site: Site) -> tuple[QualityForm, ...]:
    """The forms that conversations are scored by."""
    return tuple(
        QualityForm(
            form.id,
            form.labels,
            tuple(
                Criterion(each.id, each.labels, each.weight, each.most, each.fatal, each.may_not_apply)
                for each in form.criteria
            ),
            frozenset(form.queues),
        )
        for form in site.quality_forms
    )


def survey_rules(site: Site) -> Mapping[str, SurveyRule]:
    """How each queue asks its customers by message; a queue that is not there does not."""
    return {queue.id: queue.survey.rule() for queue in site.queues if queue.survey is not None}


def recording_rules(site: Site) -> Mapping[str, RecordingRule]:
    """How each queue records."""
    return {
        queue.id: RecordingRule(queue.recording, queue.recording_consent, queue.recording_retention)
        for queue in site.queues
    }


def announcement_rules(site: Site) -> Mapping[str, AnnouncementRule]:
    """What each queue tells its waiting callers."""
    return {
        queue.id: AnnouncementRule(queue.announce_position, queue.announce_wait, queue.announce_every_seconds * 1000)
        for queue in site.queues
    }


def supervisor_rights(site: Site) -> SupervisorRights:
    """Who may listen to whom: supervisors to all, team leads to their teams, both only in the queues they are given."""
    rights = {}
    for person in site.agents:
        queues = frozenset(person.supervises) or None
        if {"supervisor", "administrator"} & set(person.roles):
            rights[person.id] = Reach(queues)
        elif led := site.led_by(person):
            rights[person.id] = Reach(queues, led)
    return rights


def item_rules(site: Site) -> ItemRules:
    """Whom items are offered to, and how they stand in line."""
    plans = {queue.id: queue.lasting_plan() for queue in site.queues}
    return ItemRules(
        {queue_id: plan for queue_id, plan in plans.items() if plan is not None},
        {(queue.id, channel): queue.priority_of(channel) for queue in site.queues for channel in DEFAULT_PRIORITY},
        {agent.id: agent.queues[0] for agent in site.agents if agent.queues},
        frozenset(
            (agent.id, each.channel)
            for agent in site.agents
            for each in capacities(site.routing.capacity, agent.capacity)
            if each.most
        ),
    )


def box_watchers(site: Site) -> Mapping[str, frozenset[str]]:
    """Whose phones show which voicemail box: a queue's those of its agents, an agent's the own."""
    boxes = {queue.id: frozenset(each.id for each in site.agents if queue.id in each.queues) for queue in site.queues}
    return {**boxes, **{agent.id: frozenset({agent.id}) for agent in site.agents}}


def consent_prompts(site: Site) -> list[PromptText]:
    """What is said before recording, in every language, to be rendered beforehand."""
    found = [
        rule.announcement(queue_id, language)
        for queue_id, rule in recording_rules(site).items()
        for language in rule.consent
    ]
    return [prompt for prompt in found if prompt is not None]


def callback_rules(site: Site) -> Mapping[str, CallbackRule]:
    """How each queue calls back."""
    return {
        queue.id: CallbackRule(
            queue.callback_most,
            queue.callback_attempts,
            round(queue.callback_retry_seconds * 1000),
            round(queue.callback_within_seconds * 1000),
            None if queue.callback_hours is None else opening_hours(site.hours[queue.callback_hours]),
            queue.callback_unanswered == "call",
            queue.callback_order == "customer",
            queue.callback_ring_seconds * 1000,
        )
        for queue in site.queues
    }


def callback_greetings(site: Site) -> Greetings:
    """What customers who are called back first hear."""
    return Greetings({queue.id: queue.callback_greeting for queue in site.queues if queue.callback_order == "customer"})


def route_plans(site: Site) -> Mapping[str, PersonalPlan]:
    """The route plans that flows may name."""
    return {each.id: each.plan() for each in site.route_plans}
