"""The citizen's word, appeals, the rule of both, and facts that are cheap to fold and to count

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GONE = ("category", "priority", "dispatched_by", "closed_by", "dispatched_at", "postponed")
ADDED = (
    ("postponed_until", MOMENT, None),
    ("duplicate_of", sa.BigInteger(), None),
    ("reopens", sa.SmallInteger(), "0"),
    ("word_at", MOMENT, None),
    ("word_closed_at", MOMENT, None),
    ("word_reached", sa.Boolean(), None),
    ("word_solved", sa.Boolean(), None),
    ("word_satisfied", sa.SmallInteger(), None),
    ("excused", sa.SmallInteger(), "0"),
    ("marks", sa.Integer(), "0"),
)


def _table(name: str, *parts: sa.schema.SchemaItem, keys: tuple[tuple[str, str, str | None], ...]) -> None:
    """Make a table with an id of its own, a territory, and foreign keys."""
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        *parts,
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_{name}_{column}_{table}"), ondelete=ondelete
            )
            for column, table, ondelete in (("territory_id", "territory", "CASCADE"), *keys)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_territory_id"), name, ["territory_id"])


def upgrade() -> None:
    # Facts are folded again from the record by the next fold.
    op.execute("DELETE FROM incident_fact")
    op.execute("DELETE FROM fact_fold")
    op.drop_constraint(op.f("fk_incident_fact_territory_id_territory"), "incident_fact", type_="foreignkey")
    for column in GONE:
        op.drop_column("incident_fact", column)
    for name, kind, default in ADDED:
        op.add_column("incident_fact", sa.Column(name, kind, nullable=default is None))
    op.create_index(
        "ix_incident_fact_excused", "incident_fact", ["territory_id"], postgresql_where=sa.text("excused > 0")
    )
    _table(
        "citizen_word",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("satisfied", sa.SmallInteger(), nullable=True),
        sa.Column("told_by", sa.Integer(), nullable=True),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("satisfied BETWEEN 1 AND 5", name=op.f("ck_citizen_word_satisfied")),
        sa.CheckConstraint(
            "reached = (solved IS NOT NULL) AND (reached OR satisfied IS NULL)", name=op.f("ck_citizen_word_reached")
        ),
        keys=(("incident_id", "incident", "CASCADE"), ("told_by", "app_user", None)),
    )
    op.create_index(op.f("ix_citizen_word_incident_id"), "citizen_word", ["incident_id"])
    _table(
        "appeal",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("effect", sa.SmallInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_label", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.UniqueConstraint("incident_id", "effect", name=op.f("uq_appeal_incident_id_effect")),
        sa.CheckConstraint("effect IN (1, 2, 4, 8)", name=op.f("ck_appeal_effect")),
        sa.CheckConstraint("state IN ('waiting', 'granted', 'refused')", name=op.f("ck_appeal_state")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_appeal_decided")),
        sa.CheckConstraint("state = 'waiting' OR answer <> ''", name=op.f("ck_appeal_answered")),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_appeal_two_persons")),
        sa.CheckConstraint("length(evidence) BETWEEN 1 AND 2000", name=op.f("ck_appeal_evidence")),
        keys=(
            ("incident_id", "incident", "CASCADE"),
            ("unit_id", "unit", None),
            ("asked_by", "app_user", None),
            ("decided_by", "app_user", None),
        ),
    )
    _table(
        "evaluation_rule",
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("weight_response", sa.Double(), nullable=False),
        sa.Column("weight_solution", sa.Double(), nullable=False),
        sa.Column("weight_satisfaction", sa.Double(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("contact_hours", sa.Double(), nullable=False),
        sa.Column("satisfied_from", sa.SmallInteger(), nullable=False),
        sa.Column("excluded_classes", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.Column("appeal_days", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=True),
        sa.Column("proposed_label", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'rejected')", name=op.f("ck_evaluation_rule_state")),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name=op.f("ck_evaluation_rule_decided")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("ck_evaluation_rule_two_persons")),
        sa.CheckConstraint("base IN ('asked', 'reached')", name=op.f("ck_evaluation_rule_base")),
        sa.CheckConstraint("satisfied_from BETWEEN 1 AND 5", name=op.f("ck_evaluation_rule_satisfied")),
        sa.CheckConstraint("appeal_days BETWEEN 1 AND 180", name=op.f("ck_evaluation_rule_appeal")),
        keys=(("proposed_by", "app_user", None), ("decided_by", "app_user", None)),
    )
    run_file("0027_evaluation.sql")
    grant("SELECT, INSERT, DELETE", "citizen_word")
    grant("SELECT, INSERT, UPDATE, DELETE", "appeal", "evaluation_rule")
    grant_all_sequences()
    for table in ("citizen_word", "appeal", "evaluation_rule"):
        record_table(table)


def downgrade() -> None:
    run_file("0027_evaluation_down.sql")
    for table in ("evaluation_rule", "appeal", "citizen_word"):
        op.drop_table(table)
    for function in ("gk_citizen_word", "gk_appeal", "gk_is_party", "gk_evaluation_rule"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DELETE FROM incident_fact")
    op.execute("DELETE FROM fact_fold")
    op.drop_index("ix_incident_fact_excused", table_name="incident_fact")
    for name, _, _ in reversed(ADDED):
        op.drop_column("incident_fact", name)
    op.add_column("incident_fact", sa.Column("category", sa.Text(), nullable=False))
    op.add_column("incident_fact", sa.Column("priority", sa.SmallInteger(), nullable=False))
    op.add_column("incident_fact", sa.Column("dispatched_by", sa.Integer(), nullable=True))
    op.add_column("incident_fact", sa.Column("closed_by", sa.Integer(), nullable=True))
    op.add_column("incident_fact", sa.Column("dispatched_at", MOMENT, nullable=True))
    op.add_column("incident_fact", sa.Column("postponed", sa.Boolean(), nullable=False))
    op.create_foreign_key(
        op.f("fk_incident_fact_territory_id_territory"),
        "incident_fact",
        "territory",
        ["territory_id"],
        ["id"],
        ondelete="CASCADE",
    )
