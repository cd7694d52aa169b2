"""Configuration and site: what is wrong is said with file, place and remedy, before anything starts."""

from pathlib import Path
from typing import get_args

import pytest

from agent_console.ports import Role, WrapUpRule
from callcenter.accounts import SiteAccounts, principal_of
from callcenter.config import MessagesSection, load_settings
from callcenter.demo.company import PEOPLE, found_company
from callcenter.errors import ConfigError
from callcenter.secret import installation_key
from callcenter.sip.digest import ha1
from callcenter.site.models import RoleName, Site
from callcenter.site.people import add_person
from callcenter.site.repository import load_flows, load_site
from callcenter.site.rules import floor_configuration
from callcenter.surveys.rules import SurveyRule
from callcenter.surveys.setup import check_surveys
from callcenter.web_parts import desk_settings
from crm_bridge.permissions import Role as StoreRole
from crm_bridge.permissions import permissions_of

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    found_company(folder, sip_port=5070, web_port=8070)
    return folder


@pytest.fixture(scope="module")
def site(company: Path) -> Site:
    return load_site(company / "site.toml")


def wrong(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    return str(caught.value)


def test_demo_company_is_valid_and_complete(company: Path, site: Site) -> None:
    assert {agent.id for agent in site.agents} == {person.login for person in PEOPLE}
    assert len([agent for agent in site.agents if agent.queues]) == 6
    assert len(site.queues) == 2
    flows = load_flows(site, company / "site.toml")
    assert site.flow_of("+12025550100") in flows
    assert site.flow_of("12025550100") == site.flow_of("+12025550100")
    assert site.flow_of("+19995550199") is None


def test_second_start_keeps_the_company_and_its_password(company: Path) -> None:
    before = (company / "site.toml").read_bytes()
    first = found_company(company, sip_port=5071, web_port=8071)
    second = found_company(company, sip_port=5071, web_port=8071)
    assert first.password == second.password
    assert (company / "site.toml").read_bytes() == before
    assert load_settings(first.config).sip.port == 5071


def test_password_is_in_no_file_but_its_own(company: Path) -> None:
    password = (company / "password").read_text("utf-8").strip()
    assert (company / "password").stat().st_mode & 0o077 == 0
    assert all(password not in path.read_text("utf-8") for path in company.glob("*.toml"))


def test_supervisor_without_queues_is_no_agent_of_the_floor(site: Site) -> None:
    assert "boss" not in {agent.agent_id for agent in floor_configuration(site).agents}


def test_unknown_key_is_refused_with_its_path(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text("[sip]\nprot = 5060\n", "utf-8")
    with pytest.raises(ConfigError, match=r"callcenter\.toml: sip\.prot: unknown key"):
        load_settings(file)


def test_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text("[sip]\nport = 5060\n", "utf-8")
    monkeypatch.setenv("CALLCENTER_SIP__PORT", "5099")
    assert load_settings(file).sip.port == 5099


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load_settings(tmp_path / "none.toml")


def test_upside_down_port_range_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text("[media]\nport_min = 30000\nport_max = 20000\n", "utf-8")
    with pytest.raises(ConfigError, match="port_min"):
        load_settings(file)


def test_an_ipv6_host_of_media_is_for_phones_alone(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text('[media]\nhost = "::1"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"webrtc\.enabled = false"):
        load_settings(file)
    file.write_text('[media]\nhost = "::1"\nwebrtc.enabled = false\n', "utf-8")
    assert load_settings(file).media.host == "::1"


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text('data_dir = "data"\nsite = "our.toml"\n', "utf-8")
    settings = load_settings(file)
    assert settings.data_dir == tmp_path / "data"
    assert settings.site == tmp_path / "our.toml"


BASE = """
company = "X"
queues = [{ id = "sales", name = "Sales" }]
trunks = []
flows = [{ id = "main", file = "builtin:demo" }]
"""
AGENT = 'id = "anna", name = "Anna", login = "anna", password_hash = "x"'


def test_number_without_a_flow_is_named(tmp_path: Path) -> None:
    text = f'{BASE}\nagents = []\nnumbers = [{{ number = "1", flow = "night" }}]'
    assert "number 1: no flow is called 'night'" in wrong(tmp_path / "s.toml", text)


def test_agent_of_an_unknown_queue_is_named(tmp_path: Path) -> None:
    text = f'{BASE}\nnumbers = []\nagents = [{{ {AGENT}, queues = ["slaes"] }}]'
    assert "agent anna: no queue is called 'slaes'" in wrong(tmp_path / "s.toml", text)


def test_two_agents_of_one_name_are_refused(tmp_path: Path) -> None:
    text = f"{BASE}\nnumbers = []\nagents = [{{ {AGENT} }}, {{ {AGENT} }}]"
    assert "agent 'anna' stands there twice" in wrong(tmp_path / "s.toml", text)


def test_trunk_address_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    text = f'{BASE}\nnumbers = []\nagents = []\ntrunks = [{{ id = "t", addresses = ["carrier"] }}]'.replace(
        "trunks = []\n", ""
    )
    assert "trunks.0.addresses" in wrong(tmp_path / "s.toml", text)


def test_unknown_time_zone_is_refused_with_an_example(tmp_path: Path) -> None:
    text = f'time_zone = "Mars/Olympus"\n{BASE}\nnumbers = []\nagents = []'
    assert "Europe/Berlin" in wrong(tmp_path / "s.toml", text)


def test_added_person_can_sign_in_and_register(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(f"{BASE}\nnumbers = []\nagents = []", "utf-8")
    path.write_text(path.read_text("utf-8").replace("agents = []", ""), "utf-8")
    site = add_person(
        path,
        realm="callcenter",
        login="nora",
        name='Nora "N" Quist',
        password="pa ss",
        roles=("agent",),
        queues=("sales",),
        skills={"en": "2"},
        teams=("north", "key-accounts"),
    )
    (nora,) = site.agents
    assert nora.teams == ("north", "key-accounts")
    assert nora.name == 'Nora "N" Quist'
    assert nora.sip_ha1_sha256 == ha1("nora", "callcenter", "pa ss", "SHA-256")
    assert "pa ss" not in path.read_text("utf-8")


def test_person_who_does_not_fit_leaves_the_file_as_it_was(company: Path) -> None:
    path = company / "site.toml"
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="twice"):
        add_person(path, realm="r", login="anna", name="A", password="p", roles=("agent",), queues=(), skills={})
    assert path.read_bytes() == before
    assert not list(company.glob("*.new.toml"))


async def test_only_the_right_password_signs_in(company: Path, site: Site) -> None:
    accounts = SiteAccounts(site)
    password = (company / "password").read_text("utf-8").strip()
    principal = await accounts.verify("anna", password)
    assert principal is not None
    assert (principal.agent_id, principal.queue_ids) == ("anna", frozenset({"sales", "support"}))
    assert await accounts.verify("anna", password + "x") is None
    assert await accounts.verify("nobody", password) is None
    boss = await accounts.find("boss")
    assert boss is not None
    assert boss.agent_id is None
    assert boss.may_see_floor()
    assert await accounts.find("nobody") is None


def test_installation_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    key = installation_key(path)
    assert installation_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="damaged"):
        installation_key(path)


def test_people_of_every_role_sign_in_with_their_teams(tmp_path: Path) -> None:
    """The site's roles, the console's and the customer store's are the same words."""
    assert {role.value for role in Role} == {role.value for role in StoreRole} == set(get_args(RoleName))
    path = tmp_path / "site.toml"
    path.write_text(f"{BASE}\nnumbers = []", "utf-8")
    for role in set(Role) - {Role.INTEGRATION}:
        site = add_person(
            path, realm="r", login=f"a-{role}".replace("_", "-"), name="A", password="p", roles=(role.value,),
            queues=(), skills={}, teams=("north",),
        )  # fmt: skip
    for agent in site.agents:
        principal = principal_of(agent, site)
        assert (principal.roles, principal.teams) == (frozenset(Role(role) for role in agent.roles), {"north"})
        assert permissions_of(str(role) for role in principal.roles)


async def test_a_program_has_no_password(company: Path, site: Site) -> None:
    """Neither made anew nor, of an account from before, at the sign-in or in a session that is still open."""
    path = company / "site.toml"
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="callcenter token create erp"):
        add_person(path, realm="r", login="erp", name="E", password="p", roles=("integration",), queues=(), skills={})
    assert path.read_bytes() == before
    password = (company / "password").read_text("utf-8").strip()
    programs = [agent.model_copy(update={"roles": ["integration"]}) for agent in site.agents]
    accounts = SiteAccounts(site.model_copy(update={"agents": programs}))
    assert await accounts.verify("anna", password) is None
    assert await accounts.find("anna") is None


def refused(site: Site, **changes: object) -> str:
    values = site.model_dump()
    values["queues"][0].update(changes)
    with pytest.raises(ValueError, match=r".") as caught:
        Site.model_validate(values)
    return str(caught.value)


def test_a_queue_says_how_it_treats_its_contacts(site: Site) -> None:
    values = site.model_dump()
    first, other = values["queues"][0], values["queues"][1]["id"]
    first.update(
        steps=[{"demand": "expert >= 2", "until_seconds": 30}, {"guard": "at_work"}],
        longest_wait_seconds=600,
        otherwise=f"queue:{other}",
        max_waiting=5,
        wrap_up_mode="mandatory",
    )
    values["agents"][0]["second_line"] = {values["agents"][0]["queues"][0]: 45}
    values["routing"] = {"priority_worth_seconds": 60, "quarantine_after": 3}
    floor = floor_configuration(Site.model_validate(values))
    spec = floor.queues[0]
    assert spec.plan is not None
    assert [step.until_ms for step in spec.plan.steps] == [30_000, 600_000]
    assert (spec.plan.otherwise, spec.otherwise, spec.max_waiting) == (f"queue:{other}", f"queue:{other}", 5)
    assert (spec.wrap_up_mode, floor.priority_worth_ms, floor.quarantine_after) == ("mandatory", 60_000, 3)
    assert floor.agents[0].delays[0].delay_ms == 45_000


def test_what_is_wrong_with_a_queue_is_said(site: Site) -> None:
    assert "is no way out" in refused(site, otherwise="voicemail")
    assert "no other queue" in refused(site, otherwise="queue:nowhere")
    assert "never ends" in refused(site, steps=[{}, {}])
    assert "steps.0.demand" in refused(site, steps=[{"demand": "expert >="}])
    assert "no disposition" in refused(site, wrap_up_timeout_code="nothing")


@pytest.mark.parametrize(
    ("survey", "fault"),
    [
        ('{ texts = { en = "How was it?" } }', "the text has no {link}"),
        ('{ texts = { en = "{name}: {link}" } }', "{name} is no blank; there are {company}, {link}, {scale}"),
        ('{ texts = { en = "{ {link}" } }', "a brace stands alone"),
        ('{ kind = "smiley" }', "queues.0.survey.kind"),
        ('{ channels = ["fax"] }', "queues.0.survey.channels.0"),
        ('{ channels = ["sms", "sms"] }', "each channel once"),
        ("{ share_percent = 101 }", "queues.0.survey.share_percent"),
        ("{ often = true }", "unknown key"),
    ],
)
def test_what_is_wrong_with_a_survey_is_said(tmp_path: Path, survey: str, fault: str) -> None:
    told = wrong(tmp_path / "site.toml", f'[[queues]]\nid = "sales"\nname = "Sales"\nsurvey = {survey}\n')
    assert fault in told


def test_a_gateway_whose_signature_nothing_checks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.surveys.setup.find_spec", lambda _: None)
    sms = {"url": "https://sms.example/m", "account": "a", "sender": "+1", "token": "t", "queue": "sales"}
    with pytest.raises(ConfigError, match=r"pip install callcenter\[sms\]"):
        check_surveys({}, MessagesSection.model_validate({"sms": sms}), {"sales"})


def test_surveys_need_somebody_who_sends_them_and_a_page_that_customers_reach() -> None:
    rules = {"sales": SurveyRule(channels=("email",))}
    public, mail = {"public_url": "https://contact.example"}, {"host": "mail.example", "sender": "Us <us@example.com>"}
    sms = {"url": "https://sms.example/m", "account": "a", "sender": "+1", "token": "t", "queue": "sales"}
    for told, fault in (
        ({}, "set messages.public_url"),
        (public, "nothing that sends it: fill in [messages.email]"),
        (public | {"sms": sms}, "nothing that sends it: fill in [messages.email]"),
        (public | {"sms": sms | {"queue": "x"}}, "the site has no queue 'x'"),
    ):
        with pytest.raises(ConfigError) as caught:
            check_surveys(rules, MessagesSection.model_validate(told), {"sales"})
        assert fault in str(caught.value)
    check_surveys(rules, MessagesSection.model_validate(public | {"email": mail}), {"sales"})
    for wrong_part in ({"email": mail | {"sender": "us"}}, {"sms": sms | {"token": None}}, {"public_url": "ftp://x"}):
        with pytest.raises(ValueError, match=r"sender|token_file|public_url"):
            MessagesSection.model_validate(wrong_part)


def test_the_desk_knows_how_the_wrap_up_of_each_queue_ends(site: Site) -> None:
    values = site.model_dump()
    code = values["dispositions"][0]["code"]
    values["queues"][0].update(
        wrap_up_mode="timed_no_early_exit", wrap_up_extension_seconds=60, wrap_up_timeout_code=code
    )
    values["queues"][1].update(wrap_up_mode="mandatory", wrap_up_extension_seconds=0, wrap_up_timeout_code=None)
    settings = desk_settings(Site.model_validate(values))
    first, second = settings.wrap_up[:2]
    assert {each.code for each in settings.people} > {each.code for each in settings.agents}, "supervisors have names"
    assert first == WrapUpRule(values["queues"][0]["id"], "timed_no_early_exit", True, code)
    assert second == WrapUpRule(values["queues"][1]["id"], "mandatory", False, "")
