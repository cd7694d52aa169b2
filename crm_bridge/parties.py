"""What an interaction tells of the other party, and how it looks without them."""

from typing import Any

from crm_bridge.vocabulary import Direction

PARTY: dict[Direction, dict[str, Any]] = {
    Direction.INBOUND: {"from_value": "", "from_name": "", "diverted_from": None, "party_norm": None},
    Direction.OUTBOUND: {"to_value": "", "from_name": "", "party_norm": None},
}
"""What of an interaction is the other party's, emptied. Our own number stays, for the figures."""
