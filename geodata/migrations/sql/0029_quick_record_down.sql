-- As 0001, 0003 and 0023 left them.
CREATE OR REPLACE FUNCTION gk_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'record' THEN
        IF OLD.batch_id IS NULL AND NEW.batch_id IS NOT NULL
           AND gk_record_text(OLD) = gk_record_text(NEW) AND OLD.row_hash = NEW.row_hash THEN
            RETURN NEW;  -- sealing
        END IF;
    END IF;
    RAISE EXCEPTION 'The record is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE FUNCTION gk_record_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    key text := TG_ARGV[0];
    hidden text[] := string_to_array(TG_ARGV[1], ',');
    load integer := gk_setting('load')::integer;
    home text := CASE WHEN TG_TABLE_NAME = 'territory' THEN 'id' ELSE 'territory_id' END;
    changed text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT NULL::jsonb AS b, to_jsonb(n) AS a FROM new_rows AS n'
        WHEN 'DELETE' THEN 'SELECT to_jsonb(o) AS b, NULL::jsonb AS a FROM old_rows AS o'
        -- MATERIALIZED: otherwise to_jsonb, with its shapes, is worked out anew at every mention.
        ELSE 'WITH o AS MATERIALIZED (SELECT to_jsonb(r) AS b FROM old_rows AS r),
                   n AS MATERIALIZED (SELECT to_jsonb(r) AS a FROM new_rows AS r),
                   pairs AS MATERIALIZED (
                       SELECT b, a, CASE WHEN b -> ''geom'' IS NOT DISTINCT FROM a -> ''geom''
                                          AND b -> ''boundary'' IS NOT DISTINCT FROM a -> ''boundary''
                                         THEN ''{geom,boundary}'' ELSE ''{}'' END::text[] AS same
                       FROM o FULL JOIN n ON b ->> $1 = a ->> $1 WHERE b IS DISTINCT FROM a
                   )
              SELECT b - same AS b, a - same AS a FROM pairs'
    END;
    bulk bigint;
    kept bigint;
    digest bytea;
BEGIN
    IF load IS NULL THEN
        EXECUTE 'INSERT INTO record (territory_id, action, subject_table, subject_id, grid_id, before, after)
                 SELECT (coalesce(a, b) ->> $3)::integer, $4, $5, coalesce(a, b) ->> $1,
                        (coalesce(a, b) ->> ''grid_id'')::integer, b - $2, a - $2
                 FROM (' || changed || ') AS changed'
        USING key, hidden, home, lower(TG_OP), TG_TABLE_NAME;
        RETURN NULL;
    END IF;
    bulk := nextval(pg_get_serial_sequence('record', 'seq'));
    EXECUTE 'WITH rows AS MATERIALIZED (
                 SELECT row_number() OVER () AS no, coalesce(a, b) ->> $1 AS id,
                        (coalesce(a, b) ->> ''grid_id'')::integer AS grid, b - $2 AS b, a - $2 AS a
                 FROM (' || changed || ') AS changed
             ), hashed AS MATERIALIZED (
                 SELECT *, sha256(convert_to(jsonb_build_array(b, a)::text, ''UTF8'')) AS hash FROM rows
             ), written AS (
                 INSERT INTO load_row (record_seq, row_no, subject_id, grid_id, before, after, row_hash)
                 SELECT $3, no, id, grid, b, a, hash FROM hashed
             )
             SELECT count(*), sha256(string_agg(hash, ''''::bytea ORDER BY no)) FROM hashed'
    INTO kept, digest USING key, hidden, bulk;
    IF kept > 0 THEN
        INSERT INTO record (seq, territory_id, action, subject_table, after, load_id)
        OVERRIDING SYSTEM VALUE
        VALUES (bulk, (SELECT territory_id FROM load AS l WHERE l.id = load), 'bulk_' || lower(TG_OP), TG_TABLE_NAME,
                jsonb_build_object('rows', kept, 'sha256', encode(digest, 'hex')), load);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION gk_called_to() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT called.incident_id), '{}') FROM (
        SELECT t.incident_id FROM task AS t JOIN incident AS i ON i.id = t.incident_id
        WHERE gk_role() = 'handler' AND t.joint AND t.unit_id = ANY (gk_units()) AND t.territory_id = gk_territory()
          AND (t.state = 'done' OR t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void'))
        UNION ALL
        SELECT t.incident_id FROM task AS t JOIN incident AS i ON i.id = t.incident_id
        WHERE gk_role() = 'grid_worker' AND t.worker_id = gk_worker() AND t.kind IN ('verify', 'check', 'visit')
          AND t.territory_id = gk_territory() AND t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void')
    ) AS called
$$;
