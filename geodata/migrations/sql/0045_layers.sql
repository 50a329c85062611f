-- Layers are of the whole territory: planners bring them, those who may see studies read them.
ALTER TABLE named_layer ENABLE ROW LEVEL SECURITY;
CREATE POLICY named_layer_see ON named_layer FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
CREATE POLICY named_layer_bring ON named_layer FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY named_layer_retire ON named_layer FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY named_layer_delete ON named_layer FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Places are written with their layer and never changed: what a study rests on stays what it was.
ALTER TABLE layer_place ENABLE ROW LEVEL SECURITY;
CREATE POLICY layer_place_see ON layer_place FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
CREATE POLICY layer_place_bring ON layer_place FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY layer_place_delete ON layer_place FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE POLICY record_named_layer ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'named_layer'
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
