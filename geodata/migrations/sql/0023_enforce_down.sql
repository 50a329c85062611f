DROP POLICY incident_see ON incident;
CREATE POLICY incident_see ON incident FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
);
DROP POLICY incident_update ON incident;
CREATE POLICY incident_update ON incident FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
) WITH CHECK ((SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()));
DROP TRIGGER yy_step ON task;
DROP TRIGGER task_hands_update ON task;
DROP TRIGGER task_hands_insert ON task;
DROP TRIGGER yy_step ON incident;
DROP TRIGGER incident_reporter ON incident;
DROP TRIGGER yy_begins ON incident;
DROP TABLE extension_request;
DROP TABLE transition;
DROP FUNCTION gk_called_to();
DROP FUNCTION gk_extension();
DROP FUNCTION gk_task_step();
DROP FUNCTION gk_task_hands();
DROP FUNCTION gk_incident_step();
DROP FUNCTION gk_incident_reporter();
DROP FUNCTION gk_incident_begins();
DROP FUNCTION gk_has_handled(bigint, integer, integer);
DROP FUNCTION gk_refuse(text, text);
DROP FUNCTION gk_lawless(oid);
