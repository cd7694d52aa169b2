"""Who may come in besides the people of the site: tokens of programs."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import Base, CleanText, Identified, Stamped, TenantOwned, TextList, UtcDateTime


class ApiToken(Identified, TenantOwned, Stamped, Base):
    """One token of a program. Only a digest of it is kept; a name is never used again, so that it stays clear whose
    entries in the audit log are whose."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("digest"))

    name: Mapped[str] = mapped_column(CleanText)
    digest: Mapped[str] = mapped_column(CleanText)
    hint: Mapped[str] = mapped_column(CleanText)
    """Its first characters, to tell which one stands in a program's configuration."""
    scopes: Mapped[list[str]] = mapped_column(TextList)
    created_by: Mapped[str] = mapped_column(CleanText)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(CleanText)


class EndedSession(TenantOwned, Base):
    """A session of the console that was signed out, kept for as long as its token would have opened something."""

    __tablename__ = "ended_session"

    session_id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    user_id: Mapped[str] = mapped_column(CleanText)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
