"""Who may do what: one table from roles to permissions. Pure."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Protocol

from crm_bridge.errors import Forbidden


class Role(StrEnum):
    """What a person, or a program, is to the customer store."""

    AGENT = "agent"
    TEAM_LEAD = "team_lead"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    INTEGRATION = "integration"


class Permission(StrEnum):
    """Something that not everybody may do."""

    READ = "read"
    WRITE = "write"
    ASSIGN = "assign"
    """Owners and levels of other people's customers."""
    SENSITIVE = "sensitive"
    """Fields of a sensitive class, each time for a purpose."""
    MERGE = "merge"
    IMPORT = "import"
    EXPORT = "export"
    PRIVACY = "privacy"
    """Suppression, erasure, retention."""
    DEFINE = "define"
    """Custom fields, levels, rules."""
    LISTEN = "listen"
    """Recordings of other people's conversations."""
    AUDIT = "audit"
    TOKENS = "tokens"
    """Tokens by which programs come in."""
    ALL_TEAMS = "all_teams"


_AGENT = frozenset({Permission.READ, Permission.WRITE, Permission.SENSITIVE})
_TEAM_LEAD = _AGENT | {Permission.ASSIGN, Permission.MERGE, Permission.LISTEN}
_SUPERVISOR = _TEAM_LEAD | {Permission.IMPORT, Permission.EXPORT, Permission.PRIVACY, Permission.ALL_TEAMS}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _AGENT,
    Role.TEAM_LEAD: _TEAM_LEAD,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: _SUPERVISOR | {Permission.DEFINE, Permission.AUDIT, Permission.TOKENS},
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT, Permission.LISTEN, Permission.ALL_TEAMS}),
    Role.INTEGRATION: frozenset({Permission.READ, Permission.WRITE, Permission.IMPORT, Permission.ALL_TEAMS}),
}


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """What the roles allow together; unknown ones allow nothing."""
    known = [PERMISSIONS[Role(role)] for role in roles if role in Role.__members__.values()]
    return frozenset[Permission]().union(*known)


class Asking(Protocol):
    """Somebody with roles. A program's token also has ``scopes``, which allow a part of what the roles do."""

    @property
    def roles(self) -> Collection[str]:
        """What the person or program is to the customer store."""
        ...


def allowed_to(asking: Asking) -> frozenset[Permission]:
    """What somebody may do. Scopes narrow what is done, not whose customers are seen."""
    held = permissions_of(str(role) for role in asking.roles)
    scopes: Collection[str] | None = getattr(asking, "scopes", None)
    return held if scopes is None else held & {*scopes, Permission.ALL_TEAMS}


def require(asking: Asking, permission: Permission) -> None:
    """Raise ``Forbidden`` unless it is allowed."""
    if permission not in allowed_to(asking):
        raise Forbidden(f"this needs the permission to {permission}")
