"""What may be shown and whom may be contacted, decided from facts. Pure; ``consents`` loads the facts."""

from crm_bridge.vocabulary import DataClass

SENSITIVE = frozenset({DataClass.SPECIAL_CATEGORY, DataClass.FINANCIAL, DataClass.LOCATION})
"""Classes that are shown only for a purpose with a legal basis, one look at a time, and never on a card."""

LEGAL_BASES = ("consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest")
"""The six grounds of GDPR article 6(1)."""
