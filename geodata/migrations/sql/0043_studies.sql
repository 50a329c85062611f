-- How a study that is being answered stands, and what could be chosen instead: written by the work that computes it.
ALTER TABLE study_live ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_live_see ON study_live FOR SELECT USING (EXISTS (SELECT FROM study WHERE study.id = study_id));
CREATE POLICY study_live_write ON study_live FOR ALL USING ((SELECT gk_role()) = 'system');
ALTER TABLE study_front ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_front_see ON study_front FOR SELECT USING (EXISTS (SELECT FROM study WHERE study.id = study_id));
CREATE POLICY study_front_write ON study_front FOR ALL USING ((SELECT gk_role()) = 'system');

-- Decisions on sites: a planner proposes, a supervisor who is somebody else signs or refuses. Who and when is stamped
-- here, not told; what was proposed is never rewritten.
ALTER TABLE study_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_decision_see ON study_decision FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
CREATE POLICY study_decision_propose ON study_decision FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'planner'
    AND EXISTS (SELECT FROM study WHERE study.id = study_id AND study.territory_id = study_decision.territory_id
                AND study.state = 'answered')
);
CREATE POLICY study_decision_decide ON study_decision FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('planner', 'supervisor')
);
CREATE POLICY study_decision_delete ON study_decision FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_study_decision() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision text[] := '{state,decided_by,decided_label,decided_at,note,version}';
BEGIN
    IF NEW.content_sha256 <> encode(sha256(convert_to(NEW.content, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'The hash is not that of what is decided.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF gk_user() IS NULL OR NEW.state <> 'proposed' THEN
            RAISE EXCEPTION 'A decision is proposed by a person, and signed later.'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.proposed_by := gk_user();
        NEW.proposed_label := coalesce(gk_setting('label'), '');
        NEW.proposed_at := now();
        NEW.decided_by := NULL;
        NEW.decided_label := '';
        NEW.decided_at := NULL;
        NEW.note := '';
        RETURN NEW;
    END IF;
    IF OLD.state <> 'proposed' OR to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision THEN
        RAISE EXCEPTION 'A decision is never rewritten, and signed once.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_user() IS NULL
       OR NOT (NEW.state = 'withdrawn' AND OLD.proposed_by = gk_user()
               OR NEW.state IN ('signed', 'refused') AND gk_role() = 'supervisor'
               AND OLD.proposed_by IS DISTINCT FROM gk_user()) THEN
        RAISE EXCEPTION 'Who proposes sites does not sign them; a supervisor who is somebody else does.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.decided_by := gk_user();
    NEW.decided_label := coalesce(gk_setting('label'), '');
    NEW.decided_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE ON study_decision FOR EACH ROW EXECUTE FUNCTION gk_study_decision();

-- The history of a decision is for whoever may see studies.
CREATE POLICY record_study_decision ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'study_decision'
    AND (SELECT gk_role()) IN ('planner', 'grid_manager', 'supervisor', 'auditor')
);
