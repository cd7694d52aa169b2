"""The four transaction machines of RFC 3261 section 17 with RFC 6026's Accepted states, as tables.

Everything that may happen to a transaction is a row here; what has no row raises and changes nothing.
This file knows nothing of messages, sockets or clocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.sip.errors import IllegalTransition

T1 = 500
"""Milliseconds: estimate of a round trip (RFC 3261 section 17.1.1.1)."""
T2 = 4_000
"""Milliseconds: the longest interval between retransmissions of a non-INVITE request or an INVITE's answer."""
T4 = 5_000
"""Milliseconds: how long a message may stay in the network."""


class Kind(StrEnum):
    """Which of the four machines."""

    INVITE_CLIENT = "invite_client"
    INVITE_SERVER = "invite_server"
    CLIENT = "client"
    SERVER = "server"


class State(StrEnum):
    """States of RFC 3261 figures 5 to 8 and RFC 6026."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Timer(StrEnum):
    """Timers by the letter the RFCs give them."""

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741 - the RFC's own name
    J = "J"
    K = "K"
    L = "L"
    M = "M"


class Input(StrEnum):
    """What can happen to a transaction."""

    REQUEST = "request"
    """The request again (server side)."""
    ACK = "ack"
    PROVISIONAL = "provisional"
    """A 1xx: received by a client, ordered from a server."""
    SUCCESS = "success"
    FAILURE = "failure"
    TRANSPORT_ERROR = "transport_error"
    TIMER_A = "timer_A"
    TIMER_B = "timer_B"
    TIMER_D = "timer_D"
    TIMER_E = "timer_E"
    TIMER_F = "timer_F"
    TIMER_G = "timer_G"
    TIMER_H = "timer_H"
    TIMER_I = "timer_I"
    TIMER_J = "timer_J"
    TIMER_K = "timer_K"
    TIMER_L = "timer_L"
    TIMER_M = "timer_M"


class Do(StrEnum):
    """What a row orders."""

    SEND = "send"
    """Send the message this step is about."""
    RESEND = "resend"
    """Send again what was sent last."""
    SEND_ACK = "send_ack"
    TELL = "tell"
    """Hand the message to the user."""
    TELL_TIMEOUT = "tell_timeout"
    TELL_ERROR = "tell_error"
    STOP_A = "stop_A"
    STOP_B = "stop_B"
    STOP_G = "stop_G"
    STOP_H = "stop_H"
    STOP_E = "stop_E"
    STOP_F = "stop_F"
    START_A = "start_A"
    START_B = "start_B"
    START_D = "start_D"
    START_E = "start_E"
    START_F = "start_F"
    START_G = "start_G"
    START_H = "start_H"
    START_I = "start_I"
    START_J = "start_J"
    START_K = "start_K"
    START_L = "start_L"
    START_M = "start_M"


STARTED: Mapping[Do, Timer] = {order: Timer(order[6:]) for order in Do if order.startswith("start_")}
STOPPED: Mapping[Do, Timer] = {order: Timer(order[5:]) for order in Do if order.startswith("stop_")}
"""The timers that orders start and stop."""
TIMERS: Mapping[str, Timer] = {timer.value: timer for timer in Timer}
RANG: Mapping[Timer, Input] = {timer: Input(f"timer_{timer}") for timer in Timer}
"""What it is to a transaction that a timer rings."""

Row = tuple[State, tuple[Do, ...]]
Table = Mapping[tuple[State, Input], Row]

_S, _I = State, Input

INVITE_CLIENT: Table = {
    (_S.CALLING, _I.TIMER_A): (_S.CALLING, (Do.RESEND, Do.START_A)),
    (_S.CALLING, _I.TIMER_B): (_S.TERMINATED, (Do.TELL_TIMEOUT,)),
    (_S.CALLING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.CALLING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.STOP_A, Do.STOP_B, Do.TELL)),
    (_S.CALLING, _I.SUCCESS): (_S.ACCEPTED, (Do.STOP_A, Do.STOP_B, Do.START_M, Do.TELL)),
    (_S.CALLING, _I.FAILURE): (_S.COMPLETED, (Do.STOP_A, Do.STOP_B, Do.SEND_ACK, Do.START_D, Do.TELL)),
    (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.TELL,)),
    (_S.PROCEEDING, _I.SUCCESS): (_S.ACCEPTED, (Do.START_M, Do.TELL)),
    (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (Do.SEND_ACK, Do.START_D, Do.TELL)),
    (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.ACCEPTED, _I.SUCCESS): (_S.ACCEPTED, (Do.TELL,)),
    (_S.ACCEPTED, _I.PROVISIONAL): (_S.ACCEPTED, ()),
    (_S.ACCEPTED, _I.FAILURE): (_S.ACCEPTED, ()),
    (_S.ACCEPTED, _I.TRANSPORT_ERROR): (_S.ACCEPTED, ()),
    (_S.ACCEPTED, _I.TIMER_M): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.FAILURE): (_S.COMPLETED, (Do.SEND_ACK,)),
    (_S.COMPLETED, _I.PROVISIONAL): (_S.COMPLETED, ()),
    (_S.COMPLETED, _I.SUCCESS): (_S.COMPLETED, ()),
    (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.TIMER_D): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 5 and RFC 6026 section 7.2. A 2xx is told each time: its user answers every one with ACK."""

INVITE_SERVER: Table = {
    (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (Do.RESEND,)),
    (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.SEND,)),
    (_S.PROCEEDING, _I.SUCCESS): (_S.ACCEPTED, (Do.SEND, Do.START_L)),
    (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (Do.SEND, Do.START_G, Do.START_H)),
    (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.PROCEEDING, (Do.TELL_ERROR,)),
    (_S.PROCEEDING, _I.ACK): (_S.PROCEEDING, ()),
    (_S.ACCEPTED, _I.REQUEST): (_S.ACCEPTED, ()),
    (_S.ACCEPTED, _I.SUCCESS): (_S.ACCEPTED, (Do.SEND,)),
    (_S.ACCEPTED, _I.ACK): (_S.ACCEPTED, (Do.TELL,)),
    (_S.ACCEPTED, _I.TRANSPORT_ERROR): (_S.ACCEPTED, (Do.TELL_ERROR,)),
    (_S.ACCEPTED, _I.TIMER_L): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (Do.RESEND,)),
    (_S.COMPLETED, _I.ACK): (_S.CONFIRMED, (Do.STOP_G, Do.STOP_H, Do.START_I)),
    (_S.COMPLETED, _I.TIMER_G): (_S.COMPLETED, (Do.RESEND, Do.START_G)),
    (_S.COMPLETED, _I.TIMER_H): (_S.TERMINATED, (Do.TELL_TIMEOUT,)),
    (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.CONFIRMED, _I.REQUEST): (_S.CONFIRMED, ()),
    (_S.CONFIRMED, _I.ACK): (_S.CONFIRMED, ()),
    (_S.CONFIRMED, _I.TRANSPORT_ERROR): (_S.TERMINATED, ()),
    (_S.CONFIRMED, _I.TIMER_I): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 7 and RFC 6026 section 7.1. The 2xx is repeated by its user (RFC 3261 section 13.3.1.4)."""

CLIENT: Table = {
    (_S.TRYING, _I.TIMER_E): (_S.TRYING, (Do.RESEND, Do.START_E)),
    (_S.TRYING, _I.TIMER_F): (_S.TERMINATED, (Do.TELL_TIMEOUT,)),
    (_S.TRYING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.TRYING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.TELL,)),
    (_S.TRYING, _I.SUCCESS): (_S.COMPLETED, (Do.STOP_E, Do.STOP_F, Do.START_K, Do.TELL)),
    (_S.TRYING, _I.FAILURE): (_S.COMPLETED, (Do.STOP_E, Do.STOP_F, Do.START_K, Do.TELL)),
    (_S.PROCEEDING, _I.TIMER_E): (_S.PROCEEDING, (Do.RESEND, Do.START_E)),
    (_S.PROCEEDING, _I.TIMER_F): (_S.TERMINATED, (Do.TELL_TIMEOUT,)),
    (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.TELL,)),
    (_S.PROCEEDING, _I.SUCCESS): (_S.COMPLETED, (Do.STOP_E, Do.STOP_F, Do.START_K, Do.TELL)),
    (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (Do.STOP_E, Do.STOP_F, Do.START_K, Do.TELL)),
    (_S.COMPLETED, _I.PROVISIONAL): (_S.COMPLETED, ()),
    (_S.COMPLETED, _I.SUCCESS): (_S.COMPLETED, ()),
    (_S.COMPLETED, _I.FAILURE): (_S.COMPLETED, ()),
    (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.TIMER_K): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 6."""

SERVER: Table = {
    (_S.TRYING, _I.REQUEST): (_S.TRYING, ()),
    (_S.TRYING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.SEND,)),
    (_S.TRYING, _I.SUCCESS): (_S.COMPLETED, (Do.SEND, Do.START_J)),
    (_S.TRYING, _I.FAILURE): (_S.COMPLETED, (Do.SEND, Do.START_J)),
    (_S.TRYING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (Do.RESEND,)),
    (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (Do.SEND,)),
    (_S.PROCEEDING, _I.SUCCESS): (_S.COMPLETED, (Do.SEND, Do.START_J)),
    (_S.PROCEEDING, _I.FAILURE): (_S.COMPLETED, (Do.SEND, Do.START_J)),
    (_S.PROCEEDING, _I.TRANSPORT_ERROR): (_S.TERMINATED, (Do.TELL_ERROR,)),
    (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (Do.RESEND,)),
    (_S.COMPLETED, _I.TRANSPORT_ERROR): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.TIMER_J): (_S.TERMINATED, ()),
}
"""RFC 3261 figure 8."""

TABLES: Mapping[Kind, Table] = {
    Kind.INVITE_CLIENT: INVITE_CLIENT,
    Kind.INVITE_SERVER: INVITE_SERVER,
    Kind.CLIENT: CLIENT,
    Kind.SERVER: SERVER,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A row with its orders sorted: timers are another matter than messages, and neither minds the other's order."""

    state: State
    stopped: tuple[Timer, ...]
    started: tuple[Timer, ...]
    messages: tuple[Do, ...]
    """What is to be sent and told, in the row's order."""


def _plan(row: Row) -> Plan:
    state, orders = row
    stopped = tuple(STOPPED[order] for order in orders if order in STOPPED)
    started = tuple(STARTED[order] for order in orders if order in STARTED)
    return Plan(state, stopped, started, tuple(one for one in orders if one not in STOPPED and one not in STARTED))


PLANS: Mapping[Kind, Mapping[tuple[State, Input], Plan]] = {
    kind: {happening: _plan(row) for happening, row in table.items()} for kind, table in TABLES.items()
}
"""The tables, laid out for use."""

FIRST_STATE: Mapping[Kind, State] = {
    Kind.INVITE_CLIENT: State.CALLING,
    Kind.INVITE_SERVER: State.PROCEEDING,
    Kind.CLIENT: State.TRYING,
    Kind.SERVER: State.TRYING,
}

FIRST_TIMERS: Mapping[Kind, tuple[Timer, ...]] = {
    Kind.INVITE_CLIENT: (Timer.A, Timer.B),
    Kind.INVITE_SERVER: (),
    Kind.CLIENT: (Timer.E, Timer.F),
    Kind.SERVER: (),
}


def step(kind: Kind, state: State, happened: Input) -> Row:
    """The next state and what to do. Raises ``IllegalTransition`` when there is no row."""
    row = TABLES[kind].get((state, happened))
    if row is None:
        raise IllegalTransition(kind, state, happened)
    return row


def plan(kind: Kind, state: State, happened: Input) -> Plan:
    """What ``step`` says, laid out. Raises ``IllegalTransition`` when there is no row."""
    found = PLANS[kind].get((state, happened))
    if found is None:
        raise IllegalTransition(kind, state, happened)
    return found


REPEATING = frozenset({Timer.A, Timer.E, Timer.G})
"""Timers that repeat a message: unreliable transports only."""

_SHORTER_WHEN_RELIABLE: Mapping[Timer, int] = {Timer.D: 32_000, Timer.I: T4, Timer.J: 64 * T1, Timer.K: T4}


def first_interval(timer: Timer, *, reliable: bool) -> int | None:
    """Milliseconds until a timer rings the first time; ``None`` when the transport makes it needless.

    RFC 3261 table 4: D, I, J and K are zero on reliable transports.
    """
    if timer in REPEATING:
        return None if reliable else T1
    if timer in _SHORTER_WHEN_RELIABLE:
        return 0 if reliable else _SHORTER_WHEN_RELIABLE[timer]
    return 64 * T1


def next_interval(timer: Timer, interval: int, state: State) -> int:
    """How long a repeating timer waits after it rang: A doubles, E and G double up to T2 (E is T2 once proceeding)."""
    if timer is Timer.A:
        return interval * 2
    if timer is Timer.E and state is State.PROCEEDING:
        return T2
    return min(interval * 2, T2)
