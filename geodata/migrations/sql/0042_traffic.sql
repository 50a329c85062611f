-- How fast cars go is for everybody who works here; the dispatcher brings it in, in the own name.
ALTER TABLE traffic_load ENABLE ROW LEVEL SECURITY;
CREATE POLICY traffic_load_see ON traffic_load FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY traffic_load_add ON traffic_load FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY traffic_load_delete ON traffic_load FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_traffic_hand() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) THEN
        NEW.loaded_by := gk_user();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_hand BEFORE INSERT ON traffic_load FOR EACH ROW EXECUTE FUNCTION gk_traffic_hand();

CREATE POLICY record_traffic ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'traffic_load'
    AND (SELECT gk_role()) IN ('dispatcher', 'grid_manager', 'supervisor', 'auditor')
);

-- New speeds change every way, as a closure does, and are told as one.
CREATE TRIGGER zz_dispatch_insert AFTER INSERT ON traffic_load REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_dispatch('closures');
