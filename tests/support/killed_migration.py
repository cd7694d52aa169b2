"""A process that migrates a store and is killed (SIGKILL) just before a statement: ``python -m ... URL STATEMENT``.

The statement is told by its beginning. The process ends with status 0 when none came.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from crm_bridge.database import migrate


def main() -> None:
    """Migrate until the statement comes."""
    url, beginning = sys.argv[1:]

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if " ".join(statement.split()).startswith(beginning):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", watch)
    asyncio.run(migrate(url))


if __name__ == "__main__":
    main()
