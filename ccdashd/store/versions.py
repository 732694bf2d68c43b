"""Which schema a database has, and how it gets the one this daemon knows.

A new file is made from `schema.metadata` in one go (tests hold that against the migrations); Alembic, which is slow to
import, runs only where an older file is found.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.store import SCHEMA, vacuum
from ccdashd.store.schema import APPLICATION_ID, metadata

if TYPE_CHECKING:
    from alembic.config import Config

_VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


class NotOurs(Exception):
    """The file is an SQLite database, but of another application: it is left alone."""


class NewerSchema(Exception):
    """The file was written by a newer ccdash."""


def ensure(connection: sa.Connection) -> bool:
    """Make or migrate the schema; True when the file was new.

    Raises NotOurs or NewerSchema where the file must not be touched, `sqlite3.DatabaseError` where it is damaged.
    """
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    connection.commit()
    tables = set(sa.inspect(connection).get_table_names())
    connection.commit()
    if not tables:
        vacuum.prepare(connection)
        with connection.begin():
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            metadata.create_all(connection)
            _VERSION.create(connection)
            connection.execute(sa.insert(_VERSION).values(version_num=SCHEMA))
        return True
    if application != APPLICATION_ID:
        if _is_newest(connection):
            raise _damaged(f"its application id is {application:#x}")
        raise NotOurs("the file is a database of another application; move it away or set CCDASH_CACHE_DIR")
    found = current(connection)
    newest = _is_newest(connection)
    if found == SCHEMA and newest:
        return False
    if found == SCHEMA or (newest and (found in known() or _is_a_bit_off(found))):
        raise _damaged(f"it does not have the tables of its schema, {found}")
    if found is not None and found not in known():
        raise NewerSchema(
            f"cache.db was written by a newer ccdash (schema {found}, this one knows {SCHEMA}); "
            "upgrade ccdash, or delete cache.db: it is rebuilt from your files"
        )
    upgrade(connection, "head")
    return False


_COLUMNS = """
SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, p.cid
"""


def _is_newest(connection: sa.Connection) -> bool:
    """Whether the file has exactly the tables of today, whatever else it says of itself."""
    rows = connection.exec_driver_sql(_COLUMNS).all()
    connection.commit()
    expected = {**metadata.tables, _VERSION.name: _VERSION}
    return [tuple(row) for row in rows] == [(name, column.name) for name in sorted(expected) for column in expected[name].c]


def _is_a_bit_off(version: str | None) -> bool:
    """Whether a version is that of today but for a flipped bit."""
    one, other = (int.from_bytes((text or "").encode()) for text in (version, SCHEMA))
    return (one ^ other).bit_count() == 1


def _damaged(problem: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(problem)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def current(connection: sa.Connection) -> str | None:
    """The schema that the file has; None for a file without one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        connection.commit()
        return None
    version: str | None = connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()
    connection.commit()
    return version


def known() -> list[str]:
    """All schema versions, oldest first."""
    return list(titles())


def titles() -> dict[str, str]:
    """What each schema version brought, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config())
    return {revision.revision: revision.doc for revision in reversed(list(script.walk_revisions()))}


def downgrade_file(path: Path, target: str) -> None:
    """Bring the cache at `path`, which nobody has open, down to a schema. Raises `sqlalchemy.exc.SQLAlchemyError`."""
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(path), poolclass=sa.pool.StaticPool)
    try:
        with engine.connect() as connection:
            downgrade(connection, target)
    finally:
        engine.dispose()


def upgrade(connection: sa.Connection, target: str) -> None:
    """Run the migrations up to `target`."""
    from alembic import command

    command.upgrade(config(connection), target)
    connection.commit()


def downgrade(connection: sa.Connection, target: str) -> None:
    """Run the migrations back to `target` (``base`` removes every table)."""
    from alembic import command

    command.downgrade(config(connection), target)
    connection.commit()


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file of its own."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
