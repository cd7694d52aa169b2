"""The typed link between the exchange and the web process."""
