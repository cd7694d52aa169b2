"""The payment system of an installation, as its settings say."""

from collections.abc import Mapping

from callcenter.config import PaymentsSection
from callcenter.errors import ConfigError
from callcenter.payments.fields import CardField
from callcenter.payments.webhook import PaymentWebhook, WebhookSettings
from callcenter.ports import Clock
from ivr.effects import PromptText


def payments_of(section: PaymentsSection, clock: Clock) -> PaymentWebhook | None:
    """Where card data goes, ``None`` for nowhere. Raises ``ConfigError``."""
    if section.url is None:
        return None
    settings = WebhookSettings(section.url, _secret(section), section.timeout_seconds, section.ca_file)
    return PaymentWebhook(settings, clock)


def card_prompt_texts(prompts: Mapping[CardField, Mapping[str, str]]) -> list[PromptText]:
    """What is said to customers who are to type, to be rendered beforehand."""
    return [
        PromptText(f"card_entry.{field}", language, text)
        for field, texts in prompts.items()
        for language, text in texts.items()
    ]


def _secret(section: PaymentsSection) -> bytes:
    if (section.secret is None) == (section.secret_file is None):
        raise ConfigError("payments: set one of payments.secret_file and the variable CALLCENTER_PAYMENTS__SECRET")
    if section.secret is not None:
        return section.secret.get_secret_value().encode()
    try:
        return b"" if section.secret_file is None else section.secret_file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"payments.secret_file: {section.secret_file} cannot be read ({error.strerror})") from error
