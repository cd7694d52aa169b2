"""The senders of an installation, as its settings say, and what is wrong with settings and site together."""

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path

from pydantic import SecretStr

from callcenter.config import MessagesSection
from callcenter.errors import ConfigError
from callcenter.surveys.replies import Gateway
from callcenter.surveys.rules import SurveyRule
from callcenter.surveys.senders import MessageSender, SmsSender, SmtpSender


def message_senders(messages: MessagesSection) -> dict[str, MessageSender]:
    """By channel; empty where nothing can be sent. Raises ``ConfigError`` for a secret that cannot be read."""
    found: dict[str, MessageSender] = {}
    email, sms = messages.email, messages.sms
    if email.host is not None:
        password = secret_of(email.password, email.password_file, "messages.email.password_file")
        found["email"] = SmtpSender(email.host, email.port, email.sender, email.security, email.user, password)
    if sms.url is not None:
        token = secret_of(sms.token, sms.token_file, "messages.sms.token_file")
        found["sms"] = SmsSender(sms.url, sms.account, token, sms.sender)
    return found


def secret_of(given: SecretStr | None, file: Path | None, key: str) -> str:
    """A secret, from the environment or its file; empty where none is needed. Raises ``ConfigError``."""
    if given is not None:
        return given.get_secret_value()
    if file is None:
        return ""
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {file} cannot be read: {error.strerror}") from error


def sms_gateway(messages: MessagesSection, region: str) -> Gateway | None:
    """Whose messages come in; ``None`` without a gateway, or an address that it can post to."""
    sms = messages.sms
    if sms.url is None or messages.public_url is None:
        return None
    return Gateway(
        messages.public_url, secret_of(sms.token, sms.token_file, "messages.sms.token_file"), sms.queue, region
    )


def check_surveys(rules: Mapping[str, SurveyRule], messages: MessagesSection, queue_ids: Collection[str]) -> None:
    """Raises ``ConfigError`` when queues ask by what nobody can send, and when replies have nowhere to go or cannot be
    believed."""
    if messages.sms.url is not None and messages.sms.queue not in queue_ids:
        raise ConfigError(f"messages.sms.queue: the site has no queue {messages.sms.queue!r}")
    if messages.sms.url is not None and find_spec("twilio") is None:
        raise ConfigError("messages.sms: nothing here checks what the gateway signs; pip install callcenter[sms]")
    if not rules:
        return
    if messages.public_url is None:
        raise ConfigError(
            f"queue {min(rules)} has a survey: set messages.public_url, where customers reach the page they answer on"
        )
    ways = {"email": messages.email.host is not None, "sms": messages.sms.url is not None}
    for queue_id, rule in sorted(rules.items()):
        if not any(ways[each] for each in rule.channels):
            named = " or ".join(f"[messages.{each}]" for each in rule.channels)
            raise ConfigError(f"queue {queue_id} has a survey, and nothing that sends it: fill in {named}")
