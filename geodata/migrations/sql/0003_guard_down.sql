-- The policies as they were before 0003.
DROP POLICY incident_update ON incident;
CREATE POLICY incident_update ON incident FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('grid_worker', 'grid_manager', 'handler', 'dispatcher', 'supervisor')
);
DROP POLICY task_write ON task;
CREATE POLICY task_write ON task FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
DROP POLICY task_change ON task;
CREATE POLICY task_change ON task FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
