"""Which modules a process of ours is made of: what a nursery imports before it forks one.

Each needs those of its own only; a command that is not here is born as well, and imports by itself.
"""

import importlib
from collections.abc import Iterable

SERVER = ("uvloop", "callcenter.cli", "callcenter.config", "callcenter.site.repository")
SERVED_WITH = (
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "aiosqlite",
)
"""What the web server and the database's driver load only when they begin."""
NEEDS = {
    "serve": (*SERVER, "callcenter.app"),
    "run-exchange": (*SERVER, "callcenter.exchange"),
    "run-web": (*SERVER, "callcenter.web", *SERVED_WITH),
    "callcenter.media.mediad": ("callcenter.media.mediad.keeper",),
}
"""By a word of the command."""
SERVERS = ("run-exchange", "run-web", "callcenter.media.mediad")
"""What an installation runs."""


def needed(command: Iterable[str]) -> tuple[str, ...]:
    """The modules of a command."""
    return tuple(module for word in command for module in NEEDS.get(word, ()))


def load(modules: Iterable[str]) -> None:
    """Import modules. Raises whatever they raise."""
    for module in modules:
        importlib.import_module(module)
