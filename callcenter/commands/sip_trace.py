"""`callcenter sip trace`: the messages of a running exchange, as a ladder."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from callcenter.sip.trace import TracedMessage


def messages(path: Path) -> "Iterator[TracedMessage]":
    """What the exchange sends and receives from now on. Raises ``OSError`` when nobody serves the socket."""
    from callcenter.sip.trace import TracedMessage

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        with connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                fields = json.loads(line)
                fields["headers"] = tuple(fields["headers"])
                yield TracedMessage(**fields)


def is_about(message: "TracedMessage", wanted: str) -> bool:
    """Whether a message is of the call asked for: part of its Call-ID, or a number in its start line or From."""
    shown = [message.sip_call_id, message.line, *(one for one in message.headers if one.lower().startswith("from"))]
    return any(wanted in text for text in shown)


def register(sip: typer.Typer) -> None:
    """Add the command to the group about SIP."""

    @sip.command("trace")
    def sip_trace_command(
        call: Annotated[str, typer.Argument(help="Part of the SIP Call-ID, or a number; all calls without it.")] = "",
        trace_socket: Annotated[Path, typer.Option("--socket", help="The exchange's trace socket.")] = Path(
            "var/sip_trace.sock"
        ),
        headers: Annotated[bool, typer.Option("--headers", help="Show the headers too, credentials masked.")] = False,
    ) -> None:
        """Show SIP messages as they come and go, until interrupted. Bodies are never shown."""
        from callcenter.sip.trace import ladder_line

        followed: set[str] = set()
        try:
            for message in messages(trace_socket):
                if call and message.sip_call_id not in followed:
                    if not is_about(message, call):
                        continue
                    followed.add(message.sip_call_id)
                typer.echo(ladder_line(message))
                for line in message.headers if headers else ():
                    typer.echo(f"{'':14}{line}")
        except KeyboardInterrupt:
            return
        except OSError as error:
            typer.echo(f"error: {trace_socket}: no exchange to listen to ({error.strerror or error})", err=True)
            raise typer.Exit(1) from None
