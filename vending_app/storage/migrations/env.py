"""What Alembic runs first: it works on the connection that it is given."""

from alembic import context

from vending_app.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # The caller has begun a transaction around everything.
)
context.run_migrations()
