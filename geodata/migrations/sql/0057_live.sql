-- Walls: an address without a login is made by the supervisor, who sees all that it shows.
ALTER TABLE wall_pass ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall_pass_see ON wall_pass FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'auditor') AND territory_id = (SELECT gk_territory())
);
CREATE POLICY wall_pass_add ON wall_pass FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY wall_pass_withdraw ON wall_pass FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
-- Servers of the city's own network are named by the administrator alone: the platform asks nobody else.
ALTER TABLE own_basemap ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_basemap_keep ON own_basemap USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
);
ALTER TABLE traffic_feed ENABLE ROW LEVEL SECURITY;
CREATE POLICY traffic_feed_keep ON traffic_feed USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
);
ALTER TABLE feed_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY feed_run_keep ON feed_run USING ((SELECT gk_role()) = 'system');
CREATE POLICY feed_run_see ON feed_run FOR SELECT USING (
    (SELECT gk_role()) = 'administrator'
    AND EXISTS (SELECT FROM traffic_feed AS f WHERE f.id = feed_id AND f.territory_id = (SELECT gk_territory()))
);

CREATE FUNCTION gk_made_by_hand() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) THEN
        NEW.made_by := gk_user();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_hand BEFORE INSERT ON wall_pass FOR EACH ROW EXECUTE FUNCTION gk_made_by_hand();
CREATE TRIGGER ab_hand BEFORE INSERT ON own_basemap FOR EACH ROW EXECUTE FUNCTION gk_made_by_hand();
CREATE TRIGGER ab_hand BEFORE INSERT ON traffic_feed FOR EACH ROW EXECUTE FUNCTION gk_made_by_hand();

-- A pass is changed in one way only: it is withdrawn.
CREATE FUNCTION gk_wall_pass_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'revoked_at') <> (to_jsonb(OLD) - 'revoked_at') OR OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'An address of a wall is withdrawn, never changed.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE UPDATE ON wall_pass FOR EACH ROW EXECUTE FUNCTION gk_wall_pass_law();

CREATE POLICY record_live ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('wall_pass', 'own_basemap', 'traffic_feed')
    AND (SELECT gk_role()) IN ('supervisor', 'auditor')
);

-- Speeds by the hour come in bulk: written by the system and the dispatcher, read by all who work here.
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE OR DELETE ON traffic_hour
FOR EACH STATEMENT EXECUTE FUNCTION gk_guard('dispatcher');
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE OR DELETE ON road_speed
FOR EACH STATEMENT EXECUTE FUNCTION gk_guard();
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE OR DELETE ON sensor_curve
FOR EACH STATEMENT EXECUTE FUNCTION gk_guard();
