"""Logs never hold what is personal: not under marked keys, and not by way of a traceback."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from callcenter.logs import configure_logs

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the logging of the other tests as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("as_json", [True, False])
def test_marked_values_and_variables_of_a_traceback_are_not_written(
    monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    configure_logs("test", as_json=as_json)
    secret_number = "+12025550199"
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("it broke", caller_pii=secret_number, call_id="c1")
    text = written.getvalue()
    assert "it broke" in text
    assert "c1" in text
    assert "broken" in text
    assert secret_number not in text
    if as_json:
        assert json.loads(text)["process"] == "test"


def test_level_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("CALLCENTER_LOG__LEVEL", "warning")
    configure_logs("test", as_json=True)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert "quiet" not in written.getvalue()
    assert "loud" in written.getvalue()
