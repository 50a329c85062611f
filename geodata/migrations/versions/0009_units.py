"""Units: contact, a tree without cycles, a duty list without two owners

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import run_file, run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CONTACT = ("contact", "contact_zh", "email", "address")
ONE_OWNER = "ex_class_owner_one_owner"
KINDS = "kind IN ('centre', 'department', 'company', 'street_office', 'team', 'partner')"


def upgrade() -> None:
    for column in CONTACT:
        op.add_column("unit", sa.Column(column, sa.Text(), nullable=True))
    # What no page could write before, but a hand on the database could: put right, the newest entry stays.
    run_script(
        """
        UPDATE unit SET valid_to = valid_from, version = version + 1 WHERE valid_to < valid_from;
        UPDATE unit SET kind = 'partner', version = version + 1
        WHERE kind NOT IN ('centre', 'department', 'company', 'street_office', 'team', 'partner');
        DELETE FROM class_owner WHERE valid_to < valid_from;
        DELETE FROM class_owner AS o USING class_owner AS n
        WHERE n.territory_id = o.territory_id AND n.class_id = o.class_id AND n.area_id IS NOT DISTINCT FROM o.area_id
          AND n.valid_from = o.valid_from AND n.id > o.id;
        UPDATE class_owner AS o SET valid_to = n.begins - 1, version = version + 1
        FROM (SELECT id, lead(valid_from) OVER (
                  PARTITION BY territory_id, class_id, area_id ORDER BY valid_from) AS begins FROM class_owner) AS n
        WHERE n.id = o.id AND n.begins <= coalesce(o.valid_to, n.begins);
        """
    )
    op.create_check_constraint(op.f("ck_unit_kind"), "unit", KINDS)
    op.create_check_constraint(op.f("ck_unit_days"), "unit", "valid_to >= valid_from")
    op.create_check_constraint(op.f("ck_class_owner_days"), "class_owner", "valid_to >= valid_from")
    op.execute(
        f"ALTER TABLE class_owner ADD CONSTRAINT {ONE_OWNER} EXCLUDE USING gist (territory_id WITH =, class_id WITH =,"
        " (coalesce(area_id, 0)) WITH =, (daterange(valid_from, valid_to, '[]')) WITH &&)"
    )
    run_file("0009_units.sql")


def downgrade() -> None:
    run_script(
        """
        DROP POLICY load_row_here ON load_row;
        CREATE POLICY load_row_here ON load_row FOR SELECT USING (
            (SELECT gk_role()) = 'system'
            OR (SELECT gk_role()) IN ('supervisor', 'auditor') AND EXISTS (SELECT FROM record WHERE seq = record_seq)
            OR EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table = 'incident')
            AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
            OR EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table = 'task')
            AND EXISTS (SELECT FROM task WHERE task.id = subject_id::bigint)
        );
        DROP FUNCTION gk_load_table(bigint);
        DROP POLICY record_unit ON record;
        DROP FUNCTION gk_unit_open(integer);
        DROP TRIGGER unit_tree ON unit;
        DROP FUNCTION gk_unit_tree();
        """
    )
    op.drop_constraint(ONE_OWNER, "class_owner")
    op.drop_constraint(op.f("ck_class_owner_days"), "class_owner", type_="check")
    op.drop_constraint(op.f("ck_unit_days"), "unit", type_="check")
    op.drop_constraint(op.f("ck_unit_kind"), "unit", type_="check")
    for column in CONTACT:
        op.drop_column("unit", column)
