"""What a person who typed a command is told when it fails: one line that says what, where and what to do."""

from typing import Any

import typer
from typer.core import TyperGroup

WRONG_INPUT = 2
"""Exit code when what was typed or configured is at fault; 1 when the machine, a file or a neighbour is."""


class Commands(TyperGroup):
    """A group of commands in which a known error becomes one line on standard error and an exit code.

    An unknown one keeps its traceback: it is a defect of ours and wants to be reported with it.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises ``typer.Exit``."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            told = explained(error)
            if told is None:
                raise
            line, code = told
            typer.echo(f"error: {line}", err=True)
            raise typer.Exit(code) from None


def explained(error: Exception) -> tuple[str, int] | None:
    """The line and the exit code for a known error; ``None`` for one that nobody expected."""
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from acd.errors import AcdError
    from callcenter.errors import CallCenterError, ConfigError
    from crm_bridge.errors import CrmError
    from ivr.errors import IvrError

    if isinstance(error, ConfigError | AcdError):
        return str(error), WRONG_INPUT
    if isinstance(error, CallCenterError | CrmError | IvrError):
        return str(error), 1
    if isinstance(error, DBAPIError):
        return f"the database: {error.orig}", 1
    if isinstance(error, ArgumentError):
        return f"the database's URL: {error}", WRONG_INPUT
    if isinstance(error, UnicodeDecodeError):
        return f"this is no text in UTF-8 ({error.reason} at byte {error.start})", WRONG_INPUT
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", 1
    return None
