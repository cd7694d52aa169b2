"""Trunks and calls out in the site file: what is wrong is named, and what is right is what the check does."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.cli import app
from callcenter.errors import ConfigError
from callcenter.ports import Allowed
from callcenter.sip.flows import Transport
from callcenter.sip.media_keys import SrtpPolicy
from callcenter.site.models import Site
from callcenter.site.outbound import numbering_rules
from callcenter.site.repository import load_site
from callcenter.site.trunks import site_trunks

pytestmark = pytest.mark.unit

NOON = 1_790_000_000_000
HEAD = """
company = "X"
region = "US"
queues = [{ id = "sales", name = "Sales" }, { id = "support", name = "Support" }]
flows = [{ id = "main", file = "builtin:demo" }]
numbers = [{ number = "+12025550100", flow = "main" }]
[[agents]]
id = "ann"
name = "Ann"
login = "ann"
password_hash = "x"
queues = ["sales"]
[[agents]]
id = "ben"
name = "Ben"
login = "ben"
password_hash = "x"
queues = ["support", "sales"]
"""
TRUNK = '[[trunks]]\nid = "carrier"\naddresses = ["192.0.2.0/24"]\n'
GATEWAY = f'{TRUNK}gateways = ["sip.carrier.example", "198.51.100.7:5070", "[2001:db8::1]:5061"]\n'


def site_of(tmp_path: Path, text: str) -> Site:
    path = tmp_path / "site.toml"
    path.write_text(HEAD + text, "utf-8")
    return load_site(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[trunks]]\nid = "t"\n', "needs addresses"),
        (f'{TRUNK}gateways = ["a b"]\n', "trunks.0.gateways.0"),
        (f'{TRUNK}gateways = ["host:99999"]\n', "no such port"),
        (f'{GATEWAY}transport = "wss"\n', "udp, tcp or tls"),
        (f"{GATEWAY}registers = true\n", "registers needs username"),
        (f'{GATEWAY}username = "u"\n', "username needs password_file or password_env"),
        (f'{GATEWAY}username = "u"\npassword = "p"\n', "trunks.0.password: unknown key"),
        (f'{GATEWAY}caller_number = "0123"\n', "trunks.0.caller_number"),
        (f'{GATEWAY}srtp = "maybe"\n', "trunks.0.srtp"),
        (f'{GATEWAY}srtp = "required"\n', 'write transport = "tls"'),
        (f'{TRUNK}[outbound]\ntrunks = ["carrier"]\n', "outbound: no trunk with gateways is called 'carrier'"),
        (f'{GATEWAY}[outbound]\nprefixes = ["0044"]\n', "outbound.prefixes.0"),
        (f'{GATEWAY}[outbound]\ncountries = ["UK4"]\n', "outbound.countries.0"),
        (f'{GATEWAY}[outbound]\nregions = ["GB"]\n', "outbound.regions: unknown key"),
        (f'{GATEWAY}[[outbound.groups]]\nid = "g"\nagents = ["eve"]\n', "outbound group g: no agent is called 'eve'"),
        (f'{GATEWAY}[[outbound.groups]]\nid = "g"\nqueues = ["x"]\n', "outbound group g: no queue is called 'x'"),
        (
            GATEWAY + "".join(f'[[outbound.groups]]\nid = "{name}"\nagents = ["ann"]\n' for name in "gh"),
            "agent 'ann' is in the groups 'g' and 'h'",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        site_of(tmp_path, text)
    assert said in str(caught.value)


def test_a_trunk_is_what_the_file_says(tmp_path: Path) -> None:
    text = f"""{GATEWAY}transport = "tls"
domain = "carrier.example"
username = "company"
password_env = "CARRIER"
registers = true
register_seconds = 120
options_seconds = 20
max_calls = 7
calls_per_second = 2.5
caller_number = "+12025550100"
caller_numbers = ["+1202555"]
srtp = "required"
trust_identity = false
"""
    (trunk,) = site_trunks(site_of(tmp_path, text).trunks, tmp_path / "site.toml", {"CARRIER": "geheim"})
    assert (trunk.gateway, trunk.gateway_port) == ("sip.carrier.example", None)
    assert trunk.more_gateways == (("198.51.100.7", 5070), ("2001:db8::1", 5061))
    assert (trunk.transport, trunk.host, trunk.srtp) == (Transport.TLS, "carrier.example", SrtpPolicy.REQUIRED)
    assert (trunk.username, trunk.password, trunk.registers, trunk.register_seconds) == ("company", "geheim", True, 120)
    assert (trunk.options_seconds, trunk.max_calls, trunk.calls_per_second) == (20, 7, 2.5)
    assert (trunk.shown("+12025550177"), trunk.shown("+4930")) == ("+12025550177", "+12025550100")
    assert not trunk.trust_identity


def test_a_password_is_read_from_its_file_or_the_variable_and_its_absence_named(tmp_path: Path) -> None:
    site = site_of(tmp_path, f'{GATEWAY}username = "u"\npassword_file = "secret"\n')
    file = tmp_path / "site.toml"
    with pytest.raises(ConfigError, match=r"trunk carrier: password_file: .*secret cannot be read"):
        site_trunks(site.trunks, file)
    (tmp_path / "secret").write_text("geheim\n", "utf-8")
    assert site_trunks(site.trunks, file)[0].password == "geheim"
    (tmp_path / "secret").write_text("\n", "utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        site_trunks(site.trunks, file)
    site = site_of(tmp_path, f'{GATEWAY}username = "u"\npassword_env = "CARRIER"\n')
    with pytest.raises(ConfigError, match="trunk carrier: password_env: CARRIER is not set"):
        site_trunks(site.trunks, file, {})


def test_check_config_names_a_missing_password(tmp_path: Path) -> None:
    site_of(tmp_path, f'{GATEWAY}username = "u"\npassword_file = "secret"\n')
    config = tmp_path / "callcenter.toml"
    config.write_text('site = "site.toml"\n', "utf-8")
    result = CliRunner().invoke(app, ["check-config", "--config", str(config)])
    assert result.exit_code == 2
    assert "trunk carrier: password_file" in result.output


def test_without_the_section_only_emergency_calls_leave_the_house(tmp_path: Path) -> None:
    rules = numbering_rules(site_of(tmp_path, GATEWAY))
    assert isinstance(rules.check("ann", "911", NOON), Allowed)
    assert not isinstance(rules.check("ann", "2025550123", NOON), Allowed)


def test_groups_are_found_by_agent_before_queue_and_caps_are_theirs(tmp_path: Path) -> None:
    text = f"""{GATEWAY}
[outbound]
national = true
denied = ["+1900"]
short_codes = ["611"]
outside_prefix = "9"
[[outbound.groups]]
id = "world"
agents = ["ben"]
countries = ["GB"]
calls_at_a_time = 1
[[outbound.groups]]
id = "none"
queues = ["sales"]
"""
    rules = numbering_rules(site_of(tmp_path, text))
    codes = {
        (agent, number): getattr(rules.check(agent, number, NOON), "code", "yes")
        for agent in ("ann", "ben", "")
        for number in ("2025550123", "9 011 44 20 7946 0958", "+12025550100", "611")
    }
    assert codes == {
        ("ann", "2025550123"): "outbound_denied",
        ("ann", "9 011 44 20 7946 0958"): "international_denied",
        ("ann", "+12025550100"): "inside",
        ("ann", "611"): "yes",
        ("ben", "2025550123"): "outbound_denied",
        ("ben", "9 011 44 20 7946 0958"): "yes",
        ("ben", "+12025550100"): "inside",
        ("ben", "611"): "concurrent_cap",
        ("", "2025550123"): "yes",
        ("", "9 011 44 20 7946 0958"): "international_denied",
        ("", "+12025550100"): "inside",
        ("", "611"): "yes",
    }
