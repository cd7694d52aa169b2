"""What every call needs of the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.bus import Bus
from callcenter.calls.clearance import Clearance
from callcenter.calls.feature_codes import FeatureCodes
from callcenter.calls.greetings import Greetings
from callcenter.calls.queueing import CallbackPromises, CallRouting, NoCallbacks
from callcenter.calls.recordings import RecordingRule
from callcenter.calls.targets import Directory
from callcenter.consequences import Consequences
from callcenter.payments.fields import CardField
from callcenter.payments.port import Payments
from callcenter.ports import Clock, CustomerDirectory, Journal, MediaPlane, Prompts, Signalling
from callcenter.routing import RoutingInbox
from ivr.flow import Flow


@dataclass(frozen=True, slots=True)
class CallDependencies:
    """What every call needs; one instance serves all runners."""

    clock: Clock
    journal: Journal
    bus: Bus
    signalling: Signalling
    media: MediaPlane
    directory: CustomerDirectory
    prompts: Prompts
    routing: RoutingInbox
    consequences: Consequences
    """How calls go on when something was told to them."""
    clearance: Clearance
    """Whom people mean outside the house, and whether they may be called."""
    flows: Mapping[str, Flow]
    asking_flows: frozenset[str]
    """Those that go by who calls, so that a call waits a moment for the customer store."""
    music: str
    """Path of the WAV file that waiting customers hear."""
    ringing: str = ""
    """Path of the ringing tone for who waits for somebody's answer; none without."""
    beep: str = ""
    """Path of the tone before a message; none without."""
    recording_rules: Mapping[str, RecordingRule] = field(default_factory=dict)
    """How each queue records."""
    exit_keys: Mapping[str, str] = field(default_factory=dict)
    """The key by which who waits in a queue leaves it for the flow's other way."""
    call_routing: CallRouting = field(default_factory=CallRouting)
    callbacks: CallbackPromises = field(default_factory=NoCallbacks)
    greetings: Greetings = field(default_factory=Greetings)
    """What customers who are called back hear first."""
    codes: FeatureCodes = field(default_factory=FeatureCodes)
    """What phones dial to have something done."""
    targets: Directory = field(default_factory=Directory)
    """Whom people can reach."""
    payments: Payments | None = None
    """Where card data goes; ``None`` where nobody takes it."""
    card_prompts: Mapping[CardField, Mapping[str, str]] = field(default_factory=dict)
    """What customers are asked for by language, when they are to type a field."""
