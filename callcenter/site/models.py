"""The site: what people edit daily. Validated whole, so that an error names its place before anything starts."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from callcenter.sip.media_keys import SrtpPolicy
from callcenter.site.channels import CapacityTable, InterruptTable, capacities, unknown_interrupts
from callcenter.site.feature_codes import FeatureCodesModel
from callcenter.site.fields import Name, SiteModel
from callcenter.site.opening_hours import HoursTable, opening_hours
from callcenter.site.outbound import OutboundModel, outbound_faults
from callcenter.site.queues import QueueModel, RoutePlanModel, RoutingModel
from callcenter.site.trunks import TrunkModel
from ivr.hours import Hours

RoleName = Literal["agent", "team_lead", "supervisor", "administrator", "auditor", "integration"]


class AgentModel(SiteModel):
    """Somebody who signs in: an agent when ``queues`` is not empty, a supervisor by ``roles``."""

    id: Name
    name: str
    login: Name
    password_hash: str
    """argon2id, as ``callcenter add-user`` writes it."""
    roles: tuple[RoleName, ...] = ("agent",)
    queues: tuple[Name, ...] = ()
    teams: tuple[Name, ...] = ()
    """Whose customers the person sees besides those of no team; supervisors and those above see all teams'. A team lead
    also sees, and may supervise, the agents who share one."""
    supervises: tuple[Name, ...] = ()
    """Queues whose conversations a supervisor may listen to and speak in; empty: those of all."""
    skills: dict[Name, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)
    second_line: dict[Name, Annotated[float, Field(gt=0, le=86_400)]] = Field(default_factory=dict)
    """Queues for which the agent is asked only once a contact has waited so many seconds."""
    capacity: CapacityTable = Field(default_factory=dict)
    """How many contacts of each channel at once: ``{ chat = 3, email = 5, message = 2 }``; ``voice = 0`` is an agent
    without calls. Of channels that are not named what ``[routing]`` says, else one call and one message."""
    interrupts: InterruptTable | None = None
    """What may be offered beside what: ``{ voice = ["message"] }``; left out: what ``[routing]`` says, else calls
    beside everything but chats."""
    language: str = "en"
    phone: Literal["sip", "browser", "both"] = "both"
    """What rings: the agent's SIP phones, the console in the browser, or whichever is there (both ring together)."""
    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL
    """Encryption of the agent's SIP phones: ``never``, ``optional`` (where both sides have it) or ``required``; keys go
    over TLS."""
    keys_without_tls: bool = False
    """Whether keys of SRTP may go by UDP or TCP, where everybody on the way reads them along; also behind a proxy."""
    sip_ha1_sha256: str | None = None
    sip_ha1_md5: str | None = None
    """Digest secrets of the agent's phone, whose user name is the agent's id (RFC 7616); never the password itself."""


class NumberModel(SiteModel):
    """A number people dial, and the flow that answers it. ``*`` stands for every number that has no entry."""

    number: str
    flow: Name


class FlowModel(SiteModel):
    """A call flow: a TOML file, or the one named ``demo`` that comes with the product."""

    id: Name
    file: str


class ChoiceModel(SiteModel):
    """An entry of a list, labelled in each language."""

    code: Name
    labels: dict[str, str]


class ReasonModel(ChoiceModel):
    """Why an agent is not ready."""

    activity: Literal["on_queue", "break", "training", "meeting", "leave", "other"] | None = None
    """What the roster calls it; left out, codes named like an activity (and ``lunch``) are that one, others none."""


class DispositionModel(ChoiceModel):
    """A wrap-up code."""

    right_party: bool = False
    """Whether the person who was meant was reached (right-party contact)."""
    issue: Name | None = None
    """What the contact was about, where several codes are about the same; left out, each code is its own issue."""


class CriterionModel(SiteModel):
    """One line of a quality form."""

    id: Name
    labels: dict[str, str]
    weight: int = Field(default=1, ge=1, le=1000)
    most: int = Field(default=1, ge=1, le=100)
    """Points from 0 to this."""
    fatal: bool = False
    """No point here, and the whole score is 0."""
    may_not_apply: bool = False


class QualityFormModel(SiteModel):
    """What supervisors score conversations by."""

    id: Name
    labels: dict[str, str]
    queues: tuple[Name, ...] = ()
    """Whose conversations; empty: those of all queues for which no form stands before this one."""
    criteria: tuple[CriterionModel, ...] = Field(min_length=1)


class Site(SiteModel):
    """One company."""

    company: str
    time_zone: str = "UTC"
    region: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    """Where national numbers belong (ISO 3166)."""
    queues: tuple[QueueModel, ...]
    agents: tuple[AgentModel, ...]
    trunks: tuple[TrunkModel, ...] = ()
    """Without one, nobody outside can call, nor be called."""
    outbound: OutboundModel = OutboundModel()
    """Calls to the outside; without this section only emergency calls leave the house."""
    numbers: tuple[NumberModel, ...]
    flows: tuple[FlowModel, ...]
    route_plans: tuple[RoutePlanModel, ...] = ()
    hours: dict[Name, HoursTable] = Field(default_factory=dict)
    """When queues are open, by name, written as in flows: time zone, weekly periods, holidays."""
    routing: RoutingModel = RoutingModel()
    feature_codes: FeatureCodesModel = FeatureCodesModel()
    tell_of_supervision: bool = False
    """Whether agents see on their desk that a supervisor listens."""
    quiet_hours_by_hand: Literal["ask", "ignore"] = "ask"
    """Whether somebody must answer for dialling a customer in quiet hours. The do-not-call list always holds."""
    phones_unanswered: Literal["call", "refuse"] = "call"
    """What becomes of a call that a phone dials, or hands on, while the customer store cannot say whether it may be."""
    agents_override_quiet_hours: bool = False
    """Whether agents may answer for it themselves; team leads and those above always may."""
    not_ready_reasons: tuple[ReasonModel, ...] = ()
    dispositions: tuple[DispositionModel, ...] = ()
    quality_forms: tuple[QualityFormModel, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is not a time zone; write one such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [
            *_repeated("queue", (queue.id for queue in self.queues)),
            *_repeated("agent", (agent.id for agent in self.agents)),
            *_repeated("login", (agent.login for agent in self.agents)),
            *_repeated("trunk", (trunk.id for trunk in self.trunks)),
            *_repeated("number", (number.number for number in self.numbers)),
            *_repeated("flow", (flow.id for flow in self.flows)),
            *_repeated("route plan", (plan.id for plan in self.route_plans)),
            *_repeated("quality form", (form.id for form in self.quality_forms)),
            *(
                fault
                for form in self.quality_forms
                for fault in _repeated(f"quality form {form.id}: criterion", (each.id for each in form.criteria))
            ),
        ]
        queues = {queue.id for queue in self.queues}
        flows = {flow.id for flow in self.flows}
        for agent in self.agents:
            named = (*agent.queues, *agent.supervises)
            faults += [f"agent {agent.id}: no queue is called {each!r}" for each in named if each not in queues]
            taken = capacities(self.routing.capacity, agent.capacity)
            faults += [
                f"agent {agent.id}: interrupts names {each}, of which its capacity is 0"
                for each in unknown_interrupts(agent.interrupts, taken)
            ]
            strange = [each for each in agent.second_line if each not in agent.queues]
            faults += [f"agent {agent.id}: second_line names {each!r}, which is none of its queues" for each in strange]
        faults += [*self._overflow_faults(queues)]
        faults += [*self._interrupt_faults()]
        faults += [
            f"quality form {form.id}: no queue is called {each!r}"
            for form in self.quality_forms
            for each in form.queues
            if each not in queues
        ]
        for number in self.numbers:
            if number.flow not in flows:
                faults.append(f"number {number.number}: no flow is called {number.flow!r}")
        faults += outbound_faults(self)
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _interrupt_faults(self) -> Iterable[str]:
        """What no agent of a queue could ever have or be given."""
        for queue in self.queues:
            serving = [agent for agent in self.agents if queue.id in agent.queues]
            taken = (capacities(self.routing.capacity, agent.capacity) for agent in serving)
            for each in unknown_interrupts(queue.interrupts, *taken) if serving else ():
                yield f"queue {queue.id}: interrupts names {each}, of which none of its agents takes anything"

    def _overflow_faults(self, queues: set[str]) -> Iterable[str]:
        codes = {each.code for each in self.dispositions}
        for queue in self.queues:
            target = queue.overflows_to()
            if target is not None and target not in queues - {queue.id}:
                yield f"queue {queue.id}: otherwise names {target!r}, which is no other queue"
            if queue.hours is not None and queue.hours not in self.hours:
                yield f"queue {queue.id}: no [hours.{queue.hours}] is there; {_known_hours(self.hours)}"
            if queue.callback_hours is not None and queue.callback_hours not in self.hours:
                yield (
                    f"queue {queue.id}: callback_hours names {queue.callback_hours!r}, and no such [hours] is there; "
                    f"{_known_hours(self.hours)}"
                )
            if queue.wrap_up_timeout_code is not None and queue.wrap_up_timeout_code not in codes:
                yield f"queue {queue.id}: wrap_up_timeout_code {queue.wrap_up_timeout_code!r} is no disposition"

    def queue_hours(self) -> Mapping[str, Hours]:
        """The hours of each queue that is not always open."""
        return {each.id: opening_hours(self.hours[each.hours]) for each in self.queues if each.hours is not None}

    def may_override_hours(self) -> frozenset[str]:
        """Who may answer for dialling a customer in quiet hours."""
        above = {"team_lead", "supervisor", "administrator"}
        return frozenset(
            each.id for each in self.agents if self.agents_override_quiet_hours or above.intersection(each.roles)
        )

    def led_by(self, person: AgentModel) -> frozenset[str]:
        """The seats that a person leads: those of the own teams, but for the own one; none unless a team lead."""
        if "team_lead" not in person.roles:
            return frozenset()
        return frozenset(each.id for each in self.seats_of(person.teams) if each.id != person.id)

    def seats_of(self, teams: Iterable[str]) -> list[AgentModel]:
        """The agents of any of these teams who have a seat."""
        wanted = set(teams)
        return [each for each in self.agents if each.queues and wanted & set(each.teams)]

    def flow_of(self, number: str) -> str | None:
        """The flow that answers a dialled number; ``+`` is not told apart. ``None`` when nobody lives there."""
        flows = {each.number.lstrip("+"): each.flow for each in self.numbers}
        return flows.get(number.lstrip("+"), flows.get("*"))


def _known_hours(hours: Mapping[str, object]) -> str:
    return f"there is {', '.join(f'[hours.{name}]' for name in sorted(hours))}" if hours else "write that table"


def _repeated(what: str, names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [f"{what} {name!r} stands there twice" for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
