-- Who sent an incident out is written when it is sent, and never written away: whoever could, could close it then.
CREATE FUNCTION gk_sender_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Who sent an incident out is not changed.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ab_sender BEFORE UPDATE OF assigned_by ON task FOR EACH ROW
WHEN (OLD.assigned_by IS NOT NULL AND NEW.assigned_by IS DISTINCT FROM OLD.assigned_by)
EXECUTE FUNCTION gk_sender_stays();
CREATE TRIGGER ab_sender BEFORE UPDATE OF dispatched_by ON incident FOR EACH ROW
-- Who sends it out again puts himself there; those before him stand in their tasks.
WHEN (OLD.dispatched_by IS NOT NULL AND NEW.dispatched_by IS DISTINCT FROM OLD.dispatched_by
      AND NEW.dispatched_by IS DISTINCT FROM gk_user())
EXECUTE FUNCTION gk_sender_stays();

-- An answer is written once, with its sites and grounds, by who works on a question of this territory.
CREATE FUNCTION gk_answer_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The answer of study % stands.', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ab_answer BEFORE UPDATE ON study FOR EACH ROW
WHEN (OLD.state <> 'asked') EXECUTE FUNCTION gk_answer_stays();
CREATE FUNCTION gk_being_answered(asked integer) RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT EXISTS (
    SELECT FROM study WHERE study.id = asked AND study.territory_id = (SELECT gk_territory()) AND study.state = 'asked'
) $$;
DROP POLICY study_site_write ON study_site;
CREATE POLICY study_site_write ON study_site FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner' AND gk_being_answered(study_id)
);
DROP POLICY study_site_delete ON study_site;
CREATE POLICY study_site_delete ON study_site FOR DELETE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner' AND gk_being_answered(study_id)
);
DROP POLICY study_ground_write ON study_ground;
CREATE POLICY study_ground_write ON study_ground FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner' AND gk_being_answered(study_id)
);
DROP POLICY study_ground_delete ON study_ground;
CREATE POLICY study_ground_delete ON study_ground FOR DELETE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner' AND gk_being_answered(study_id)
);
