"""Agents' phones, SIP and browsers, behind one ``Signalling``."""
