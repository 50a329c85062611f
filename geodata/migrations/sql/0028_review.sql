-- Whether an account belongs to the same human being as one of others: by the worker, the person or the phone.
-- It looks past row-level security, since the link is the question.
CREATE FUNCTION gk_same_person(one integer, others integer[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH linked AS (
        SELECT u.id, u.worker_id, p.id AS person_id, p.phone_hash
        FROM app_user AS u
        LEFT JOIN worker AS w ON w.id = u.worker_id
        LEFT JOIN person AS p ON p.id IN (u.person_id, w.person_id)
        WHERE u.id = one OR u.id = ANY (others)
    )
    SELECT coalesce(one = ANY (others), false) OR EXISTS (
        SELECT FROM linked AS a JOIN linked AS b ON a.id = one AND b.id = ANY (others)
         AND (a.worker_id = b.worker_id OR a.person_id = b.person_id OR a.phone_hash = b.phone_hash)
    )
$$;
REVOKE EXECUTE ON FUNCTION gk_same_person FROM PUBLIC;

-- What is said to a finding is sealed under a key of its own: retention destroys it, and pages open it, so it must not
-- be somebody's.
CREATE FUNCTION gk_own_key(given text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM person WHERE subject_id = given)
       AND NOT EXISTS (SELECT FROM incident_personal WHERE subject_id = given)
       AND NOT EXISTS (SELECT FROM evidence WHERE subject_id = given)
       AND NOT EXISTS (SELECT FROM quarantine WHERE subject_id = given)
       AND NOT EXISTS (SELECT FROM draft WHERE subject_id = given)
       AND NOT EXISTS (SELECT FROM review WHERE text_key = given)
       AND NOT EXISTS (SELECT FROM review_explanation WHERE text_key = given)
$$;
REVOKE EXECUTE ON FUNCTION gk_own_key FROM PUBLIC;

-- Findings: opened by the platform alone; seen by who runs the oversight and by whom they concern.
ALTER TABLE review ENABLE ROW LEVEL SECURITY;
CREATE POLICY review_see ON review FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND ((SELECT gk_role()) IN ('supervisor', 'auditor')
         OR (SELECT gk_role()) <> 'nobody' AND persons @> ARRAY[(SELECT gk_user())])
);
CREATE POLICY review_open ON review FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY review_decide ON review FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'auditor') AND territory_id = (SELECT gk_territory())
);
CREATE POLICY review_delete ON review FOR DELETE USING ((SELECT gk_role()) = 'system');

-- A finding is never rewritten and decided once, with a reason, by a person whom it does not concern. The system is
-- bound by it too: a decision has a person. Who and when is stamped here, not told.
CREATE FUNCTION gk_review() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision text[] := '{state,reason_cipher,text_key,decided_by,decided_label,decided_at,version}';
    hand integer := gk_setting('user')::integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'A review begins open.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.opened_at := clock_timestamp();
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision OR OLD.state NOT IN ('open', 'explained') THEN
        RAISE EXCEPTION 'A finding is never rewritten, and decided once.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'explained' AND (to_jsonb(NEW) - '{state,version}'::text[]) = (to_jsonb(OLD) - '{state,version}'::text[])
       AND EXISTS (SELECT FROM review_explanation AS e WHERE e.review_id = NEW.id AND e.user_id = hand) THEN
        RETURN NEW;
    END IF;
    IF NEW.state NOT IN ('confirmed', 'dismissed') OR NEW.reason_cipher IS NULL OR hand IS NULL THEN
        RAISE EXCEPTION 'A review is decided by a person, with a reason.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT gk_own_key(NEW.text_key) THEN
        RAISE EXCEPTION 'A reason has a key of its own.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_same_person(hand, OLD.persons) THEN
        RAISE EXCEPTION 'Nobody decides on himself.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.decided_by := hand;
    NEW.decided_label := coalesce(gk_setting('label'), '');
    NEW.decided_at := now();
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_review FROM PUBLIC;
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE ON review FOR EACH ROW EXECUTE FUNCTION gk_review();

-- What is said to a finding: by whom it concerns, in his own name, while it is not decided. He and the oversight read it.
ALTER TABLE review_explanation ENABLE ROW LEVEL SECURITY;
CREATE POLICY review_explanation_see ON review_explanation FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND ((SELECT gk_role()) IN ('supervisor', 'auditor')
         OR (SELECT gk_role()) <> 'nobody' AND user_id = (SELECT gk_user()))
);
CREATE POLICY review_explanation_add ON review_explanation FOR INSERT WITH CHECK (
    (SELECT gk_role()) <> 'nobody' AND EXISTS (
        SELECT FROM review AS r WHERE r.id = review_id AND r.territory_id = review_explanation.territory_id
         AND r.persons @> ARRAY[(SELECT gk_user())] AND r.state IN ('open', 'explained')
    )
);
CREATE POLICY review_explanation_delete ON review_explanation FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_review_explained() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_WHEN = 'BEFORE' THEN
        IF NOT gk_own_key(NEW.text_key) THEN
            RAISE EXCEPTION 'An explanation has a key of its own.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.user_id := gk_setting('user')::integer;
        NEW.label := coalesce(gk_setting('label'), '');
        NEW.at := now();
        RETURN NEW;
    END IF;
    UPDATE review SET state = 'explained', version = version + 1 WHERE id = NEW.review_id AND state = 'open';
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_review_explained FROM PUBLIC;
CREATE TRIGGER aa_stamp BEFORE INSERT ON review_explanation FOR EACH ROW EXECUTE FUNCTION gk_review_explained();
CREATE TRIGGER yy_explained AFTER INSERT ON review_explanation FOR EACH ROW EXECUTE FUNCTION gk_review_explained();

-- Thresholds: everybody who works here reads them; one of the oversight proposes, another person decides.
ALTER TABLE review_threshold ENABLE ROW LEVEL SECURITY;
CREATE POLICY review_threshold_see ON review_threshold FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY review_threshold_propose ON review_threshold FOR INSERT WITH CHECK (
    (SELECT gk_role()) IN ('supervisor', 'auditor') AND territory_id = (SELECT gk_territory())
);
CREATE POLICY review_threshold_decide ON review_threshold FOR UPDATE USING (
    (SELECT gk_role()) IN ('supervisor', 'auditor') AND territory_id = (SELECT gk_territory())
);
CREATE POLICY review_threshold_delete ON review_threshold FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_review_threshold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision text[] := '{state,decided_by,decided_label,decided_at,version}';
    hand integer := gk_setting('user')::integer;
BEGIN
    IF hand IS NULL THEN
        RAISE EXCEPTION 'A threshold is proposed and decided by persons.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' THEN
            RAISE EXCEPTION 'A threshold is proposed, and decided later.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.proposed_by := hand;
        NEW.proposed_label := coalesce(gk_setting('label'), '');
        NEW.proposed_at := now();
        NEW.decided_by := NULL;
        NEW.decided_label := '';
        NEW.decided_at := NULL;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'proposed' OR to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision THEN
        RAISE EXCEPTION 'A proposal is never rewritten, and decided once.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'withdrawn' AND OLD.proposed_by = hand THEN
        NEW.decided_by := NULL;
    ELSIF NEW.state IN ('approved', 'rejected') AND NOT gk_same_person(hand, ARRAY[OLD.proposed_by]) THEN
        NEW.decided_by := hand;
    ELSE
        RAISE EXCEPTION 'Who proposes a threshold does not decide it; another person does.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.decided_label := coalesce(gk_setting('label'), '');
    NEW.decided_at := now();
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_review_threshold FROM PUBLIC;
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE ON review_threshold
    FOR EACH ROW EXECUTE FUNCTION gk_review_threshold();

ALTER TABLE review_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY review_run_see ON review_run FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY review_run_write ON review_run FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY review_run_change ON review_run FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY review_run_delete ON review_run FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Who reported an incident is read in one way only: with a purpose, and recorded before it is told. The columns
-- themselves are closed to the application's login, whatever role it says.
REVOKE SELECT ON incident_personal FROM gridkeeper_app;
GRANT SELECT (incident_id, territory_id, subject_id, note_cipher, phone_hash) ON incident_personal TO gridkeeper_app;

CREATE FUNCTION gk_reporter(incident bigint, purpose text)
RETURNS TABLE (subject_id text, reporter_cipher bytea, phone_cipher bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    me text := gk_role();
    said text := coalesce(gk_setting('purpose'), '');
    grid integer;
    home integer;
BEGIN
    IF purpose IS NULL OR NOT purpose = ANY ('{call back,tell result,check report,appeal,request,oversight}') THEN
        RAISE EXCEPTION 'A reporter''s identity is read for a purpose only.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT i.grid_id, i.territory_id INTO grid, home FROM incident AS i
    WHERE i.id = incident AND (me = 'system' OR i.territory_id = gk_territory()) AND (
        me IN ('system', 'dispatcher', 'supervisor', 'auditor')
        OR me = 'grid_worker' AND EXISTS (
            SELECT FROM task AS t WHERE t.incident_id = i.id AND t.worker_id = gk_worker()
             AND t.state IN ('waiting', 'accepted', 'started')
        )
    );
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The role % does not read who reported this incident.', me
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('gridkeeper.purpose', purpose, true);
    INSERT INTO record (territory_id, action, subject_table, subject_id, grid_id, after)
    VALUES (home, 'read reporter', 'incident', incident::text, grid, '{}');
    PERFORM set_config('gridkeeper.purpose', said, true);
    RETURN QUERY SELECT p.subject_id, p.reporter_cipher, p.phone_cipher
                 FROM incident_personal AS p WHERE p.incident_id = incident;
END $$;
REVOKE EXECUTE ON FUNCTION gk_reporter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_reporter TO gridkeeper_app;
