-- The summary of incidents by local day of report, unit grid and category. Statement triggers add
-- what a statement changed, so reading a map never scans incidents.

-- Bin of the time from report to close; the bounds are those of incidents.summary.BIN_HOURS.
CREATE FUNCTION gk_close_bin(reported timestamptz, closed timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT width_bucket(
    extract(epoch FROM closed - reported)::float8 / 3600,
    ARRAY[1, 2, 4, 8, 12, 24, 36, 48, 72, 96, 144, 192, 288, 384, 576, 768, 1440, 2880]::float8[]
) $$;

-- Element-wise sum of two arrays of one length.
CREATE FUNCTION gk_add(a integer[], b integer[]) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_agg(x + y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY AS pair (x, y, i) $$;

-- One changed incident as the summary sees it; sign is 1 for what is there now, -1 for what was.
CREATE TYPE gk_incident_change AS (
    territory_id integer, grid_id integer, category text, status text,
    reported_at timestamptz, closed_at timestamptz, sign integer
);

-- Rows are added in the order of their key, so that two statements never wait for each other.
CREATE FUNCTION gk_change_incident_days(changes gk_incident_change[]) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_catalog, pg_temp AS $$
BEGIN
    WITH placed AS (
        SELECT c.territory_id, (c.reported_at AT TIME ZONE t.timezone)::date AS day, c.grid_id, c.category, c.sign,
               c.status NOT IN ('closed', 'void') AS is_open, c.status = 'closed' AS is_closed, c.status = 'void' AS is_void,
               CASE WHEN c.status = 'closed' THEN gk_close_bin(c.reported_at, c.closed_at) END AS bin
        FROM unnest(changes) AS c JOIN territory AS t ON t.id = c.territory_id
    ), counted AS (
        SELECT territory_id, day, grid_id, category,
               coalesce(sum(sign) FILTER (WHERE is_open), 0)::integer AS open,
               coalesce(sum(sign) FILTER (WHERE is_closed), 0)::integer AS closed,
               coalesce(sum(sign) FILTER (WHERE is_void), 0)::integer AS void,
               ARRAY[
                   coalesce(sum(sign) FILTER (WHERE bin = 0), 0), coalesce(sum(sign) FILTER (WHERE bin = 1), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 2), 0), coalesce(sum(sign) FILTER (WHERE bin = 3), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 4), 0), coalesce(sum(sign) FILTER (WHERE bin = 5), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 6), 0), coalesce(sum(sign) FILTER (WHERE bin = 7), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 8), 0), coalesce(sum(sign) FILTER (WHERE bin = 9), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 10), 0), coalesce(sum(sign) FILTER (WHERE bin = 11), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 12), 0), coalesce(sum(sign) FILTER (WHERE bin = 13), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 14), 0), coalesce(sum(sign) FILTER (WHERE bin = 15), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 16), 0), coalesce(sum(sign) FILTER (WHERE bin = 17), 0),
                   coalesce(sum(sign) FILTER (WHERE bin = 18), 0)
               ]::integer[] AS closed_within
        FROM placed GROUP BY territory_id, day, grid_id, category
    )
    INSERT INTO incident_day AS old (territory_id, day, grid_id, category, open, closed, void, closed_within)
    SELECT territory_id, day, grid_id, category, open, closed, void, closed_within FROM counted
    WHERE open <> 0 OR closed <> 0 OR void <> 0 OR 0 <> ANY (closed_within)
    ORDER BY territory_id, day, grid_id, category
    ON CONFLICT (territory_id, day, grid_id, category) DO UPDATE SET
        open = old.open + excluded.open, closed = old.closed + excluded.closed, void = old.void + excluded.void,
        closed_within = gk_add(old.closed_within, excluded.closed_within);

    DELETE FROM incident_day AS d
    USING (
        SELECT DISTINCT c.territory_id, (c.reported_at AT TIME ZONE t.timezone)::date AS day, c.grid_id, c.category
        FROM unnest(changes) AS c JOIN territory AS t ON t.id = c.territory_id WHERE c.sign < 0
    ) AS gone
    WHERE (d.territory_id, d.day, d.grid_id, d.category) = (gone.territory_id, gone.day, gone.grid_id, gone.category)
      AND d.open = 0 AND d.closed = 0 AND d.void = 0;
END $$;
REVOKE EXECUTE ON FUNCTION gk_change_incident_days FROM PUBLIC;

CREATE FUNCTION gk_incident_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_catalog, pg_temp AS $$
DECLARE
    changes gk_incident_change[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, 1)::gk_incident_change)
        INTO changes FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, -1)::gk_incident_change)
        INTO changes FROM old_rows;
    ELSE
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, sign)::gk_incident_change)
        INTO changes FROM (
            SELECT territory_id, grid_id, category, status, reported_at, closed_at, 1 AS sign FROM new_rows
            UNION ALL
            SELECT territory_id, grid_id, category, status, reported_at, closed_at, -1 FROM old_rows
        ) AS both_sides;
    END IF;
    PERFORM gk_change_incident_days(changes);
    RETURN NULL;
END $$;
CREATE TRIGGER day_insert AFTER INSERT ON incident REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gk_incident_changed();
CREATE TRIGGER day_update AFTER UPDATE ON incident REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gk_incident_changed();
CREATE TRIGGER day_delete AFTER DELETE ON incident REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gk_incident_changed();

-- The whole summary of a territory anew: days move when its time zone does.
CREATE FUNCTION gk_recount_incident_days(of_territory integer) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM incident_day WHERE territory_id = of_territory;
    PERFORM gk_change_incident_days(array_agg(
        (territory_id, grid_id, category, status, reported_at, closed_at, 1)::gk_incident_change
    )) FROM incident WHERE territory_id = of_territory;
END $$;
REVOKE EXECUTE ON FUNCTION gk_recount_incident_days FROM PUBLIC;

CREATE FUNCTION gk_time_zone_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_catalog, pg_temp AS $$
BEGIN
    PERFORM gk_recount_incident_days(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER day_time_zone AFTER UPDATE OF timezone ON territory FOR EACH ROW
    WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone) EXECUTE FUNCTION gk_time_zone_changed();

-- Running numbers of incidents by territory and year. Taken through the function only; two takers
-- never get the same number, the second waits for the first to commit or roll back.
CREATE TABLE incident_number (
    territory_id integer NOT NULL REFERENCES territory (id) ON DELETE CASCADE,
    year integer NOT NULL,
    last integer NOT NULL,
    CONSTRAINT pk_incident_number PRIMARY KEY (territory_id, year)
);

CREATE FUNCTION gk_take_numbers(of_territory integer, of_year integer, how_many integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_catalog, pg_temp AS $$
DECLARE
    taken integer;
BEGIN
    IF how_many < 1 OR (gk_role() <> 'system' AND of_territory IS DISTINCT FROM gk_territory()) THEN
        RAISE EXCEPTION 'No numbers for this territory.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO incident_number AS old (territory_id, year, last) VALUES (of_territory, of_year, how_many)
    ON CONFLICT (territory_id, year) DO UPDATE SET last = old.last + excluded.last
    RETURNING old.last INTO taken;
    RETURN taken - how_many + 1;
END $$;

SELECT gk_recount_incident_days(id) FROM territory;
