"""Callbacks (virtual hold): the place in line stays while the customer hangs up."""
