"""The measurement of media measures: a few calls of each kind, through real processes."""

import json

import pytest
from typer.testing import CliRunner

from callcenter.cli import app
from callcenter.media.measuring import measure_failover
from callcenter.media.mediad.settings import RelayLoop
from tests.support.mediad_process import LOOPS

pytestmark = pytest.mark.interop


def test_the_command_prints_what_came_back() -> None:
    counts = ["--relayed", "3", "--mixed", "3", "--recorded", "3", "--waiting", "5", "--browsers", "3"]
    result = CliRunner().invoke(app, ["bench", "media", *counts, "--seconds", "1", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output.strip().splitlines()[-1])
    assert (figures["relayed_calls"], figures["mixed_calls"], figures["recorded_calls"]) == (3, 3, 3)
    assert figures["lost_packets"] == 0
    assert 0 < figures["relayed_p50_ms"] <= figures["relayed_p99_ms"]
    assert figures["recorded_p99_ms"] > 0
    assert figures["mixed_p99_ms"] > 10, "half a frame at least waits in the jitter buffer"
    assert 0 <= figures["mixed_late_p50_ms"] <= figures["mixed_late_p99_ms"]
    assert figures["music_500_cpu_percent"] > 0
    assert (figures["browser_agents"], figures["browser_lost_packets"]) == (3, 0)
    assert 0 < figures["browser_p50_ms"] <= figures["browser_p99_ms"]


STREAMS = 20
"""Two of each call."""


@pytest.mark.parametrize("loop", LOOPS)
def test_no_packet_waits_in_vain_when_a_worker_with_a_standby_is_killed(loop: RelayLoop) -> None:
    """A thousand packets a second go on; the sockets keep them until the successor reads on.

    What the worker had read and not yet sent when it was killed is lost: one packet of each stream at most.
    """
    figures = measure_failover(calls=STREAMS // 2, seconds=2.0, standby=1, loop=loop)
    assert figures.sent > 1500
    assert figures.lost <= STREAMS
