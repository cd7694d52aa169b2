"""A nursery of each tester: installations are forked from it, so that their imports are paid for once.

What is forked is ``callcenter serve`` as it is, which has a nursery of its own, and so on; see ``callcenter/nursery``.
"""

import os
import subprocess
from functools import cache
from pathlib import Path

from callcenter.nursery.client import Born, Nursery
from callcenter.nursery.kinship import die_with_parent
from callcenter.nursery.needs import SERVERS, needed
from callcenter.nursery.protocol import Birth

PATIENCE = 120.0
"""Seconds for its imports and for each birth, on a machine that does much else."""


@cache
def _nursery() -> Nursery:
    found = Nursery.executed((*needed(("serve", *SERVERS)), "tests.support.warm_media"))
    try:
        found.wait_ready(within=PATIENCE)
    except OSError:
        found.close()
        raise
    return found


def executed(command: list[str], environment: dict[str, str], output: int) -> "subprocess.Popen[bytes]":
    """A process that leads a session and ends with this one; ``output``: descriptor for what it says."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock taken
    )


def forked(command: list[str], environment: dict[str, str], output: int | None = None) -> Born:
    """The same, forked; without ``output`` it says everything where this process does, and leads no session."""
    birth = Birth(tuple(command), environment, str(Path.cwd()), leads_session=output is not None, dies_with_parent=True)
    with Path(os.devnull).open("rb") as nothing:
        said = (1, 2) if output is None else (output, output)
        return _nursery().bear(birth, (nothing.fileno(), *said), within=PATIENCE)
