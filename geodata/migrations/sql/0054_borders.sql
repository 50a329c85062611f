-- Borders of cells in force are written with the cells and never changed; they go when a cell goes.
CREATE TRIGGER aa_guard_insert BEFORE INSERT ON grid_border FOR EACH STATEMENT EXECUTE FUNCTION gk_guard('supervisor');
CREATE TRIGGER aa_guard_insert BEFORE INSERT OR UPDATE OR DELETE ON railway
    FOR EACH STATEMENT EXECUTE FUNCTION gk_guard('supervisor', 'administrator');

ALTER TABLE grid_change_border ENABLE ROW LEVEL SECURITY;
CREATE POLICY grid_change_border_see ON grid_change_border FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY grid_change_border_write ON grid_change_border FOR ALL USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('grid_manager', 'planner', 'supervisor')
    AND change_id IN (
        SELECT id FROM grid_change AS c
        WHERE c.state = 'draft' AND c.author_id IS NOT DISTINCT FROM (SELECT gk_user())
    )
);

-- A cell that gets another responsibility grid belongs to it from today; a city whose history is older than its map
-- may say since when ("bound_since"). Several times a day, the last counts.
CREATE FUNCTION gk_note_binding() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO grid_binding (unit_grid_id, started_on, territory_id, responsibility_grid_id)
        SELECT id, started_on, territory_id, responsibility_grid_id FROM new_rows
        WHERE responsibility_grid_id IS NOT NULL;
        RETURN NULL;
    END IF;
    INSERT INTO grid_binding AS b (unit_grid_id, started_on, territory_id, responsibility_grid_id)
    SELECT n.id, greatest(n.started_on, coalesce(gk_setting('bound_since')::date, (now() AT TIME ZONE t.timezone)::date)),
           n.territory_id, n.responsibility_grid_id
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id JOIN territory AS t ON t.id = n.territory_id
    WHERE n.responsibility_grid_id IS DISTINCT FROM o.responsibility_grid_id
    ON CONFLICT (unit_grid_id, started_on) DO UPDATE SET responsibility_grid_id = excluded.responsibility_grid_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_note_binding FROM PUBLIC;
CREATE TRIGGER zb_binding_insert AFTER INSERT ON unit_grid REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gk_note_binding();
CREATE TRIGGER zb_binding_update AFTER UPDATE ON unit_grid REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gk_note_binding();

-- What a cell belonged to before today was not kept until now: it is taken to have been the same.
INSERT INTO grid_binding (unit_grid_id, started_on, territory_id, responsibility_grid_id)
SELECT id, started_on, territory_id, responsibility_grid_id FROM unit_grid WHERE responsibility_grid_id IS NOT NULL;
