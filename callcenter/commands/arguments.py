"""Arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

JournalFile = Annotated[
    Path, typer.Argument(help="The journal, such as var/journal.sqlite.", exists=True, dir_okay=False, readable=True)
]
