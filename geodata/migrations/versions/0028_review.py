"""Accountability: reviews of findings on the record; a reporter's identity is read with a purpose and recorded

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.embedded import APP
from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file, run_script

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _review()
    _explanation()
    _threshold()
    op.create_table(
        "review_run",
        sa.Column("territory_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("ran_at", MOMENT, nullable=False),
        sa.Column("acts", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        _of_territory("review_run"),
        sa.PrimaryKeyConstraint("territory_id", name=op.f("pk_review_run")),
    )
    run_file("0028_review.sql")
    grant("SELECT, INSERT, UPDATE, DELETE", "review", "review_threshold", "review_run")
    grant("SELECT, INSERT, DELETE", "review_explanation")
    grant_all_sequences()
    for table in ("review", "review_explanation", "review_threshold"):
        record_table(table)


def _of_territory(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_territory_id_territory")
    return sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=name, ondelete="CASCADE")


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("rule", "key")),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("subject_table", "subject_id")),
        sa.Column("persons", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("seqs", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("numbers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("opened_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("text_key", sa.Text(), nullable=True),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state IN ('open', 'explained', 'confirmed', 'dismissed')", name=op.f("ck_review_state")),
        sa.CheckConstraint(
            "(state IN ('confirmed', 'dismissed')) = (decided_at IS NOT NULL)", name=op.f("ck_review_decided")
        ),
        sa.CheckConstraint("(decided_at IS NULL) = (reason_cipher IS NULL)", name=op.f("ck_review_reason")),
        sa.CheckConstraint("cardinality(seqs) > 0", name=op.f("ck_review_evidence")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> ALL (persons)", name=op.f("ck_review_not_oneself")),
        _of_territory("review"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("territory_id", "rule", "key", name=op.f("uq_review_territory_id_rule_key")),
    )
    op.create_index(op.f("ix_review_territory_id"), "review", ["territory_id"])
    op.create_index(op.f("ix_review_territory_id_state"), "review", ["territory_id", "state"])
    op.create_index("ix_review_persons", "review", ["persons"], postgresql_using="gin")


def _explanation() -> None:
    op.create_table(
        "review_explanation",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("text_key", sa.Text(), nullable=False),
        sa.Column("text_cipher", sa.LargeBinary(), nullable=False),
        _of_territory("review_explanation"),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_review_explanation_review_id_review"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_explanation")),
    )
    for column in ("review_id", "territory_id"):
        op.create_index(op.f(f"ix_review_explanation_{column}"), "review_explanation", [column])


def _threshold() -> None:
    op.create_table(
        "review_threshold",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=True),
        sa.Column("proposed_label", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_review_threshold_{name}"))
            for name, condition in (
                ("state", "state IN ('proposed', 'approved', 'rejected', 'withdrawn')"),
                ("decided", "(state = 'proposed') = (decided_at IS NULL)"),
                ("two_persons", "decided_by <> proposed_by"),
                ("count", "count BETWEEN 1 AND 1000000"),
                ("minutes", "minutes BETWEEN 0 AND 525600"),
            )
        ),
        _of_territory("review_threshold"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_threshold")),
    )
    op.create_index(op.f("ix_review_threshold_territory_id"), "review_threshold", ["territory_id"])
    op.create_index(
        "uq_review_threshold_waiting",
        "review_threshold",
        ["territory_id", "rule"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )


def downgrade() -> None:
    run_script("DROP FUNCTION gk_reporter(bigint, text);")
    columns = "incident_id, territory_id, subject_id, note_cipher, phone_hash"
    op.execute(f"REVOKE SELECT ({columns}) ON incident_personal FROM {APP}")
    grant("SELECT", "incident_personal")
    for table in ("review_run", "review_threshold", "review_explanation", "review"):
        op.drop_table(table)
    run_script(
        "DROP FUNCTION gk_review(); DROP FUNCTION gk_review_explained(); DROP FUNCTION gk_review_threshold();"
        " DROP FUNCTION gk_same_person(integer, integer[]); DROP FUNCTION gk_own_key(text);"
    )
