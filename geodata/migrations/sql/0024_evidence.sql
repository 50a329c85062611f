-- Evidence is written once: nobody changes it, and only the system (retention, erasure) takes it away. Who sees the
-- incident sees what stands there; the unblurred copy is for who handles it.
CREATE FUNCTION gk_adds_evidence() RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() IN ('grid_worker', 'grid_manager', 'handler', 'dispatcher', 'supervisor')
$$;

ALTER TABLE evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY evidence_see ON evidence FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY evidence_add ON evidence FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_adds_evidence()) AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY evidence_delete ON evidence FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE evidence_blur ENABLE ROW LEVEL SECURITY;
CREATE POLICY evidence_blur_see ON evidence_blur FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM evidence WHERE evidence.id = evidence_id)
);
CREATE POLICY evidence_blur_add ON evidence_blur FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_adds_evidence()) AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM evidence WHERE evidence.id = evidence_id)
);
CREATE POLICY evidence_blur_delete ON evidence_blur FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE evidence_image ENABLE ROW LEVEL SECURITY;
CREATE POLICY evidence_image_see ON evidence_image FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (
        SELECT FROM evidence AS e WHERE e.id = evidence_id AND (
            evidence_image.version > 0
            OR EXISTS (
                SELECT FROM task AS t
                WHERE t.incident_id = e.incident_id AND t.kind = 'handle' AND t.state NOT IN ('cancelled', 'returned')
                  AND (
                      (SELECT gk_role()) = 'handler' AND t.unit_id = ANY ((SELECT gk_units())::integer[])
                      OR (SELECT gk_role()) = 'grid_worker' AND t.worker_id = (SELECT gk_worker())
                  )
            )
        )
    )
);
CREATE POLICY evidence_image_add ON evidence_image FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_adds_evidence()) AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM evidence WHERE evidence.id = evidence_id)
);
CREATE POLICY evidence_image_delete ON evidence_image FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Who, in which role, when and in which round is written here, whatever the program says.
CREATE FUNCTION gk_evidence_stamp() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.taken_by := gk_setting('user')::integer;
    NEW.taken_as := gk_role();
    NEW.at := now();
    NEW.simulated := false;
    NEW.round := coalesce((SELECT i.reworks FROM incident AS i WHERE i.id = NEW.incident_id), 0);
    RETURN NEW;
END $$;
CREATE TRIGGER ab_stamp BEFORE INSERT ON evidence FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_evidence_stamp();

CREATE FUNCTION gk_evidence_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM incident AS i WHERE i.id = NEW.incident_id FOR NO KEY UPDATE;  -- so that they are counted one by one
    IF (SELECT count(*) FROM evidence AS e WHERE e.incident_id = NEW.incident_id) > 24
       OR NEW.kind <> 'place'
       AND (SELECT count(*) FROM evidence AS e WHERE e.incident_id = NEW.incident_id AND e.kind <> 'place') > 12 THEN
        PERFORM gk_refuse('This incident has as much evidence as it may have.', 'ck_evidence_most');
    END IF;
    IF EXISTS (SELECT FROM incident AS i WHERE i.id = NEW.incident_id
               AND (i.status IN ('closed', 'void') OR i.territory_id <> NEW.territory_id)) THEN
        PERFORM gk_refuse('Nothing is added to an incident that has ended.', 'ck_evidence_open');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_evidence_added FROM PUBLIC;
CREATE TRIGGER yy_added AFTER INSERT ON evidence FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_evidence_added();

CREATE FUNCTION gk_evidence_blur_stamp() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.made_by := gk_setting('user')::integer;
    NEW.made_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER ab_stamp BEFORE INSERT ON evidence_blur FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_evidence_blur_stamp();

-- What was blurred stays blurred: a later copy blurs at least as much, and the one before goes.
CREATE FUNCTION gk_evidence_blurred() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.version <> 1 + coalesce(
        (SELECT max(b.version) FROM evidence_blur AS b WHERE b.evidence_id = NEW.evidence_id AND b.id <> NEW.id), 0
    ) THEN
        PERFORM gk_refuse('Blurred copies follow each other.', 'ck_evidence_blur_next');
    END IF;
    IF NEW.version > 1 AND (NEW.left_out <> '[]' OR NOT NEW.boxes @> coalesce(
        (SELECT b.boxes FROM evidence_blur AS b WHERE b.evidence_id = NEW.evidence_id AND b.version = NEW.version - 1),
        '[]'
    )) THEN
        PERFORM gk_refuse('What was blurred stays blurred.', 'ck_evidence_blur_more');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_evidence_blurred FROM PUBLIC;
CREATE TRIGGER yy_blurred AFTER INSERT ON evidence_blur FOR EACH ROW EXECUTE FUNCTION gk_evidence_blurred();

-- The unblurred copy comes with the photo, from who took it; a blurred one is what its row says it is.
CREATE FUNCTION gk_evidence_image() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM evidence AS e WHERE e.id = NEW.evidence_id AND e.territory_id = NEW.territory_id
                   AND e.sha256 IS NOT NULL) THEN
        PERFORM gk_refuse('There is no such photo.', 'ck_evidence_image_photo');
    END IF;
    IF NEW.version = 0 THEN
        IF gk_role() <> 'system' AND NOT EXISTS (
            SELECT FROM evidence AS e WHERE e.id = NEW.evidence_id AND e.at = now()
              AND e.taken_by IS NOT DISTINCT FROM gk_setting('user')::integer
        ) THEN
            PERFORM gk_refuse('The photo itself comes with its row.', 'ck_evidence_image_own');
        END IF;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM evidence_blur AS b WHERE b.evidence_id = NEW.evidence_id AND b.version = NEW.version
          AND b.sha256 = encode(sha256(NEW.content), 'hex')
    ) THEN
        PERFORM gk_refuse('The blurred copy is not what its row says.', 'ck_evidence_image_sha256');
    END IF;
    DELETE FROM evidence_image AS i
    WHERE i.evidence_id = NEW.evidence_id AND i.version BETWEEN 1 AND NEW.version - 1;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_evidence_image FROM PUBLIC;
CREATE TRIGGER yy_image AFTER INSERT ON evidence_image FOR EACH ROW EXECUTE FUNCTION gk_evidence_image();

-- What the class demands has to be there before an incident counts as handled; the photo after is of this round.
CREATE FUNCTION gk_incident_evidence() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lacking text;
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NULL;
    END IF;
    SELECT string_agg(wanted, ', ') INTO lacking
    FROM incident_class AS c, regexp_split_to_table(c.evidence, ' ') AS wanted
    WHERE c.id = NEW.class_id AND wanted <> '' AND NOT EXISTS (
        SELECT FROM evidence AS e
        WHERE e.incident_id = NEW.id AND e.kind = wanted AND (wanted <> 'after' OR e.round = NEW.reworks)
    );
    IF lacking IS NOT NULL THEN
        PERFORM gk_refuse(format('Evidence lacks: %s.', lacking), 'ck_incident_evidence');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_incident_evidence FROM PUBLIC;
CREATE TRIGGER yy_evidence AFTER UPDATE OF status ON incident FOR EACH ROW
WHEN (NEW.status = 'checking' AND OLD.status IN ('dispatched', 'handling') AND gk_role() <> 'system')
EXECUTE FUNCTION gk_incident_evidence();
