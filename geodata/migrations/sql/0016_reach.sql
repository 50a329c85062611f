-- Whom an administrator administers: accounts whose lasting roles are all in territories that he administers.
-- Whoever sets the password of an account enters in all its roles. It looks past row-level security, since the
-- roles elsewhere are the question.
CREATE FUNCTION gk_administers(account integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() = 'system' OR gk_role() = 'administrator' AND NOT EXISTS (
        SELECT FROM user_role AS held
        WHERE held.user_id = account AND (held.valid_until IS NULL OR held.valid_until > now())
          AND held.territory_id IS DISTINCT FROM gk_territory()
          AND NOT EXISTS (
              SELECT FROM user_role AS mine
              WHERE mine.user_id = gk_user() AND mine.territory_id = held.territory_id AND mine.role = 'administrator'
                AND (mine.valid_until IS NULL OR mine.valid_until > now())
                AND (mine.acting_for IS NULL OR mine.valid_from <= now())
          )
    )
$$;
REVOKE EXECUTE ON FUNCTION gk_administers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_administers TO gridkeeper_app;

DROP POLICY app_user_manage ON app_user;
CREATE POLICY app_user_system ON app_user USING ((SELECT gk_role()) = 'system');
CREATE POLICY app_user_see ON app_user FOR SELECT USING ((SELECT gk_role()) = 'administrator');
CREATE POLICY app_user_add ON app_user FOR INSERT WITH CHECK ((SELECT gk_role()) = 'administrator');
CREATE POLICY app_user_change ON app_user FOR UPDATE USING (
    (SELECT gk_role()) = 'administrator' AND gk_administers(id)
);
CREATE POLICY app_user_delete ON app_user FOR DELETE USING (
    (SELECT gk_role()) = 'administrator' AND gk_administers(id)
);

-- The code of the first administrator is the system's to make.
DROP POLICY invitation_manage ON invitation;
CREATE POLICY invitation_manage ON invitation USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'administrator' AND user_id IS NOT NULL AND gk_administers(user_id)
);

-- A session begins by the system, at the login. An administrator ends those that act in roles of his territory.
DROP POLICY user_session_manage ON user_session;
CREATE POLICY user_session_system ON user_session USING ((SELECT gk_role()) = 'system');
CREATE POLICY user_session_of_territory ON user_session FOR SELECT USING (
    (SELECT gk_role()) = 'administrator'
    AND EXISTS (SELECT FROM user_role WHERE user_role.id = role_id AND user_role.territory_id = (SELECT gk_territory()))
);
CREATE POLICY user_session_end ON user_session FOR UPDATE USING (
    (SELECT gk_role()) = 'administrator'
    AND EXISTS (SELECT FROM user_role WHERE user_role.id = role_id AND user_role.territory_id = (SELECT gk_territory()))
);

-- What ended stays ended and nothing lasts longer than it began to, whoever's session it is; another's is ended only.
CREATE FUNCTION gk_session_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    free text[] := CASE WHEN OLD.user_id = gk_user() THEN '{revoked_at,role_id,locale,last_seen_at}'
                        ELSE '{revoked_at}' END;
BEGIN
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - free <> to_jsonb(OLD) - free
       OR OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
       OR NEW.role_id <> OLD.role_id
       AND NOT EXISTS (SELECT FROM user_role AS r WHERE r.id = NEW.role_id AND r.user_id = NEW.user_id) THEN
        RAISE EXCEPTION 'A session of somebody else is ended, never changed; what ended stays ended.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_session BEFORE UPDATE ON user_session FOR EACH ROW EXECUTE FUNCTION gk_session_change();

-- Nobody gives himself a role: an administrator reads no incident unless another administrator says so.
-- His own he may end.
CREATE FUNCTION gk_role_of_oneself() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() = 'system' OR NEW.user_id IS DISTINCT FROM gk_user() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - '{valid_from,valid_until,version}'::text[]
           = to_jsonb(OLD) - '{valid_from,valid_until,version}'::text[]
           AND (NEW.valid_until IS NOT DISTINCT FROM OLD.valid_until
                OR NEW.valid_until < coalesce(OLD.valid_until, 'infinity')) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Nobody gives himself a role.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ab_oneself BEFORE INSERT OR UPDATE ON user_role FOR EACH ROW EXECUTE FUNCTION gk_role_of_oneself();

-- A draft is sealed under a key of its own. Its writer may destroy that key, so it must not be somebody's.
CREATE FUNCTION gk_draft_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM person WHERE subject_id = NEW.subject_id)
       OR EXISTS (SELECT FROM incident_personal WHERE subject_id = NEW.subject_id)
       OR EXISTS (SELECT FROM draft WHERE subject_id = NEW.subject_id
                  AND (user_id, territory_id, kind) <> (NEW.user_id, NEW.territory_id, NEW.kind)) THEN
        RAISE EXCEPTION 'A draft has a key of its own.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_draft_key FROM PUBLIC;
CREATE TRIGGER ab_key BEFORE INSERT OR UPDATE OF subject_id ON draft FOR EACH ROW EXECUTE FUNCTION gk_draft_key();

-- Who manages a worker changes the name and the phone of his person: a person is not taken over by putting
-- him on a worker of one's own.
CREATE FUNCTION gk_worker_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() NOT IN ('system', 'supervisor', 'administrator') AND EXISTS (
        SELECT FROM worker AS w WHERE w.person_id = NEW.person_id AND w.id <> NEW.id
          AND NOT gk_manages(w.territory_id, w.unit_id, w.responsibility_grid_id)
    ) THEN
        RAISE EXCEPTION 'This person belongs to another worker.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_worker_person FROM PUBLIC;
CREATE TRIGGER ac_person BEFORE INSERT OR UPDATE OF person_id ON worker FOR EACH ROW
WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION gk_worker_person();

-- What is called a demo can be cleared with all its incidents, so nobody calls a city one later.
CREATE FUNCTION gk_demo_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() <> 'system'
       AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'Whether a territory is a demo is not changed.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_demo BEFORE UPDATE OF is_demo ON territory FOR EACH ROW
WHEN (NEW.is_demo IS DISTINCT FROM OLD.is_demo) EXECUTE FUNCTION gk_demo_stays();

-- A job is done with the rights of whom its row names, so nobody names another there than himself as he acts now,
-- and nobody changes later what was asked for. An account that is deleted takes its number along.
CREATE POLICY job_run_in_own_name ON job_run AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR user_id IS NOT DISTINCT FROM (SELECT gk_user())
    AND arguments -> 'actor' ->> 'role' = (SELECT gk_role())
    AND (arguments -> 'actor' ->> 'user_id')::integer IS NOT DISTINCT FROM (SELECT gk_user())
    AND (arguments -> 'actor' ->> 'territory_id')::integer IS NOT DISTINCT FROM (SELECT gk_territory())
);
CREATE FUNCTION gk_job_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() <> 'system'
       AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'What a job was asked to do is not changed.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_stays BEFORE UPDATE OF kind, arguments, user_id, territory_id ON job_run FOR EACH ROW
WHEN ((NEW.kind, NEW.arguments, NEW.territory_id) IS DISTINCT FROM (OLD.kind, OLD.arguments, OLD.territory_id)
      OR NEW.user_id IS DISTINCT FROM OLD.user_id AND NEW.user_id IS NOT NULL)
EXECUTE FUNCTION gk_job_stays();

-- A temporary table called pg_class would otherwise tell the guards who owns what.
ALTER FUNCTION gk_guard SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_worker_reach SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_roster_reach SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_own_territory SET search_path = pg_catalog, public, pg_temp;
