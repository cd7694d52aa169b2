"""How a message leaves the house: by e-mail to a server of the site, by SMS through a gateway. Each is sent once.

A message has an id that stays when it is sent again because nobody knows whether it went out: the same ``Message-ID``
(RFC 5322 section 3.6.4), the same idempotency token. So a death between sending and noting it is no second message
where the receiver looks at these.
"""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Literal, Protocol

import httpx

GONE = range(400, 500)
_TRY_AGAIN = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent to one customer."""

    id: str
    address: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    language: str = "en"


class NotSent(Exception):
    """It was not taken. ``lasting``: it never will be."""

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.lasting = lasting


class MessageSender(Protocol):
    """A way out of one channel."""

    async def send(self, message: Message) -> None:
        """Hand it over, within a deadline of its own. Raises ``NotSent``."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """E-mail by submission (RFC 6409)."""

    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 20.0

    async def send(self, message: Message) -> None:
        """See ``MessageSender.send``; the library blocks, and does so in a thread."""
        try:
            await asyncio.to_thread(self._send, message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise NotSent("the address was refused", lasting=all(code >= 500 for code in codes)) from None
        except smtplib.SMTPResponseException as error:
            lasting = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise NotSent(f"the mail server answered {error.smtp_code}", lasting=lasting) from None
        except (smtplib.SMTPException, OSError, ssl.SSLError) as error:
            raise NotSent(f"the mail server cannot be reached ({type(error).__name__})", lasting=False) from None
        except ValueError:
            raise NotSent("the address is none", lasting=True) from None

    def _send(self, message: Message) -> None:
        letter = self.letter(message)
        context = ssl.create_default_context()
        secured = self.security == "tls"
        where = self.host, self.port
        made = smtplib.SMTP_SSL(*where, timeout=self.timeout_seconds, context=context) if secured else None
        with made or smtplib.SMTP(*where, timeout=self.timeout_seconds) as server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(letter)

    def letter(self, message: Message) -> EmailMessage:
        """The e-mail. Raises ``ValueError`` for an address that would be more than one line."""
        letter = EmailMessage()
        domain = parseaddr(self.sender)[1].rpartition("@")[2] or self.host
        letter["From"], letter["To"], letter["Subject"] = self.sender, message.address, message.subject
        letter["Message-ID"] = f"<{message.id}@{domain}>"
        letter["Date"] = formatdate(localtime=False)
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: so that no machine answers
        letter.set_content(message.text + "\n")
        letter["Content-Language"] = message.language
        return letter


@dataclass(frozen=True, slots=True)
class SmsSender:
    """SMS through a gateway that speaks as Twilio's does: a form is posted, 201 is taken."""

    url: str
    account: str
    token: str = field(repr=False)
    sender: str
    timeout_seconds: float = 20.0

    async def send(self, message: Message) -> None:
        """See ``MessageSender.send``."""
        form = {"From": self.sender, "To": message.address, "Body": message.text}
        try:
            async with (
                asyncio.timeout(self.timeout_seconds),
                httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=self.timeout_seconds) as http,
            ):
                response = await http.post(
                    self.url,
                    data=form,
                    auth=(self.account, self.token),
                    headers={"I-Twilio-Idempotency-Token": message.id},
                )
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise NotSent(f"the SMS gateway cannot be reached ({type(error).__name__})", lasting=False) from None
        if response.is_success:
            return
        lasting = response.status_code in GONE and response.status_code not in {*_TRY_AGAIN, 401, 403, 404}
        raise NotSent(f"the SMS gateway answered {response.status_code}", lasting=lasting)
