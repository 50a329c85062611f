"""The desk: duplicates that follow the first report, emergencies handed over, the hotline's file in and out

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = ("hand_over", "emergency_rule", "upstream_item", "upstream_answer")


def upgrade() -> None:
    op.add_column("incident", sa.Column("duplicate_of", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_incident_duplicate_of_incident"), "incident", "incident", ["duplicate_of"], ["id"])
    op.create_check_constraint(op.f("ck_incident_not_its_own_duplicate"), "incident", "duplicate_of <> id")
    op.create_index(
        op.f("ix_incident_duplicate_of"),
        "incident",
        ["duplicate_of"],
        unique=False,
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    )
    op.create_index(
        "ix_incident_open_emergency",
        "incident",
        ["territory_id"],
        unique=False,
        postgresql_where=sa.text("emergency AND status NOT IN ('closed', 'void')"),
    )
    _hand_over()
    _emergency_rule()
    _upstream()
    run_file("0025_desk.sql")
    grant("SELECT, INSERT, UPDATE, DELETE", "hand_over", "emergency_rule", "upstream_item")
    grant("SELECT, INSERT", "upstream_answer")
    grant_all_sequences()
    for table in TABLES:
        record_table(table)


def _moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _to(table: str, column: str, other: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def _hand_over() -> None:
    table = "hand_over"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        _text("service"),
        _text("phone"),
        _text("because", ""),
        _text("state", "waiting"),
        _moment("raised_at", nullable=False, now=True),
        sa.Column("raised_by", sa.Integer(), nullable=True),
        _text("raised_label", ""),
        _moment("called_at"),
        _text("channel", "phone"),
        _text("reference", ""),
        _moment("settled_at"),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        _text("settled_label", ""),
        sa.CheckConstraint("state IN ('waiting', 'acknowledged', 'dismissed')", name=op.f("ck_hand_over_state")),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_hand_over_settled")),
        sa.CheckConstraint("state <> 'acknowledged' OR called_at IS NOT NULL", name=op.f("ck_hand_over_called")),
        _to(table, "territory_id", "territory", "CASCADE"),
        _to(table, "incident_id", "incident", "CASCADE"),
        _to(table, "raised_by", "app_user"),
        _to(table, "settled_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("incident_id", "service", name=op.f("uq_hand_over_incident_id_service")),
    )
    op.create_index(op.f("ix_hand_over_territory_id"), table, ["territory_id"], unique=False)
    op.create_index(
        "ix_hand_over_waiting",
        table,
        ["territory_id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _emergency_rule() -> None:
    table = "emergency_rule"
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        _text("kind"),
        _text("phrase"),
        _text("service", ""),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("kind IN ('word', 'lookalike', 'class', 'number')", name=op.f("ck_emergency_rule_kind")),
        _to(table, "territory_id", "territory", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_rule")),
        sa.UniqueConstraint("territory_id", "kind", "phrase", name=op.f("uq_emergency_rule_territory_id_kind_phrase")),
    )
    op.create_index(op.f("ix_emergency_rule_territory_id"), table, ["territory_id"], unique=False)


def _upstream() -> None:
    item, answer = "upstream_item", "upstream_answer"
    op.create_table(
        item,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        _text("system"),
        _text("ref"),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        _text("state", ""),
        _moment("reported_at"),
        _moment("due_at"),
        _text("reason", ""),
        _text("file_name", ""),
        _moment("seen_at", nullable=False),
        _to(item, "territory_id", "territory", "CASCADE"),
        _to(item, "incident_id", "incident", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_item")),
        sa.UniqueConstraint("territory_id", "system", "ref", name=op.f("uq_upstream_item_territory_id_system_ref")),
    )
    op.create_table(
        answer,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        _text("system"),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        _text("ref"),
        _text("digest"),
        sa.Column("content", JSONB(), nullable=False),
        _moment("written_at", nullable=False, now=True),
        sa.Column("written_by", sa.Integer(), nullable=True),
        _to(answer, "territory_id", "territory", "CASCADE"),
        _to(answer, "incident_id", "incident", "CASCADE"),
        _to(answer, "written_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_answer")),
        sa.UniqueConstraint(
            "territory_id",
            "system",
            "batch",
            "incident_id",
            name=op.f("uq_upstream_answer_territory_id_system_batch_incident_id"),
        ),
    )
    op.create_index(op.f("ix_upstream_item_territory_id"), item, ["territory_id"], unique=False)
    op.create_index(op.f("ix_upstream_item_incident_id"), item, ["incident_id"], unique=False)
    op.create_index(op.f("ix_upstream_answer_territory_id"), answer, ["territory_id"], unique=False)
    op.create_index(op.f("ix_upstream_answer_incident_id_batch"), answer, ["incident_id", "batch"], unique=False)


def downgrade() -> None:
    op.execute("UPDATE incident SET duplicate_of = NULL WHERE duplicate_of IS NOT NULL")
    run_file("0025_desk_down.sql")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_incident_open_emergency", table_name="incident")
    op.drop_index(op.f("ix_incident_duplicate_of"), table_name="incident")
    op.drop_constraint(op.f("ck_incident_not_its_own_duplicate"), "incident", type_="check")
    op.drop_column("incident", "duplicate_of")
