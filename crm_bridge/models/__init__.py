"""Tables of the customer store."""
