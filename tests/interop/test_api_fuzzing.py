"""An independent program reads the OpenAPI document of a running installation and sends what it allows, and what not.

Nothing that anybody can send is answered with a server error. Half of the requests are about customers, promises and
files that are there, so that they come further than to the door.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case

from tests.support.installation import BOSS, PASSWORD, Installation, Plan, running_installation

pytestmark = pytest.mark.interop

EXAMPLES = 8
"""Requests for each operation. `tests/soak` sends more."""
PERSON = "/api/v1/customers"
SPARED = ("/api/v1/customers/{customer_id}/erasure",)
"""Those who are known are needed to the end."""
RULES = settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1)) as house:
        yield house


@pytest.fixture(scope="module")
def web(house: Installation) -> Iterator[httpx.Client]:
    """Somebody who may do everything."""
    headers = {"Origin": house.base_url}
    with httpx.Client(base_url=house.base_url, headers=headers, trust_env=False, timeout=20.0) as client:
        client.post("/api/session", json={"login": BOSS, "password": PASSWORD}).raise_for_status()
        yield client


@pytest.fixture(scope="module")
def known(web: httpx.Client) -> dict[str, list[str]]:
    """Ids that are there, by the name of the path parameter."""
    ids: dict[str, list[str]] = {name: [] for name in ("customer_id", "promise_id", "attachment_id", "point_id")}
    for name in ("Ada Lovelace", "王小明"):
        customer = made(web, PERSON, json={"display_name": name, "contact_points": [{"value": "+8613912345678"}]})
        ids["customer_id"].append(customer["id"])
        ids["point_id"].append(customer["contact_points"][0]["id"])
        path = f"{PERSON}/{customer['id']}"
        due = {"what": "call back", "due_at": "2026-03-02T12:00:00Z"}
        ids["promise_id"].append(made(web, f"{path}/promises", json=due)["id"])
        ids["attachment_id"].append(made(web, f"{path}/files?file_name=a.txt", content=b"x")["id"])
    return ids


def made(web: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = web.post(path, **body)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture(scope="module")
def api(web: httpx.Client) -> schemathesis.BaseSchema:
    document = web.get("/api/openapi.json").json()
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.update(base_url=str(web.base_url))
    return loaded


def test_nothing_that_is_sent_is_answered_with_a_server_error(
    api: schemathesis.BaseSchema, web: httpx.Client, known: dict[str, list[str]], house: Installation
) -> None:
    asked: Counter[int] = Counter()

    def send(case: Case) -> None:
        dice = random.Random(repr((case.method, case.path, case.path_parameters, case.body)))
        path = dict(case.path_parameters or {})
        for name, ids in known.items():
            if name in path and dice.random() < 0.5 and case.path not in SPARED:
                path[name] = dice.choice(ids)
        case.path_parameters = path
        answer = case.call(base_url=house.base_url, headers={"Origin": house.base_url}, cookies=dict(web.cookies))
        asked[answer.status_code] += 1
        assert answer.status_code < 500, (answer.status_code, case.as_curl_command(), answer.text[:500])

    operations = [each.ok() for each in api.get_all_operations()]
    assert len(operations) > 80
    for operation in operations:
        if (operation.method.upper(), operation.path) == ("DELETE", "/api/session"):
            continue  # signs out

        @RULES
        @given(operation.as_strategy())
        def fuzz(case: Case) -> None:
            send(case)

        fuzz()
    assert asked.total() > len(operations) * EXAMPLES / 2
    assert asked[200] + asked[201] > asked.total() / 10, asked
    assert web.get("/api/v1/audit/chain").json()["is_whole"]
    assert "Traceback" not in house.output
