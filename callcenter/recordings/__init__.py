"""Recordings after the conversation: what became of each, who may hear it, and when it goes."""
