"""What was written once stays: who sent out, the answer of a study

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

from geodata.migrations.support import run_file, run_script

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0022_firm.sql")


def downgrade() -> None:
    for table in ("study_site", "study_ground"):
        run_script(
            f"""
            DROP POLICY {table}_write ON {table};
            CREATE POLICY {table}_write ON {table} FOR INSERT WITH CHECK (
                (SELECT gk_role()) = 'system'
                OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
            );
            DROP POLICY {table}_delete ON {table};
            CREATE POLICY {table}_delete ON {table} FOR DELETE USING (
                (SELECT gk_role()) = 'system'
                OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
            );
            """
        )
    run_script(
        """
        DROP TRIGGER ab_answer ON study;
        DROP TRIGGER ab_sender ON incident;
        DROP TRIGGER ab_sender ON task;
        DROP FUNCTION gk_being_answered;
        DROP FUNCTION gk_answer_stays;
        DROP FUNCTION gk_sender_stays;
        """
    )
