-- Studies are of the whole territory: planners ask, those who decide and oversee read.
ALTER TABLE study ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_see ON study FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
CREATE POLICY study_ask ON study FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY study_change ON study FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY study_delete ON study FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE study_site ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_site_see ON study_site FOR SELECT USING (EXISTS (SELECT FROM study WHERE study.id = study_id));
CREATE POLICY study_site_write ON study_site FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY study_site_delete ON study_site FOR DELETE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);

ALTER TABLE study_ground ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_ground_see ON study_ground FOR SELECT USING (EXISTS (SELECT FROM study WHERE study.id = study_id));
CREATE POLICY study_ground_write ON study_ground FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY study_ground_delete ON study_ground FOR DELETE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);

-- The history of a study is for whoever may see studies.
CREATE POLICY record_study ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('study', 'study_site')
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
