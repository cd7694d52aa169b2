"""HTTP API of the customer store, under /api/v1."""
