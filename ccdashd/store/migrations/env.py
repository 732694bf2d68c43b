"""Alembic's entry: runs the migrations on the connection that `ccdashd.store.versions` hands over."""

from __future__ import annotations

from alembic import context

from ccdashd.store.schema import APPLICATION_ID, metadata


def run() -> None:
    connection = context.config.attributes["connection"]
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
