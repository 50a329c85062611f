-- Facts have no foreign key to their territory: it would be looked up for each of a million. They go with it all the same.
CREATE FUNCTION gk_facts_go() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM incident_fact WHERE territory_id = OLD.id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_facts_go FROM PUBLIC;
CREATE TRIGGER territory_facts AFTER DELETE ON territory FOR EACH ROW EXECUTE FUNCTION gk_facts_go();

-- What citizens report is called back about once it is closed.
CREATE FUNCTION gk_call_back() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.source IN ('hotline', 'web') AND NEW.duplicate_of IS NULL AND NOT EXISTS (
        SELECT FROM task AS t WHERE t.incident_id = NEW.id AND t.kind = 'visit'
          AND t.state IN ('waiting', 'accepted', 'started')
    ) THEN
        INSERT INTO task (territory_id, incident_id, kind, state, created_at, version)
        VALUES (NEW.territory_id, NEW.id, 'visit', 'waiting', coalesce(NEW.closed_at, now()), 1);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_call_back FROM PUBLIC;
CREATE TRIGGER yz_call_back AFTER UPDATE ON incident FOR EACH ROW
WHEN (NEW.status = 'closed' AND OLD.status <> 'closed' AND gk_role() = 'supervisor') EXECUTE FUNCTION gk_call_back();

-- The citizen's word is taken after the close by a supervisor, or a worker sent to ask, who did not handle it.
CREATE FUNCTION gk_citizen_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
    about incident%ROWTYPE;
BEGIN
    IF gk_lawless(TG_RELID) OR gk_role() NOT IN ('supervisor', 'grid_worker') THEN
        RETURN NEW;  -- the policy refuses everybody else
    END IF;
    SELECT * INTO about FROM incident WHERE id = NEW.incident_id;
    IF about.status IS DISTINCT FROM 'closed' OR about.source NOT IN ('hotline', 'web') THEN
        PERFORM gk_refuse('The citizen is asked about a report of citizens, once it is closed.', 'ck_citizen_word_closed');
    END IF;
    IF gk_has_handled(NEW.incident_id, hand, gk_worker()) THEN
        PERFORM gk_refuse('Who handled an incident does not take the citizen''s word on it.', 'ck_citizen_word_other_hand');
    END IF;
    IF gk_role() = 'grid_worker' AND NOT EXISTS (
        SELECT FROM task AS t WHERE t.incident_id = NEW.incident_id AND t.kind = 'visit' AND t.worker_id = gk_worker()
          AND t.state <> 'cancelled'
    ) THEN
        PERFORM gk_refuse('You were not sent to ask.', 'ck_citizen_word_sent');
    END IF;
    NEW.told_by := hand;
    NEW.told_at := now();
    NEW.closed_at := about.closed_at;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_citizen_word FROM PUBLIC;
CREATE TRIGGER ab_citizen_word BEFORE INSERT ON citizen_word FOR EACH ROW EXECUTE FUNCTION gk_citizen_word();

ALTER TABLE citizen_word ENABLE ROW LEVEL SECURITY;
CREATE POLICY citizen_word_see ON citizen_word FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY citizen_word_tell ON citizen_word FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'grid_worker') AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY citizen_word_delete ON citizen_word FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Whether who acts had a hand in an incident.
CREATE FUNCTION gk_is_party(incident bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM incident AS i, gk_setting('user') AS me
        WHERE i.id = $1 AND me::integer IN (i.dispatched_by, i.closed_by, i.sampled_by, i.reported_by)
    ) OR EXISTS (
        SELECT FROM citizen_word AS w WHERE w.incident_id = $1 AND w.told_by = gk_setting('user')::integer
    ) OR coalesce(gk_has_handled($1, gk_setting('user')::integer, gk_worker()), false)
$$;
REVOKE EXECUTE ON FUNCTION gk_is_party FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_is_party TO gridkeeper_app;

-- A department appeals what was counted against it; a supervisor with no hand in it decides, once and with a reason.
CREATE FUNCTION gk_appeal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
    about incident%ROWTYPE;
    days integer;
BEGIN
    IF gk_lawless(TG_RELID) OR gk_role() <> (CASE TG_OP WHEN 'INSERT' THEN 'handler' ELSE 'supervisor' END) THEN
        RETURN NEW;  -- the policy refuses everybody else
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT * INTO about FROM incident WHERE id = NEW.incident_id;
        IF hand IS NULL OR NEW.state <> 'waiting' OR NOT coalesce(NEW.unit_id = ANY (gk_units()), false)
           OR about.unit_id IS DISTINCT FROM NEW.unit_id THEN
            PERFORM gk_refuse('A department appeals what is counted for it, by one of its people.', 'ck_appeal_own');
        END IF;
        SELECT r.appeal_days INTO days FROM evaluation_rule AS r
        WHERE r.territory_id = NEW.territory_id AND r.state = 'approved' ORDER BY r.decided_at DESC, r.id DESC LIMIT 1;
        IF now() > greatest(
            coalesce(about.closed_at, about.due_at),
            (SELECT max(w.told_at) FROM citizen_word AS w WHERE w.incident_id = NEW.incident_id)
        ) + make_interval(days => coalesce(days, 15)) THEN
            PERFORM gk_refuse('The time for an appeal is over.', 'ck_appeal_in_time');
        END IF;
        NEW.asked_by := hand;
        NEW.asked_label := coalesce(gk_setting('label'), '');
        NEW.asked_at := now();
        NEW.decided_by := NULL;
        NEW.decided_label := '';
        RETURN NEW;
    END IF;
    IF OLD.state <> 'waiting' OR NEW.state = 'waiting'
       OR to_jsonb(NEW) - '{state,decided_by,decided_label,decided_at,answer,signature}'::text[]
       <> to_jsonb(OLD) - '{state,decided_by,decided_label,decided_at,answer,signature}'::text[] THEN
        PERFORM gk_refuse('An appeal is decided once and not changed.', 'ck_appeal_once');
    END IF;
    IF hand IS NULL OR hand = OLD.asked_by OR gk_is_party(OLD.incident_id) THEN
        PERFORM gk_refuse('Who had a hand in an incident does not decide an appeal about it.', 'ck_appeal_no_party');
    END IF;
    IF abs(extract(epoch FROM now() - NEW.decided_at)) > 300 OR NEW.signature = '' THEN
        PERFORM gk_refuse('A decision is made now, and signed.', 'ck_appeal_signed');
    END IF;
    NEW.decided_by := hand;
    NEW.decided_label := coalesce(gk_setting('label'), '');
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_appeal FROM PUBLIC;
CREATE TRIGGER ab_appeal BEFORE INSERT OR UPDATE ON appeal FOR EACH ROW EXECUTE FUNCTION gk_appeal();

ALTER TABLE appeal ENABLE ROW LEVEL SECURITY;
CREATE POLICY appeal_see ON appeal FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('supervisor', 'auditor', 'dispatcher')
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
);
CREATE POLICY appeal_file ON appeal FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'handler' AND territory_id = (SELECT gk_territory())
    AND unit_id = ANY ((SELECT gk_units())::integer[]) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY appeal_decide ON appeal FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY appeal_delete ON appeal FOR DELETE USING ((SELECT gk_role()) = 'system');

-- The rule by which the citizens' word is counted: one supervisor proposes, another approves; none is rewritten.
CREATE FUNCTION gk_evaluation_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
BEGIN
    IF gk_lawless(TG_RELID) OR gk_role() <> 'supervisor' THEN
        RETURN NEW;  -- the policy refuses everybody else
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF hand IS NULL OR NEW.state <> 'proposed' THEN
            PERFORM gk_refuse('A rule is proposed by a person, and decided later.', 'ck_evaluation_rule_person');
        END IF;
        NEW.proposed_by := hand;
        NEW.proposed_label := coalesce(gk_setting('label'), '');
        NEW.proposed_at := now();
        NEW.decided_by := NULL;
        NEW.decided_label := '';
        NEW.decided_at := NULL;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'proposed' OR NEW.state = 'proposed'
       OR to_jsonb(NEW) - '{state,decided_by,decided_label,decided_at}'::text[]
       <> to_jsonb(OLD) - '{state,decided_by,decided_label,decided_at}'::text[] THEN
        PERFORM gk_refuse('A proposal is never rewritten, and decided once.', 'ck_evaluation_rule_once');
    END IF;
    IF hand IS NULL OR hand = OLD.proposed_by THEN
        PERFORM gk_refuse('Who proposes a rule does not decide it.', 'ck_evaluation_rule_other_hand');
    END IF;
    NEW.decided_by := hand;
    NEW.decided_label := coalesce(gk_setting('label'), '');
    NEW.decided_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER ab_evaluation_rule BEFORE INSERT OR UPDATE ON evaluation_rule FOR EACH ROW
EXECUTE FUNCTION gk_evaluation_rule();

ALTER TABLE evaluation_rule ENABLE ROW LEVEL SECURITY;
CREATE POLICY evaluation_rule_see ON evaluation_rule FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY evaluation_rule_propose ON evaluation_rule FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY evaluation_rule_decide ON evaluation_rule FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY evaluation_rule_delete ON evaluation_rule FOR DELETE USING ((SELECT gk_role()) = 'system');

-- A supervisor who telephones ends the task of calling back himself.
INSERT INTO transition (subject, act, source, target, role) VALUES
    ('visit', '', 'accepted', 'done', 'supervisor'),
    ('visit', '', 'accepted', 'started', 'supervisor'),
    ('visit', '', 'started', 'done', 'supervisor'),
    ('visit', '', 'waiting', 'accepted', 'supervisor'),
    ('visit', '', 'waiting', 'done', 'supervisor'),
    ('visit', '', 'waiting', 'started', 'supervisor');
