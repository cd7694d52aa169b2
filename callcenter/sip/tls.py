"""TLS for signalling (RFC 3261 section 26): contexts for serving and calling, and new certificates while running."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from callcenter.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Our certificate, and whom we believe. Files are PEM."""

    certificate: Path
    """The chain, our own certificate first."""
    key: Path
    authorities: Path | None = None
    """Who may sign the certificates of far ends we connect to; ``None``: the system's authorities."""


class CertificateWatch:
    """Whether the certificate files were replaced since they were last looked at."""

    def __init__(self, settings: TlsSettings) -> None:
        self._files = settings.certificate, settings.key
        self._seen = self._look()

    def has_news(self) -> bool:
        """Look at the files; whether they are others than last time."""
        before, self._seen = self._seen, self._look()
        return self._seen != before

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_mark_of(path) for path in self._files)


def _mark_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """What phones and trunks meet: TLS 1.2 or later. Raises ``ConfigError``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, settings)
    return context


def client_context(settings: TlsSettings | None) -> ssl.SSLContext:
    """For connections we open: the far end's certificate is checked; ours is shown when asked for."""
    authorities = settings.authorities if settings is not None else None
    try:
        context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    except OSError as error:
        raise ConfigError(f"{authorities}: no certificates could be read ({error})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings is not None:
        load_certificate(context, settings)
    return context


def load_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    """Show this certificate from the next handshake on; connections that stand are not touched.

    Raises ``ConfigError``; the context then shows what it showed before.
    """
    try:
        # OpenSSL takes the chain before it finds the key unfit: try on a context nobody uses.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.certificate, settings.key)
        context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:
        raise ConfigError(
            f"{settings.certificate}, {settings.key}: not a certificate with its key ({error})"
        ) from error
