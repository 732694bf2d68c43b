"""Where sessions of a project ran, to find the other working copies of a file."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("sessions_place", "sessions", ["project_id", "cwd"], unique=False)


def downgrade() -> None:
    op.drop_index("sessions_place", "sessions")
