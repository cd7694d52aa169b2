"""What `callcenter init` writes is served as it is: a caller is greeted, and both people that it names can sign in."""

import socket
from pathlib import Path

import httpx
import pytest

from callcenter.config import load_settings
from callcenter.site.beginning import begin
from tests.support.floor_people import calling
from tests.support.installation import CARRIER_HOST, SERVICE_NUMBER, Plan, serving
from tests.support.ports import free_port, free_sip_port, media_range

pytestmark = pytest.mark.interop


async def test_a_new_installation_greets_its_first_caller_and_lets_its_people_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begin(
        tmp_path,
        company="Quist",
        number=SERVICE_NUMBER,
        address="127.0.0.1",
        time_zone="UTC",
        trunk=CARRIER_HOST,
    )
    first = media_range(100)
    for name, value in {
        "SIP__PORT": free_sip_port(),
        "WEB__PORT": free_port(socket.SOCK_STREAM),
        "MEDIA__PORT_MIN": first,
        "MEDIA__PORT_MAX": first + 99,
    }.items():
        monkeypatch.setenv(f"CALLCENTER_{name}", str(value))
    with serving(tmp_path, Plan(), load_settings(made.config)) as house:
        async with calling(house, "+12125550188", keys="") as customer:
            await customer.sound.wait_frames(50)  # the greeting, then music or the tone before a message
            await customer.hang_up()
        async with httpx.AsyncClient(
            base_url=house.base_url, headers={"Origin": house.base_url}, trust_env=False, timeout=20.0
        ) as http:
            for login, password in made.passwords.items():
                answer = await http.post("/api/session", json={"login": login, "password": password})
                assert answer.status_code == httpx.codes.OK, answer.text
                await http.delete("/api/session")
            wrong = await http.post("/api/session", json={"login": login, "password": "guessed"})
            assert wrong.status_code == httpx.codes.UNAUTHORIZED
