"""Errors of the routing engine. Each has a stable lower-case ``code`` that is part of the API.

An error means the fact cannot be true of this floor: nothing has changed and no outcome was given.
Races that the outside cannot avoid are not errors; see the package README.
"""


class AcdError(Exception):
    """Anything the engine raises on purpose."""

    code = "acd-error"


class UnknownAgent(AcdError):
    """No such agent is configured, or the agent is being retired and may not sign in again."""

    code = "unknown-agent"


class UnknownQueue(AcdError):
    """No such queue is configured."""

    code = "unknown-queue"


class UnknownContact(AcdError):
    """The engine has never seen this contact, or forgot it long ago."""

    code = "unknown-contact"


class AgentQuarantined(AcdError):
    """The agent let too many offers ring out and may ask for work again only later, or a supervisor may."""

    code = "agent-quarantined"


class IllegalTransition(AcdError):
    """A state machine has no row for what happened. ``machine`` is ``agent``, ``contact`` or ``offer``."""

    code = "illegal-transition"

    def __init__(self, machine: str, identity: str, state: str, trigger: str) -> None:
        super().__init__(f"{machine} {identity!r} is {state}: {trigger} is not possible")
        self.machine = machine
        self.identity = identity
        self.state = state
        self.trigger = trigger


class InvalidFloor(AcdError):
    """A configuration names an agent or a queue twice."""

    code = "invalid-floor"


class InvalidRoute(AcdError):
    """A route plan or one of its expressions cannot be read; the text says where."""

    code = "invalid-route"


class SnapshotRefused(AcdError):
    """A snapshot is of another version, or damaged; the text says where."""

    code = "snapshot-refused"
