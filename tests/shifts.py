"""Which tester runs which file, so that waiting and computing go on side by side and all testers end together.

Files of ``interop/`` and ``faults/`` start programs and wait for them: two at a time leave the processors idle for half
of the time, and three at a time disturb the sound that some of them measure. So ``make test`` has more testers, who
take files that only compute, or in which nobody listens: their turn comes when nobody else wants a processor (nice).
What takes longest begins first.
"""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

WAITING = ("tests/interop/", "tests/faults/")
SOUNDLESS = frozenset(
    {
        "tests/faults/test_kill_migration.py",
        "tests/faults/test_kill_with_items.py",
        "tests/faults/test_store_away.py",
        "tests/interop/test_api_fuzzing.py",
        "tests/interop/test_browser.py",
        "tests/interop/test_browser_appraisal.py",
        "tests/interop/test_browser_callbacks.py",
        "tests/interop/test_browser_customers.py",
        "tests/interop/test_browser_floor.py",
        "tests/interop/test_browser_messages.py",
        "tests/interop/test_browser_ring.py",
        "tests/interop/test_browser_roster.py",
        "tests/interop/test_browser_sensitive.py",
        "tests/interop/test_browser_stewards.py",
        "tests/interop/test_browser_timeline.py",
        "tests/interop/test_console_on_uvicorn.py",
        "tests/interop/test_erased_callbacks.py",
        "tests/interop/test_every_way_out.py",
        "tests/interop/test_media_engines.py",
        "tests/interop/test_media_speech_engine.py",
        "tests/interop/test_payment_webhook.py",
        "tests/interop/test_quiet_hours.py",
        "tests/interop/test_sip_bad_network.py",
        "tests/interop/test_sip_pyvoip.py",
        "tests/interop/test_sip_scanners.py",
        "tests/interop/test_sip_tools.py",
        "tests/interop/test_sip_torture.py",
        "tests/interop/test_sip_transports.py",
    }
)
"""Those of them in which nobody listens and no instant counts: they may come last for a processor."""
LISTENERS = 2
"""So many testers take files that wait, when there are more of them; the others only compute."""
NICENESS = 10
LONGEST = (
    "tests/faults/test_postgresql_stops.py",
    "tests/interop/test_browser.py",
    "tests/interop/test_browser_customers.py",
    "tests/interop/test_carrier_kamailio.py",
    "tests/interop/test_media_processes.py",
    "tests/interop/test_media_recording_failures.py",
    "tests/interop/test_phone_baresip.py",
    "tests/interop/test_phones_srtp.py",
    "tests/interop/test_sipp_calls.py",
    "tests/interop/test_transcripts.py",
    "tests/unit/acd/test_sim_floor.py",
    "tests/unit/acd/test_sim_reference.py",
    "tests/unit/crm/test_timeline_union.py",
    "tests/unit/ivr/test_any_events.py",
)
"""Those that take more than ten seconds of a processor, or half a minute of waiting."""


def only_computes(tester: str, testers: int) -> bool:
    """Whether a tester (``gw0`` and so on) is one that takes no files which wait."""
    return testers > LISTENERS and int(tester.removeprefix("gw")) >= LISTENERS


def waits(file: str) -> bool:
    """Whether a file starts programs that want a processor when it is their turn."""
    return file.startswith(WAITING) and file not in SOUNDLESS


def precedence(file: str) -> tuple[bool, bool]:
    """In which order files begin."""
    return not waits(file), file not in LONGEST


class Shifts(LoadFileScheduling):
    """Hands out whole files, each tester the first one that is for it."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        suitable = self._for(node)
        if not suitable:
            node.shutdown()  # once it is through with what it has
            return
        self.workqueue.move_to_end(min(suitable, key=precedence), last=False)
        super()._assign_work_unit(node)

    def _for(self, node: WorkerController) -> list[str]:
        computing = only_computes(node.gateway.id, self.numnodes)
        return [file for file in self.workqueue if not (computing and waits(file))]


def pytest_configure(config: pytest.Config) -> None:
    """Let a tester who only computes, if this process is one, stand back."""
    told = getattr(config, "workerinput", None)
    if told is not None and only_computes(told["workerid"], told["workercount"]):
        os.nice(NICENESS)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shifts | None:
    """Take the place of ``--dist loadfile``."""
    return Shifts(config, log) if config.getoption("dist") == "loadfile" else None
