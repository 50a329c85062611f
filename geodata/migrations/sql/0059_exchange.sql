-- What the catalogue says is for every officer of the territory; the supervisor and the named steward say it.
ALTER TABLE catalogue_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY catalogue_entry_see ON catalogue_entry FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY catalogue_entry_add ON catalogue_entry FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);
CREATE POLICY catalogue_entry_change ON catalogue_entry FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory())
    AND ((SELECT gk_role()) = 'supervisor' OR steward_id = (SELECT gk_user()))
);
CREATE POLICY catalogue_entry_delete ON catalogue_entry FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Whether the actor decides on requests for a data set: its named steward, else a supervisor.
CREATE FUNCTION gk_is_steward(wanted integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() = 'system' OR EXISTS (
        SELECT FROM data_set AS d LEFT JOIN catalogue_entry AS e ON e.data_set_id = d.id
        WHERE d.id = wanted AND d.territory_id = gk_territory() AND gk_role() <> 'nobody'
          AND (e.steward_id = gk_user() OR e.steward_id IS NULL AND gk_role() = 'supervisor')
    )
$$;
REVOKE EXECUTE ON FUNCTION gk_is_steward FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_is_steward TO gridkeeper_app;

-- A request is seen by who asked, by the unit it is for, by who decides, and by those who oversee.
ALTER TABLE data_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_request_see ON data_request FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('supervisor', 'auditor')
        OR asked_by = (SELECT gk_user())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
        OR gk_is_steward(data_set_id)
    )
);
CREATE POLICY data_request_ask ON data_request FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
    AND asked_by = (SELECT gk_user()) AND state = 'waiting'
    AND (unit_id IS NULL OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[]))
);
CREATE POLICY data_request_decide ON data_request FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (asked_by = (SELECT gk_user()) OR gk_is_steward(data_set_id))
);
CREATE POLICY data_request_delete ON data_request FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Decided once, by the steward and never by who asked; who asked can only take it back.
CREATE FUNCTION gk_data_request_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'asked_by' - 'decided_by') = (to_jsonb(OLD) - 'asked_by' - 'decided_by')
       AND (NEW.asked_by IS NULL OR NEW.asked_by = OLD.asked_by)
       AND (NEW.decided_by IS NULL OR NEW.decided_by = OLD.decided_by) THEN
        RETURN NEW;  -- an account is gone; its label stays
    END IF;
    IF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'This request is decided.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (NEW.data_set_id, NEW.asked_by, NEW.asked_label, NEW.purpose, NEW.days, NEW.territory_id, NEW.asked_at)
       IS DISTINCT FROM
       (OLD.data_set_id, OLD.asked_by, OLD.asked_label, OLD.purpose, OLD.days, OLD.territory_id, OLD.asked_at)
       OR NEW.unit_id IS DISTINCT FROM OLD.unit_id THEN
        RAISE EXCEPTION 'What was asked stays as it was asked.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_role() <> 'system' AND NEW.state IN ('granted', 'refused') AND (
        OLD.asked_by IS NOT DISTINCT FROM gk_user() OR NEW.decided_by IS DISTINCT FROM gk_user()
        OR NOT gk_is_steward(OLD.data_set_id)
    ) THEN
        RAISE EXCEPTION 'The steward decides, and never on a request of his own.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_role() <> 'system' AND NEW.state = 'withdrawn' AND OLD.asked_by IS DISTINCT FROM gk_user() THEN
        RAISE EXCEPTION 'Who asked takes it back.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE UPDATE ON data_request FOR EACH ROW EXECUTE FUNCTION gk_data_request_law();

-- A grant says no more than its request, and can only end.
ALTER TABLE data_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_grant_see ON data_grant FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('supervisor', 'auditor')
        OR user_id = (SELECT gk_user())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
        OR gk_is_steward(data_set_id)
    )
);
CREATE POLICY data_grant_give ON data_grant FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND gk_is_steward(data_set_id)
);
CREATE POLICY data_grant_end ON data_grant FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND gk_is_steward(data_set_id)
);
CREATE POLICY data_grant_delete ON data_grant FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_data_grant_law() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (to_jsonb(NEW) - 'ended_at' - 'ended_label') <> (to_jsonb(OLD) - 'ended_at' - 'ended_label')
           OR OLD.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'A grant can only end.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM data_request AS r
        WHERE r.id = NEW.request_id AND r.state = 'granted' AND r.data_set_id = NEW.data_set_id
          AND r.territory_id = NEW.territory_id AND r.unit_id IS NOT DISTINCT FROM NEW.unit_id
          AND (NEW.user_id IS NULL OR r.asked_by = NEW.user_id)
          AND NEW.valid_until <= NEW.valid_from + make_interval(days => r.days)
    ) THEN
        RAISE EXCEPTION 'A grant says no more than the request it answers.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_data_grant_law FROM PUBLIC;
CREATE TRIGGER aa_law BEFORE INSERT OR UPDATE ON data_grant FOR EACH ROW EXECUTE FUNCTION gk_data_grant_law();

-- Whoever holds a grant that lasts reads the data set too.
CREATE OR REPLACE FUNCTION gk_may_read_data_set(wanted integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() = 'system' OR EXISTS (
        SELECT FROM data_set AS d
        WHERE d.id = wanted AND d.territory_id = gk_territory() AND gk_role() <> 'nobody' AND (
            d.sensitivity <> 'restricted' OR gk_role() = 'supervisor'
            OR gk_role() = 'handler' AND d.owner_unit_id = ANY (gk_units())
            OR EXISTS (SELECT FROM catalogue_entry AS e WHERE e.data_set_id = d.id AND e.steward_id = gk_user())
            OR EXISTS (
                SELECT FROM data_grant AS g
                WHERE g.data_set_id = d.id AND g.ended_at IS NULL AND g.valid_from <= now() AND g.valid_until > now()
                  AND (g.user_id = gk_user() OR gk_role() = 'handler' AND g.unit_id = ANY (gk_units()))
            )
        )
    )
$$;

-- Who used what is written here alone, in the name of who acts; those who oversee read it.
ALTER TABLE data_use ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_use_see ON data_use FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('supervisor', 'auditor', 'administrator')
);
CREATE POLICY data_use_delete ON data_use FOR DELETE USING ((SELECT gk_role()) = 'system');
CREATE FUNCTION gk_note_use(what text, by_way text, many bigint, beside text[]) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO data_use AS u (territory_id, key, day, label, way, joined, times, rows, last_at)
    SELECT t.id, left(what, 80), (now() AT TIME ZONE t.timezone)::date, left(coalesce(gk_setting('label'), ''), 120),
           by_way, beside, 1, greatest(many, 0), now()
    FROM territory AS t WHERE t.id = gk_territory() AND gk_role() <> 'nobody'
    ON CONFLICT (territory_id, key, day, label, way, joined)
    DO UPDATE SET times = u.times + 1, rows = u.rows + excluded.rows, last_at = excluded.last_at
$$;
REVOKE EXECUTE ON FUNCTION gk_note_use FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_note_use TO gridkeeper_app;

-- Tokens: each his own in a role that is his, and the administrator's to list and end. Only the system asks by hash.
ALTER TABLE api_token ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_token_see ON api_token FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR user_id = (SELECT gk_user())
    OR (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY api_token_make ON api_token FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND made_by = (SELECT gk_user())
    AND (user_id = (SELECT gk_user()) OR (SELECT gk_role()) = 'administrator')
    AND EXISTS (
        SELECT FROM user_role AS o WHERE o.id = role_id AND o.user_id = api_token.user_id
          AND o.territory_id = api_token.territory_id
    )
);
CREATE POLICY api_token_end ON api_token FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR user_id = (SELECT gk_user())
    OR (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY api_token_delete ON api_token FOR DELETE USING ((SELECT gk_role()) = 'system');
CREATE FUNCTION gk_api_token_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'revoked_at' - 'last_used_at' - 'made_by')
       <> (to_jsonb(OLD) - 'revoked_at' - 'last_used_at' - 'made_by')
       OR NEW.made_by IS NOT NULL AND NEW.made_by IS DISTINCT FROM OLD.made_by
       OR OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'A token can only end.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE UPDATE ON api_token FOR EACH ROW EXECUTE FUNCTION gk_api_token_law();

CREATE POLICY record_data_exchange ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('catalogue_entry', 'data_request', 'data_grant')
    AND (SELECT gk_role()) IN ('supervisor', 'auditor', 'administrator')
);
CREATE POLICY record_api_token ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'api_token'
    AND (SELECT gk_role()) IN ('auditor', 'administrator')
);
