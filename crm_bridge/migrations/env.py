"""Alembic's environment: runs inside the connection that ``crm_bridge.database.migrate`` opened."""

from alembic import context

from crm_bridge.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
