-- The first answer of a citizen about a close stands. Were there more, the later ones go, on the record as everything.
DELETE FROM citizen_word AS w USING citizen_word AS first
WHERE w.reached AND first.reached AND w.incident_id = first.incident_id
  AND w.closed_at IS NOT DISTINCT FROM first.closed_at AND w.id > first.id;

-- The citizen's word is taken after the close by a supervisor, or a worker sent to ask, who neither handled nor closed
-- it; once somebody was reached nothing is added. Two at once come one after the other.
CREATE OR REPLACE FUNCTION gk_citizen_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
    about incident%ROWTYPE;
BEGIN
    IF gk_lawless(TG_RELID) OR gk_role() NOT IN ('supervisor', 'grid_worker') THEN
        RETURN NEW;  -- the policy refuses everybody else
    END IF;
    SELECT * INTO about FROM incident WHERE id = NEW.incident_id FOR NO KEY UPDATE;
    IF about.status IS DISTINCT FROM 'closed' OR about.source NOT IN ('hotline', 'web') THEN
        PERFORM gk_refuse('The citizen is asked about a report of citizens, once it is closed.', 'ck_citizen_word_closed');
    END IF;
    IF gk_has_handled(NEW.incident_id, hand, gk_worker()) THEN
        PERFORM gk_refuse('Who handled an incident does not take the citizen''s word on it.', 'ck_citizen_word_other_hand');
    END IF;
    IF gk_same_person(hand, ARRAY[about.closed_by] || ARRAY(
        SELECT r.actor_user_id FROM record AS r
        WHERE r.subject_table = 'incident' AND r.subject_id = NEW.incident_id::text AND r.action = 'update'
          AND r.after ->> 'status' = 'closed' AND r.before ->> 'status' <> 'closed' ORDER BY r.seq DESC LIMIT 1
    )) THEN
        PERFORM gk_refuse('Who closed an incident does not take the citizen''s word on it.', 'ck_citizen_word_not_closer');
    END IF;
    IF EXISTS (
        SELECT FROM citizen_word AS w WHERE w.incident_id = NEW.incident_id AND w.reached
          AND w.closed_at IS NOT DISTINCT FROM about.closed_at
    ) THEN
        PERFORM gk_refuse('The citizen has answered about this close.', 'ck_citizen_word_once');
    END IF;
    IF gk_role() = 'grid_worker' AND NOT EXISTS (
        SELECT FROM task AS t WHERE t.incident_id = NEW.incident_id AND t.kind = 'visit' AND t.worker_id = gk_worker()
          AND t.state IN ('waiting', 'accepted', 'started')
    ) THEN
        PERFORM gk_refuse('You were not sent to ask.', 'ck_citizen_word_sent');
    END IF;
    NEW.told_by := hand;
    NEW.told_at := now();
    NEW.closed_at := about.closed_at;
    RETURN NEW;
END $$;

-- Whether who acts had a hand in an incident, by its columns, by what was done about it, or by the record.
CREATE OR REPLACE FUNCTION gk_is_party(incident bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM incident AS i, gk_setting('user') AS me
        WHERE i.id = $1 AND me::integer IN (i.dispatched_by, i.closed_by, i.sampled_by, i.reported_by)
    ) OR EXISTS (
        SELECT FROM citizen_word AS w WHERE w.incident_id = $1 AND w.told_by = gk_setting('user')::integer
    ) OR EXISTS (
        SELECT FROM extension_request AS e
        WHERE e.incident_id = $1 AND gk_setting('user')::integer IN (e.asked_by, e.decided_by)
    ) OR EXISTS (
        SELECT FROM record AS r
        WHERE r.subject_table = 'incident' AND r.subject_id = $1::text AND r.action IN ('insert', 'update')
          AND r.actor_user_id = gk_setting('user')::integer
    ) OR coalesce(gk_has_handled($1, gk_setting('user')::integer, gk_worker()), false)
$$;

-- Whether who acts is a party to an appeal: had a hand in the incident, or is the same person as who asked or as one
-- who speaks for the unit.
CREATE FUNCTION gk_appeal_party(appeal bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((
        SELECT gk_same_person(gk_setting('user')::integer, ARRAY[a.asked_by] || ARRAY(
                   SELECT r.user_id FROM user_role AS r WHERE r.role = 'handler' AND a.unit_id = ANY (r.unit_ids)
               )) OR gk_is_party(a.incident_id)
        FROM appeal AS a WHERE a.id = $1
    ), true)
$$;
REVOKE EXECUTE ON FUNCTION gk_appeal_party FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_appeal_party TO gridkeeper_app;

-- A department appeals what was counted against it; a supervisor who is no party decides, once and with a reason.
CREATE OR REPLACE FUNCTION gk_appeal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    IF hand IS NULL OR gk_appeal_party(OLD.id) THEN
        PERFORM gk_refuse('Who had a hand in an incident does not decide an appeal about it.', 'ck_appeal_no_party');
    END IF;
    IF abs(extract(epoch FROM now() - NEW.decided_at)) > 300 OR NEW.signature = '' THEN
        PERFORM gk_refuse('A decision is made now, and signed.', 'ck_appeal_signed');
    END IF;
    NEW.decided_by := hand;
    NEW.decided_label := coalesce(gk_setting('label'), '');
    RETURN NEW;
END $$;

-- When and by whom an incident was closed stays: an answer is about that close.
CREATE FUNCTION gk_incident_close_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) THEN
        PERFORM gk_refuse('When and by whom an incident was closed does not change.', 'ck_incident_close_stays');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER yy_close_stays AFTER UPDATE ON incident FOR EACH ROW
WHEN (OLD.status = 'closed' AND NEW.status = 'closed' AND NEW.duplicate_of IS NULL AND OLD.duplicate_of IS NULL
      AND (NEW.closed_at IS DISTINCT FROM OLD.closed_at OR NEW.closed_by IS DISTINCT FROM OLD.closed_by)
      AND gk_role() <> 'system')
EXECUTE FUNCTION gk_incident_close_stays();
