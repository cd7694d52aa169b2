"""Messages leave the house: by a real mail server, and by a gateway of which only the port is ours."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from callcenter.surveys.senders import Message, NotSent, SmsSender, SmtpSender
from tests.support.mail_server import mail_server
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

MESSAGE = Message("survey-c1", "jo@example.com", "Quist & Co：您好", "满意吗？ https://x/s/y", "zh")
FROM = "Quist & Co <service@quist.example>"


async def test_a_letter_arrives_in_any_script_and_no_machine_answers_it() -> None:
    with mail_server() as server:
        await SmtpSender("127.0.0.1", server.port, FROM, "none").send(MESSAGE)
    (letter,) = server.letters
    assert (letter["to"], letter["subject"]) == ("jo@example.com", MESSAGE.subject)
    assert letter.get_content().strip() == MESSAGE.text
    assert letter["message-id"] == "<survey-c1@quist.example>"
    assert (letter["auto-submitted"], letter["content-language"]) == ("auto-generated", "zh")


@pytest.mark.parametrize(("answer", "lasting"), [("451 4.3.0 later", False), ("550 5.1.1 no such box", True)])
async def test_what_the_server_says_tells_whether_to_come_again(answer: str, lasting: bool) -> None:
    with mail_server() as server:
        server.answers = [answer]
        with pytest.raises(NotSent) as failed:
            await SmtpSender("127.0.0.1", server.port, FROM, "none").send(MESSAGE)
    assert failed.value.lasting is lasting


async def test_a_server_that_is_away_or_has_no_tls_is_come_to_again_and_an_address_of_two_lines_never() -> None:
    with mail_server() as server:
        for sender in (
            SmtpSender("127.0.0.1", server.port, FROM, "starttls", timeout_seconds=5),
            SmtpSender("127.0.0.1", server.port, FROM, "tls", timeout_seconds=5),
        ):
            with pytest.raises(NotSent) as failed:
                await sender.send(MESSAGE)
            assert not failed.value.lasting
        split = Message("m", "jo@example.com\nBcc: all@example.com", "s", "t")
        with pytest.raises(NotSent) as failed:
            await SmtpSender("127.0.0.1", server.port, FROM, "none").send(split)
        assert failed.value.lasting
        assert server.letters == []
    with pytest.raises(NotSent) as failed:
        await SmtpSender("127.0.0.1", free_port(socket.SOCK_STREAM), FROM, "none", timeout_seconds=5).send(MESSAGE)
    assert not failed.value.lasting


@contextmanager
def gateway(status: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """One that answers every message so: its address, and what it was posted."""
    taken: list[dict[str, str]] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            told = {name: values[0] for name, values in parse_qs(body).items()}
            taken.append(
                told | {"auth": self.headers["authorization"], "id": self.headers["i-twilio-idempotency-token"]}
            )
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/Messages.json", taken
    finally:
        server.shutdown()
        server.server_close()


async def test_a_text_message_is_posted_once_with_what_tells_it_from_every_other() -> None:
    message = Message("survey-c1", "+12025550111", "", "4? https://x/s/y")
    with gateway(201) as (url, taken):
        await SmsSender(url, "AC1", "secret", "+12025550100").send(message)
    (told,) = taken
    assert (told["From"], told["To"], told["Body"]) == ("+12025550100", "+12025550111", message.text)
    assert (told["auth"], told["id"]) == ("Basic QUMxOnNlY3JldA==", "survey-c1")


@pytest.mark.parametrize(("status", "lasting"), [(400, True), (401, False), (429, False), (500, False), (302, False)])
async def test_what_the_gateway_says_tells_whether_to_come_again(status: int, lasting: bool) -> None:
    with gateway(status) as (url, _), pytest.raises(NotSent) as failed:
        await SmsSender(url, "AC1", "secret", "+1").send(Message("m", "+12025550111", "", "t"))
    assert failed.value.lasting is lasting
