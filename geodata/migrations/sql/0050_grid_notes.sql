-- Notes on a grid: written by who works there, never changed, struck out by their author or a supervisor.
CREATE FUNCTION gk_grid_note_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() = 'system' OR TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.author_id IS DISTINCT FROM gk_user() OR NEW.struck_at IS NOT NULL OR NEW.struck_by IS NOT NULL THEN
            RAISE EXCEPTION 'A note is written by its own author.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.made_at := now();
        IF NOT EXISTS (
            SELECT FROM unit_grid AS g WHERE g.id = NEW.unit_grid_id AND g.territory_id = NEW.territory_id
            AND (gk_role() NOT IN ('grid_manager', 'grid_worker') OR g.community_id = ANY (gk_areas()))
        ) THEN
            RAISE EXCEPTION 'This grid lies outside your area.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - 'struck_at' - 'struck_by') <> (to_jsonb(OLD) - 'struck_at' - 'struck_by')
       OR OLD.struck_at IS NOT NULL THEN
        RAISE EXCEPTION 'A note stays as it was written.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.struck_by IS DISTINCT FROM gk_user()
       OR gk_role() <> 'supervisor' AND OLD.author_id IS DISTINCT FROM gk_user() THEN
        RAISE EXCEPTION 'A note is struck out by its author or a supervisor.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.struck_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE INSERT OR UPDATE ON grid_note FOR EACH ROW EXECUTE FUNCTION gk_grid_note_law();

ALTER TABLE grid_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY grid_note_see ON grid_note FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY grid_note_add ON grid_note FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('grid_manager', 'grid_worker', 'dispatcher', 'supervisor')
);
CREATE POLICY grid_note_strike ON grid_note FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('grid_manager', 'grid_worker', 'dispatcher', 'supervisor')
);
CREATE POLICY record_grid_note ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'grid_note'
    AND (SELECT gk_role()) IN ('grid_manager', 'supervisor', 'auditor')
);
