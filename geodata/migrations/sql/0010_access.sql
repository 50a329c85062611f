-- Codes are the administrator's to make; who redeems one is nobody yet, and the system acts for him.
ALTER TABLE invitation ENABLE ROW LEVEL SECURITY;
CREATE POLICY invitation_manage ON invitation USING ((SELECT gk_role()) IN ('system', 'administrator'));

-- Who stands in for whom is known to both, and to those who manage and review accounts.
ALTER TABLE standing_deputy ENABLE ROW LEVEL SECURITY;
CREATE POLICY standing_deputy_manage ON standing_deputy USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY standing_deputy_see ON standing_deputy FOR SELECT USING (
    territory_id = (SELECT gk_territory())
    AND ((SELECT gk_role()) = 'auditor' OR (SELECT gk_user()) IN (user_id, deputy_id))
);

-- A review is written once, in the reviewer's own name.
ALTER TABLE access_review ENABLE ROW LEVEL SECURITY;
CREATE POLICY access_review_see ON access_review FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('administrator', 'auditor') AND territory_id = (SELECT gk_territory())
);
CREATE POLICY access_review_add ON access_review FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('administrator', 'auditor') AND territory_id = (SELECT gk_territory())
    AND reviewed_by IS NOT DISTINCT FROM (SELECT gk_user())
);

CREATE POLICY user_role_review ON user_role FOR SELECT USING (
    (SELECT gk_role()) = 'auditor' AND territory_id = (SELECT gk_territory())
);

-- A session changes between the user's own roles, as long as they last.
DROP POLICY user_session_own ON user_session;
CREATE POLICY user_session_own ON user_session FOR UPDATE USING (user_id = (SELECT gk_user())) WITH CHECK (
    user_id = (SELECT gk_user())
    AND EXISTS (
        SELECT FROM user_role WHERE user_role.id = role_id AND user_role.user_id = (SELECT gk_user())
          AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
    )
);

-- The accounts with a role in a territory, for those who manage and review them: without the hash of
-- the password, which no officer reads. The last login is that of the record, where nothing is deleted.
CREATE FUNCTION gk_accounts(home integer)
RETURNS TABLE (
    id integer, login text, title_en text, title_zh text, worker_id integer, locale text, is_demo boolean,
    active boolean, opens boolean, failed_logins integer, locked_until timestamptz, created_at timestamptz,
    version integer, last_login timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.login, u.title_en, u.title_zh, u.worker_id, u.locale, u.is_demo, u.active,
           u.password_hash <> '!', u.failed_logins, u.locked_until, u.created_at, u.version, entered.at
    FROM app_user AS u
    LEFT JOIN LATERAL (
        SELECT r.at FROM record AS r
        WHERE r.subject_table = 'app_user' AND r.subject_id = u.id::text AND r.action = 'login'
        ORDER BY r.seq DESC LIMIT 1
    ) AS entered ON true
    WHERE EXISTS (SELECT FROM user_role AS o WHERE o.user_id = u.id AND o.territory_id = home)
      AND (gk_role() = 'system' OR gk_role() IN ('administrator', 'auditor') AND home = gk_territory())
$$;
REVOKE EXECUTE ON FUNCTION gk_accounts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_accounts TO gridkeeper_app;

-- What somebody who leaves still holds, in numbers: the administrator reads no incident and no draft.
CREATE FUNCTION gk_held(leaver integer, account integer)
RETURNS TABLE (tasks bigint, incidents bigint, drafts bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT (SELECT count(*) FROM task AS t WHERE t.worker_id = leaver AND t.state IN ('waiting', 'accepted', 'started')
              AND (gk_role() = 'system' OR t.territory_id = gk_territory())),
           (SELECT count(*) FROM incident AS i WHERE i.worker_id = leaver AND i.status NOT IN ('closed', 'void')
              AND (gk_role() = 'system' OR i.territory_id = gk_territory())),
           (SELECT count(*) FROM draft AS d WHERE d.user_id = account
              AND (gk_role() = 'system' OR d.territory_id = gk_territory()))
    WHERE gk_role() IN ('system', 'administrator', 'supervisor')
$$;
REVOKE EXECUTE ON FUNCTION gk_held FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_held TO gridkeeper_app;

-- Gives the open work of one worker to another and destroys the drafts of the account that closes: a
-- draft is sealed for its writer alone. Who does it need not see a single incident; the record shows
-- each row that moved.
CREATE FUNCTION gk_hand_over(leaver integer, receiver integer, account integer)
RETURNS TABLE (tasks bigint, incidents bigint, drafts bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    home integer := (SELECT w.territory_id FROM worker AS w WHERE w.id = leaver);
BEGIN
    IF gk_role() NOT IN ('system', 'administrator', 'supervisor') THEN
        RAISE EXCEPTION 'The role % may not hand work over.', gk_role() USING ERRCODE = 'insufficient_privilege';
    END IF;
    tasks := 0;
    incidents := 0;
    IF leaver IS NOT NULL THEN
        IF home IS NULL OR gk_role() <> 'system' AND home IS DISTINCT FROM gk_territory() THEN
            RAISE EXCEPTION 'This worker is not of your territory.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF receiver IS NOT NULL THEN
            IF receiver = leaver OR NOT EXISTS (
                SELECT FROM worker AS w WHERE w.id = receiver AND w.territory_id = home AND w.active
            ) THEN
                RAISE EXCEPTION 'Who takes over has to be another active worker of the territory.'
                    USING ERRCODE = 'check_violation';
            END IF;
            UPDATE incident AS i SET worker_id = receiver, version = i.version + 1
            WHERE i.worker_id = leaver AND i.status NOT IN ('closed', 'void');
            GET DIAGNOSTICS incidents = ROW_COUNT;
            UPDATE task AS t SET worker_id = receiver, version = t.version + 1
            WHERE t.worker_id = leaver AND t.state IN ('waiting', 'accepted', 'started');
            GET DIAGNOSTICS tasks = ROW_COUNT;
        END IF;
    END IF;
    UPDATE person_key AS k SET wrapped_key = NULL, destroyed_at = clock_timestamp()
    FROM draft AS d
    WHERE d.user_id = account AND k.subject_id = d.subject_id
      AND (gk_role() = 'system' OR d.territory_id = gk_territory());
    DELETE FROM draft AS d WHERE d.user_id = account AND (gk_role() = 'system' OR d.territory_id = gk_territory());
    GET DIAGNOSTICS drafts = ROW_COUNT;
    RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION gk_hand_over FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_hand_over TO gridkeeper_app;

-- The administrator reads what happened to accounts, and nothing else of the record.
CREATE POLICY record_access ON record FOR SELECT USING (
    (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
    AND subject_table IN ('app_user', 'user_role', 'invitation', 'standing_deputy', 'access_review')
);
