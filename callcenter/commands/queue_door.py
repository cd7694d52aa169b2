"""`callcenter close-queue` and `open-queue`: the one switch for an emergency, for a running exchange."""

import socket
from pathlib import Path
from typing import Annotated

import msgspec
import typer

CONFIG = Annotated[Path, typer.Option("--config", "-c", help="The installation's callcenter.toml.")]
DEFAULT = Path("callcenter.toml")
ANSWER_SECONDS = 5.0


def order(config: Path, method: str, queue_id: str) -> str | None:
    """Give the order to the exchange; why it was refused, ``None`` when it was done. Raises ``OSError``."""
    from callcenter.config import load_settings
    from callcenter.link.exchange_side import control_socket
    from callcenter.link.messages import DeskReply, DeskRequest, frame, from_exchange

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(str(control_socket(load_settings(config).exchange_socket)))
        connection.sendall(frame(DeskRequest(1, method, "command line", target=queue_id)))
        with connection.makefile("rb") as answers:
            length = int.from_bytes(answers.read(4), "big")
            reply = from_exchange.decode(answers.read(length))
    assert isinstance(reply, DeskReply)  # noqa: S101 - nothing else is answered here
    return None if reply.code is None else reply.message


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("close-queue")
    def close_queue(queue: Annotated[str, typer.Argument(help="The queue's id.")], config: CONFIG = DEFAULT) -> None:
        """Let nobody into a queue any more until it is opened; who waits is served."""
        _carry_out(config, "close_queue", queue, "closed")

    @app.command("open-queue")
    def open_queue(queue: Annotated[str, typer.Argument(help="The queue's id.")], config: CONFIG = DEFAULT) -> None:
        """Let people into a queue again."""
        _carry_out(config, "open_queue", queue, "open")


def _carry_out(config: Path, method: str, queue: str, done: str) -> None:
    from callcenter.errors import CallCenterError

    try:
        refusal = order(config, method, queue)
    except CallCenterError as error:
        refusal = str(error)
    except (OSError, msgspec.MsgspecError) as error:
        refusal = f"no exchange answers; is the contact center running? ({error})"
    if refusal is not None:
        typer.echo(f"error: {refusal}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{queue} is {done}")
