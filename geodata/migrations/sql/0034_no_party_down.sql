CREATE OR REPLACE FUNCTION gk_citizen_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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

CREATE OR REPLACE FUNCTION gk_is_party(incident bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM incident AS i, gk_setting('user') AS me
        WHERE i.id = $1 AND me::integer IN (i.dispatched_by, i.closed_by, i.sampled_by, i.reported_by)
    ) OR EXISTS (
        SELECT FROM citizen_word AS w WHERE w.incident_id = $1 AND w.told_by = gk_setting('user')::integer
    ) OR coalesce(gk_has_handled($1, gk_setting('user')::integer, gk_worker()), false)
$$;

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
DROP FUNCTION gk_appeal_party;
DROP TRIGGER yy_close_stays ON incident;
DROP FUNCTION gk_incident_close_stays;
