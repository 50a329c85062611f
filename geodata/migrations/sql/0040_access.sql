-- Access is of the whole territory: who may see studies reads it; answers are written by the work that computes them.
ALTER TABLE access_answer ENABLE ROW LEVEL SECURITY;
CREATE POLICY access_answer_see ON access_answer FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
CREATE POLICY access_answer_write ON access_answer FOR ALL USING ((SELECT gk_role()) = 'system');

-- Norms are the planner's to set; every change stands in the record.
ALTER TABLE norm ENABLE ROW LEVEL SECURITY;
CREATE POLICY norm_see ON norm FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
CREATE POLICY norm_write ON norm FOR ALL USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
);
CREATE POLICY record_norm ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'norm'
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
