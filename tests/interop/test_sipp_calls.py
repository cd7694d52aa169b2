"""SIPp plays the carrier: its calls go through menu, queue and agent of a real installation, over real UDP."""

import socket
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from callcenter.demo.console_client import ConsoleClient
from tests.support.floor_people import Seat, seats
from tests.support.installation import (
    PASSWORD,
    Installation,
    Plan,
    interactions,
    running_installation,
    until_recorded,
)
from tests.support.peers import missing
from tests.support.sipp import bring_digit_sounds, run_sipp
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = pytest.mark.interop

AGENTS = 40
CALLS = 100
PER_SECOND = 10
TALK_SECONDS = 1.2


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    md5 = ('digest_algorithms = ["MD5"]',)  # SIPp knows no other
    with running_installation(Plan(agents=AGENTS, wrap_up_seconds=0, media_ports=2400, sip_lines=md5)) as house:
        yield house


async def until_floor_is_clear(boss: ConsoleClient, house: Installation) -> None:
    """Nobody is busy, nobody waits, no contact is left, no RTP socket is open."""
    await until(
        "no agent is left in a call", lambda: not {"offered", "busy"} & {a["state"] for a in boss.agents.values()}
    )
    await until("no contact is left on the floor", lambda: not boss.contacts)
    await until("no queue shows a waiting contact", lambda: not any(q["waiting"] for q in boss.queues.values()))
    await until("every RTP port is given back", lambda: not house.media_sockets())


async def test_a_hundred_calls_at_ten_a_second_all_reach_an_agent(house: Installation, tmp_path):
    async with house.signed_in() as http, watching(house) as boss:
        before = await contact_ids(http)
        async with seats(house, speaks=False, hangs_up_after=TALK_SECONDS) as agents:
            result = await run_sipp(house, "uac-menu-by-info", tmp_path, calls=CALLS, rate=PER_SECOND, within=100)
            assert result.good, result.errors
            assert result.successful == CALLS
            recorded = await until_recorded(http, len(before) + CALLS)
            await until_floor_is_clear(boss, house)
            await until("every console shows it", lambda: {agent.state for agent in agents} == {"ready"})
            assert sum(len(agent.talks) for agent in agents) == CALLS
        new = [each for each in recorded if each["contact_id"] not in before]
        assert Counter(each["outcome"] for each in new) == {"answered": CALLS}
        assert len({each["from_value"] for each in new}) == CALLS
        assert {tuple(each["flow_path"]) for each in new} == {("English", "Support")}
        assert {each["ended_by"] for each in new} == {"agent"}


async def test_calls_that_press_keys_by_telephone_events_reach_an_agent(house: Installation, tmp_path):
    may_send_raw_packets()
    bring_digit_sounds(tmp_path, "12")
    async with house.signed_in() as http, watching(house) as boss:
        before = await contact_ids(http)
        async with seats(house, 5, speaks=False, hangs_up_after=TALK_SECONDS):
            result = await run_sipp(house, "uac-menu-by-telephone-event", tmp_path, calls=10)
            assert result.good, result.errors
            recorded = await until_recorded(http, len(before) + 10)
            await until_floor_is_clear(boss, house)
        new = [each for each in recorded if each["contact_id"] not in before]
        assert {(each["outcome"], *each["flow_path"]) for each in new} == {("answered", "English", "Support")}


async def test_a_customer_who_gives_up_while_a_phone_rings_frees_the_agent(house: Installation, tmp_path):
    async with house.signed_in() as http, watching(house) as boss, Seat(house, "agent1", answers=False) as seat:
        before = await contact_ids(http)
        await seat.go_ready()
        result = await run_sipp(house, "uac-hangs-up-while-an-agent-rings", tmp_path)
        assert result.good, result.errors
        call = seat.ringing.get_nowait()
        await until("the phone stops ringing", call.cancelled.is_set)
        await seat.until_state("ready")
        recorded = await until_recorded(http, len(before) + 1)
        assert recorded[0]["outcome"] == "abandoned"
        assert not seat.talks
        await until_floor_is_clear(boss, house)


async def test_a_customer_who_hangs_up_in_the_menu_is_recorded_so(house: Installation, tmp_path):
    async with house.signed_in() as http, watching(house) as boss:
        before = await contact_ids(http)
        result = await run_sipp(house, "uac-hangs-up-in-menu", tmp_path)
        assert result.good, result.errors
        recorded = await until_recorded(http, len(before) + 1)
        assert recorded[0]["outcome"] == "abandoned_in_flow"
        await until_floor_is_clear(boss, house)


async def test_a_lost_ack_is_answered_again_until_it_comes(house: Installation, tmp_path):
    async with house.signed_in() as http, watching(house) as boss:
        before = await contact_ids(http)
        result = await run_sipp(house, "uac-lost-ack", tmp_path, keep_messages=True)
        assert result.good, result.errors
        answers = [
            each for each in result.messages.split("UDP message ") if each.startswith("received") and is_answer(each)
        ]
        assert len(answers) >= 3, result.messages
        recorded = await until_recorded(http, len(before) + 1)
        assert recorded[0]["outcome"] == "abandoned_in_flow"
        await until_floor_is_clear(boss, house)


@pytest.mark.parametrize("scenario", ["uac-renegotiates", "uac-late-offer"])
async def test_a_carrier_may_describe_its_audio_late_and_anew(house: Installation, tmp_path, scenario):
    async with house.signed_in() as http, watching(house) as boss:
        before = await interactions(http)
        result = await run_sipp(house, scenario, tmp_path)
        assert result.good, result.errors
        await until_recorded(http, len(before) + 1)
        await until_floor_is_clear(boss, house)


async def test_sipp_registers_as_an_agents_phone_and_leaves(house: Installation, tmp_path):
    async with watching(house) as boss:
        result = await run_sipp(
            house, "uac-registers", tmp_path, number="agent1", host="127.0.0.7", login=("agent1", PASSWORD)
        )
        assert result.good, result.errors
        await until("the phone is gone again", lambda: not boss.agents["agent1"]["phone_registered"])


async def test_a_carrier_may_not_hand_its_call_on(house: Installation, tmp_path):
    async with house.signed_in() as http:
        before = await interactions(http)
        result = await run_sipp(house, "uac-refers", tmp_path)
        assert result.good, result.errors
        recorded = await until_recorded(http, len(before) + 1)
        assert recorded[0]["outcome"] == "abandoned_in_flow", "it stayed where it was"


async def test_a_number_that_nobody_has_is_not_found(house: Installation, tmp_path):
    async with house.signed_in() as http:
        before = await contact_ids(http)
        result = await run_sipp(house, "uac-unknown-number", tmp_path, number="+12025550199")
        assert result.good, result.errors
        assert await contact_ids(http) == before


async def test_a_stranger_is_asked_for_credentials_whether_the_number_exists_or_not(house: Installation, tmp_path):
    async with house.signed_in() as http:
        before = await contact_ids(http)
        for number in ("+12025550100", "+12025550199"):
            folder = tmp_path / number[1:]
            folder.mkdir()
            result = await run_sipp(house, "uac-from-unknown-address", folder, number=number, host="127.0.0.9")
            assert result.good, result.errors
        assert await contact_ids(http) == before


async def contact_ids(http: httpx.AsyncClient) -> set[str]:
    """Whom the store knows of. Only that: a line's quality is told a while after its call."""
    return {each["contact_id"] for each in await interactions(http)}


def is_answer(message: str) -> bool:
    return "SIP/2.0 200 " in message and "CSeq: 1 INVITE" in message


def may_send_raw_packets() -> None:
    """SIPp sends recorded packets through a raw socket, which not everybody may open."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
    except PermissionError:
        missing("SIPp may not send recorded packets here (CAP_NET_RAW)")
