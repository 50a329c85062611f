-- The policies and guards as they were before 0007.
DROP POLICY record_worker ON record;
DROP POLICY person_change ON person;
DROP POLICY person_key_insert ON person_key;
CREATE POLICY person_key_insert ON person_key FOR INSERT WITH CHECK (
    (SELECT gk_role()) NOT IN ('handler', 'planner', 'auditor', 'nobody')
);
DROP TRIGGER ab_reach ON worker;
DROP POLICY absence_manage ON absence;
DROP POLICY absence_own ON absence;
DROP FUNCTION gk_worker_reach();
DROP FUNCTION gk_away(integer, date, date);
DROP FUNCTION gk_open_tasks(integer);
DROP FUNCTION gk_manages_worker(integer);
DROP FUNCTION gk_manages(integer, integer, integer);
