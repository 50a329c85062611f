-- Facts are folded from the record by the system alone; who may see a score sees the facts it is made of.
-- A worker sees his own, a grid manager those of the own communities, a handler those of the own units;
-- a planner gets sums only, and the administrator nothing.
ALTER TABLE incident_fact ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_fact_see ON incident_fact FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) = 'grid_manager' AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
    )
);
CREATE POLICY incident_fact_fold ON incident_fact FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY incident_fact_again ON incident_fact FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE fact_fold ENABLE ROW LEVEL SECURITY;
CREATE POLICY fact_fold_see ON fact_fold FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY fact_fold_write ON fact_fold FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY fact_fold_change ON fact_fold FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY fact_fold_delete ON fact_fold FOR DELETE USING ((SELECT gk_role()) = 'system');
