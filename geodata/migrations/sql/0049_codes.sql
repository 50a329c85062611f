-- The schemes and official codes of a city are seen by every officer and kept by the supervisor, as the grids are.
ALTER TABLE code_scheme ENABLE ROW LEVEL SECURITY;
CREATE POLICY code_scheme_see ON code_scheme FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY code_scheme_add ON code_scheme FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);
ALTER TABLE official_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY official_code_see ON official_code FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY official_code_add ON official_code FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);
CREATE POLICY official_code_change ON official_code FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);
ALTER TABLE code_link ENABLE ROW LEVEL SECURITY;
CREATE POLICY code_link_see ON code_link FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY code_link_write ON code_link FOR ALL USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);

-- An official code holds until another one takes its place; what it was is never rewritten.
CREATE FUNCTION gk_official_code_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'valid_to') <> (to_jsonb(OLD) - 'valid_to') OR OLD.valid_to IS NOT NULL THEN
        RAISE EXCEPTION 'An official code stays as it was taken; it can only end.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE UPDATE ON official_code FOR EACH ROW EXECUTE FUNCTION gk_official_code_law();

-- Who sees an incident sees on whose ground it lies.
ALTER TABLE incident_ground ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_ground_see ON incident_ground FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)
);
CREATE POLICY incident_ground_write ON incident_ground FOR ALL USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'supervisor'
);

-- An open incident lives in a cell in force: who opens a settled one again whose cell has ended brings it home to the
-- cell that holds its place today. Where it was until today is kept, so that earlier days are told as they were.
CREATE FUNCTION gk_incident_back_home() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    home integer;
    today date;
BEGIN
    IF EXISTS (SELECT FROM unit_grid AS g WHERE g.id = NEW.grid_id AND g.ended_on IS NULL) THEN
        RETURN NEW;
    END IF;
    SELECT g.id INTO home FROM unit_grid AS g
    WHERE g.territory_id = NEW.territory_id AND g.ended_on IS NULL AND ST_DWithin(g.geom, NEW.geom, 0.01)
    ORDER BY g.community_id = NEW.community_id DESC, ST_Distance(g.geom, NEW.geom), g.id LIMIT 1;
    IF home IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT (now() AT TIME ZONE t.timezone)::date INTO today FROM territory AS t WHERE t.id = NEW.territory_id;
    INSERT INTO incident_home (territory_id, incident_id, grid_id, until) VALUES (NEW.territory_id, NEW.id, NEW.grid_id, today);
    DELETE FROM incident_ground WHERE incident_id = NEW.id;
    NEW.grid_id := home;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_incident_back_home FROM PUBLIC;
CREATE TRIGGER ac_back_home BEFORE UPDATE OF status ON incident FOR EACH ROW
WHEN (OLD.status IN ('closed', 'void') AND NEW.status NOT IN ('closed', 'void'))
EXECUTE FUNCTION gk_incident_back_home();

-- The same sums as incident_day holds, for who may see those: of settled incidents by the cell that holds their place
-- today, where their own cell has ended.
CREATE FUNCTION gk_ground_days(home integer)
RETURNS TABLE (grid_id integer, day date, category text, open integer, closed integer, void integer, closed_within integer[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.grid_id, (i.reported_at AT TIME ZONE t.timezone)::date, i.category, 0,
           count(*) FILTER (WHERE i.status = 'closed')::integer, count(*) FILTER (WHERE i.status = 'void')::integer,
           ARRAY[
               count(*) FILTER (WHERE b = 0), count(*) FILTER (WHERE b = 1), count(*) FILTER (WHERE b = 2),
               count(*) FILTER (WHERE b = 3), count(*) FILTER (WHERE b = 4), count(*) FILTER (WHERE b = 5),
               count(*) FILTER (WHERE b = 6), count(*) FILTER (WHERE b = 7), count(*) FILTER (WHERE b = 8),
               count(*) FILTER (WHERE b = 9), count(*) FILTER (WHERE b = 10), count(*) FILTER (WHERE b = 11),
               count(*) FILTER (WHERE b = 12), count(*) FILTER (WHERE b = 13), count(*) FILTER (WHERE b = 14),
               count(*) FILTER (WHERE b = 15), count(*) FILTER (WHERE b = 16), count(*) FILTER (WHERE b = 17),
               count(*) FILTER (WHERE b = 18)
           ]::integer[]
    FROM incident_ground AS o JOIN incident AS i ON i.id = o.incident_id JOIN territory AS t ON t.id = i.territory_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN i.status = 'closed' THEN gk_close_bin(i.reported_at, i.closed_at) END AS b
    ) AS bin
    WHERE o.territory_id = home AND i.status IN ('closed', 'void')
      AND (gk_role() = 'system' OR home = gk_territory() AND gk_role() <> 'nobody')
    GROUP BY 1, 2, 3
$$;
REVOKE EXECUTE ON FUNCTION gk_ground_days FROM PUBLIC;

-- The same sums as they stood at the end of a day: in the cells of that day, what was reported until then, open or
-- settled as it was then. Of what was opened again or made void the first act after that day says what it was before;
-- all else follows from when it was closed.
CREATE FUNCTION gk_days_on(home integer, asked date)
RETURNS TABLE (grid_id integer, day date, category text, open integer, closed integer, void integer, closed_within integer[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH night AS MATERIALIZED (
        SELECT (asked + 1)::timestamp AT TIME ZONE t.timezone AS at, t.timezone FROM territory AS t
        WHERE t.id = home AND (gk_role() = 'system' OR home = gk_territory() AND gk_role() <> 'nobody')
    ), homes AS MATERIALIZED (
        SELECT DISTINCT ON (h.incident_id) h.incident_id, h.grid_id FROM incident_home AS h
        WHERE h.territory_id = home AND h.until > asked ORDER BY h.incident_id, h.until, h.id
    ), was AS (
        SELECT coalesce(h.grid_id, i.grid_id) AS grid_id, (i.reported_at AT TIME ZONE n.timezone)::date AS day,
               i.category, i.reported_at, coalesce(told.closed_at, i.closed_at) AS closed_at,
               CASE WHEN told.status IS NOT NULL
                    THEN CASE WHEN told.status IN ('closed', 'void') THEN told.status ELSE 'open' END
                    WHEN i.status = 'void' THEN 'void'
                    WHEN i.closed_at < n.at THEN 'closed' ELSE 'open' END AS stood
        FROM incident AS i CROSS JOIN night AS n LEFT JOIN homes AS h ON h.incident_id = i.id
        LEFT JOIN LATERAL (
            SELECT r.before ->> 'status' AS status, (r.before ->> 'closed_at')::timestamptz AS closed_at FROM record AS r
            WHERE (i.status = 'void' OR i.reopens > 0)
              AND r.subject_table = 'incident' AND r.subject_id = i.id::text AND r.at >= n.at AND r.before IS NOT NULL
            ORDER BY r.seq LIMIT 1
        ) AS told ON true
        WHERE i.territory_id = home AND i.reported_at < n.at
    )
    SELECT w.grid_id, w.day, w.category, count(*) FILTER (WHERE stood = 'open')::integer,
           count(*) FILTER (WHERE stood = 'closed')::integer, count(*) FILTER (WHERE stood = 'void')::integer,
           ARRAY[
               count(*) FILTER (WHERE b = 0), count(*) FILTER (WHERE b = 1), count(*) FILTER (WHERE b = 2),
               count(*) FILTER (WHERE b = 3), count(*) FILTER (WHERE b = 4), count(*) FILTER (WHERE b = 5),
               count(*) FILTER (WHERE b = 6), count(*) FILTER (WHERE b = 7), count(*) FILTER (WHERE b = 8),
               count(*) FILTER (WHERE b = 9), count(*) FILTER (WHERE b = 10), count(*) FILTER (WHERE b = 11),
               count(*) FILTER (WHERE b = 12), count(*) FILTER (WHERE b = 13), count(*) FILTER (WHERE b = 14),
               count(*) FILTER (WHERE b = 15), count(*) FILTER (WHERE b = 16), count(*) FILTER (WHERE b = 17),
               count(*) FILTER (WHERE b = 18)
           ]::integer[]
    FROM was AS w CROSS JOIN LATERAL (
        SELECT CASE WHEN w.stood = 'closed' THEN gk_close_bin(w.reported_at, w.closed_at) END AS b
    ) AS bin
    GROUP BY 1, 2, 3
$$;
REVOKE EXECUTE ON FUNCTION gk_days_on FROM PUBLIC;

-- What an incident was at the end of a day, for who sees the record of it or not: only whether it was open then.
CREATE FUNCTION gk_stood_open(incident bigint, night timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.before ->> 'status' NOT IN ('closed', 'void') FROM record AS r
    WHERE r.subject_table = 'incident' AND r.subject_id = incident::text AND r.at >= night AND r.before IS NOT NULL
      AND (gk_role() = 'system' OR r.territory_id = gk_territory() AND gk_role() <> 'nobody')
    ORDER BY r.seq LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION gk_stood_open FROM PUBLIC;

-- Facts of incidents that went on after a day, as they stood at its end; seen by who sees the facts of today.
ALTER TABLE incident_fact_past ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_fact_past_see ON incident_fact_past FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) = 'grid_manager' AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
    )
);
CREATE POLICY incident_fact_past_fold ON incident_fact_past FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY incident_fact_past_again ON incident_fact_past FOR DELETE USING ((SELECT gk_role()) = 'system');
CREATE POLICY record_code_scheme ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('code_scheme', 'official_code')
    AND (SELECT gk_role()) IN ('grid_manager', 'supervisor', 'auditor')
);
