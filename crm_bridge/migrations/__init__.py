"""Alembic's migrations of the customer store."""
