"""Evidence: photos in two copies, notes on the place, and what a class demands before an incident is finished

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

HEX = "sha256 ~ '^[0-9a-f]{64}$'"


def upgrade() -> None:
    op.add_column("incident_class", sa.Column("evidence", sa.Text(), server_default="", nullable=False))
    op.create_check_constraint(
        op.f("ck_incident_class_evidence"), "incident_class", "evidence ~ '^(before)? ?(after)? ?(place)?$'"
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=True),
        sa.Column("taken_as", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("round", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("note_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("kind IN ('before', 'after', 'other', 'place')", name=op.f("ck_evidence_kind")),
        sa.CheckConstraint(
            "(kind = 'place') = (sha256 IS NULL) AND (kind = 'place') = (note_cipher IS NOT NULL)"
            " AND (sha256 IS NULL) = (width IS NULL OR height IS NULL)",
            name=op.f("ck_evidence_photo_or_note"),
        ),
        sa.CheckConstraint(HEX, name=op.f("ck_evidence_sha256")),
        *_keys("evidence", incident_id="incident", taken_by="app_user"),
        sa.UniqueConstraint("incident_id", "sha256", name=op.f("uq_evidence_incident_id_sha256")),
    )
    op.create_table(
        "evidence_blur",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("evidence_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("boxes", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("left_out", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_evidence_blur_version")),
        sa.CheckConstraint(HEX, name=op.f("ck_evidence_blur_sha256")),
        *_keys("evidence_blur", evidence_id="evidence", made_by="app_user"),
        sa.UniqueConstraint("evidence_id", "version", name=op.f("uq_evidence_blur_evidence_id_version")),
    )
    op.create_table(
        "evidence_image",
        sa.Column("evidence_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_keys("evidence_image", evidence_id="evidence")[:-1],
        sa.PrimaryKeyConstraint("evidence_id", "version", name=op.f("pk_evidence_image")),
    )
    for table, columns in (
        ("evidence", ("territory_id", "incident_id", "taken_by")),
        ("evidence_blur", ("territory_id", "made_by")),
        ("evidence_image", ("territory_id",)),
    ):
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    op.execute("ALTER TABLE evidence_image ALTER COLUMN content SET STORAGE EXTERNAL")  # packed by itself
    run_file("0024_evidence.sql")
    grant("SELECT, INSERT, DELETE", "evidence", "evidence_blur", "evidence_image")
    grant_all_sequences()
    record_table("evidence")
    record_table("evidence_blur")


def _keys(table: str, **columns: str) -> list[sa.Constraint]:
    targets = {"territory_id": "territory", **columns}
    return [
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{target}.id"],
                name=op.f(f"fk_{table}_{column}_{target}"),
                ondelete="SET NULL" if target == "app_user" else "CASCADE",
            )
            for column, target in targets.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def downgrade() -> None:
    run_file("0024_evidence_down.sql")
    op.drop_constraint(op.f("ck_incident_class_evidence"), "incident_class", type_="check")
    op.drop_column("incident_class", "evidence")
