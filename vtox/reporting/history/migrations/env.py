"""The script that Alembic runs: the missing steps, in the transaction of its caller."""

from alembic import context

from vtox.reporting.history.schema import metadata


def run() -> None:
    """Run the missing steps on the connection that `migrate` hands over."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


# Alembic loads this file and has no other entry; without Alembic there is nothing to do.
if hasattr(context, "config"):
    run()
