-- Drafts of grids are seen by every officer of the territory, made by those who may propose, and decided by a
-- supervisor who did not draft them. Whoever drafts cannot put anything in force: unit_grid stays the supervisor's.
CREATE FUNCTION gk_grid_change_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() = 'system' OR TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.author_id IS DISTINCT FROM gk_user() OR NEW.state <> 'draft' OR NEW.decided_by IS NOT NULL THEN
            RAISE EXCEPTION 'A change of grids begins as a draft of its own author.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('published', 'withdrawn') OR NEW.author_id IS DISTINCT FROM OLD.author_id
       OR NEW.territory_id <> OLD.territory_id THEN
        RAISE EXCEPTION 'This change of grids is decided and stays.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'published' THEN
        IF gk_role() <> 'supervisor' OR OLD.state <> 'submitted' OR gk_user() IS NOT DISTINCT FROM OLD.author_id
           OR NEW.decided_by IS DISTINCT FROM gk_user() THEN
            RAISE EXCEPTION 'A submitted change of grids is published by a supervisor who did not draft it.'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NEW.decided_by IS NOT NULL OR gk_user() IS DISTINCT FROM OLD.author_id
          AND NOT (gk_role() = 'supervisor' AND OLD.state = 'submitted' AND NEW.state = 'draft') THEN
        RAISE EXCEPTION 'A draft of grids is changed by its author.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE INSERT OR UPDATE ON grid_change FOR EACH ROW EXECUTE FUNCTION gk_grid_change_law();

ALTER TABLE grid_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY grid_change_see ON grid_change FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY grid_change_add ON grid_change FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('grid_manager', 'planner', 'supervisor')
);
CREATE POLICY grid_change_change ON grid_change FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('grid_manager', 'planner', 'supervisor')
);

ALTER TABLE grid_change_cell ENABLE ROW LEVEL SECURITY;
CREATE POLICY grid_change_cell_see ON grid_change_cell FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY grid_change_cell_write ON grid_change_cell FOR ALL USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('grid_manager', 'planner', 'supervisor')
    AND change_id IN (
        SELECT id FROM grid_change AS c
        WHERE c.state = 'draft' AND c.author_id IS NOT DISTINCT FROM (SELECT gk_user())
    )
);

ALTER TABLE grid_parent ENABLE ROW LEVEL SECURITY;
CREATE POLICY grid_parent_see ON grid_parent FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY grid_parent_add ON grid_parent FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);

-- Who sees an incident sees where it was.
ALTER TABLE incident_home ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_home_see ON incident_home FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)
);
CREATE POLICY incident_home_add ON incident_home FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);
CREATE POLICY record_grid_change ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'grid_change'
    AND (SELECT gk_role()) IN ('grid_manager', 'supervisor', 'auditor')
);
