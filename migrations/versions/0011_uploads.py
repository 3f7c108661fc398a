"""resumable uploads of photos"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("uploads",
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("owner_id", sa.Uuid(), nullable=False),
    sa.Column("photo_id", sa.Uuid(), nullable=False),
    sa.Column("sha256", sa.String(length=64), nullable=True),
    sa.Column("sent_metadata", sa.String(length=4000), nullable=False),
    sa.Column("digest", sa.String(length=64), nullable=False),
    sa.Column("length_bytes", sa.Integer(), nullable=False),
    sa.Column("received_bytes", sa.Integer(), nullable=False),
    sa.Column("created_at", sa.DateTime(), nullable=False),
    sa.Column("expires_at", sa.DateTime(), nullable=False),
    sa.Column("finished_at", sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_uploads_owner_id_people")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    sa.UniqueConstraint("owner_id", "photo_id", name=op.f("uq_uploads_owner_id_photo_id"))
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index("ix_uploads_expires", ["expires_at", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index("ix_uploads_expires")

    op.drop_table("uploads")
