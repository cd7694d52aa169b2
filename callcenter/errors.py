"""Errors of the exchange. Each has a stable lower-case ``code`` that is part of the API."""


class CallCenterError(Exception):
    """Anything the exchange raises on purpose."""

    code = "callcenter-error"


class ConfigError(CallCenterError):
    """The configuration or the site file is wrong; the text says what, where and what to do."""

    code = "config-error"


class JournalError(CallCenterError):
    """The journal cannot be written or read; nothing may be acted on."""

    code = "journal-error"


class SipError(CallCenterError):
    """A breach of the SIP protocol. ``status`` is what answers the peer."""

    code = "sip-error"

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class LocalSipError(SipError):
    """We tried something the protocol forbids."""

    code = "local-sip-error"


class RemoteSipError(SipError):
    """The peer sent something the protocol forbids."""

    code = "remote-sip-error"


class MediaError(CallCenterError):
    """The media plane cannot do what was asked."""

    code = "media-error"


class NoFreePorts(MediaError):
    """Every RTP port of the range is taken or in quarantine."""

    code = "no-free-ports"


class NoCommonCodec(MediaError):
    """The far end offers no codec that we speak."""

    code = "no-common-codec"


class LinkError(CallCenterError):
    """The other process does not answer."""

    code = "link-down"
