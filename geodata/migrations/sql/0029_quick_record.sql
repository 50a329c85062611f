-- Sealing sets the batch of a row and nothing else: the rest is compared byte by byte, without making its text twice.
CREATE OR REPLACE FUNCTION gk_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'record' THEN
        IF OLD.batch_id IS NULL AND NEW.batch_id IS NOT NULL THEN
            OLD.batch_id := NEW.batch_id;
            IF OLD OPERATOR(pg_catalog.*=) NEW THEN
                RETURN NEW;  -- sealing
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'The record is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- As in 0001, but a statement that changed one row, which is ordinary work, is written by plans that are kept, and
-- a shape that stayed is not written out to be compared.
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
    shapes name[];
    many bigint;
    b jsonb;
    a jsonb;
    o pg_catalog.record;
    n pg_catalog.record;
    alike boolean := false;
BEGIN
    IF load IS NULL THEN
        IF TG_OP = 'DELETE' THEN
            SELECT count(*) INTO many FROM (SELECT FROM old_rows LIMIT 2) AS few;
        ELSE
            SELECT count(*) INTO many FROM (SELECT FROM new_rows LIMIT 2) AS few;
        END IF;
        IF many = 0 THEN
            RETURN NULL;
        END IF;
        IF many = 1 THEN
            IF TG_OP <> 'INSERT' THEN
                SELECT * INTO o FROM old_rows;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                SELECT * INTO n FROM new_rows;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                SELECT array_agg(attname) INTO shapes FROM pg_attribute
                WHERE attrelid = TG_RELID AND attname IN ('geom', 'boundary') AND NOT attisdropped;
                alike := true;
                IF 'geom' = ANY (shapes) THEN
                    alike := o.geom::bytea IS NOT DISTINCT FROM n.geom::bytea;
                END IF;
                IF alike AND 'boundary' = ANY (shapes) THEN
                    alike := o.boundary::bytea IS NOT DISTINCT FROM n.boundary::bytea;
                END IF;
                IF alike AND 'geom' = ANY (shapes) THEN
                    o.geom := NULL;
                    n.geom := NULL;
                END IF;
                IF alike AND 'boundary' = ANY (shapes) THEN
                    o.boundary := NULL;
                    n.boundary := NULL;
                END IF;
                IF alike THEN
                    hidden := hidden || '{geom,boundary}'::text[];
                END IF;
            END IF;
            IF TG_OP <> 'INSERT' THEN
                b := to_jsonb(o);
            END IF;
            IF TG_OP <> 'DELETE' THEN
                a := to_jsonb(n);
            END IF;
            IF b = a THEN
                RETURN NULL;
            END IF;
            IF TG_OP <> 'UPDATE' OR b -> key = a -> key THEN
                INSERT INTO public.record (territory_id, action, subject_table, subject_id, grid_id, before, after)
                VALUES ((coalesce(a, b) ->> home)::integer, lower(TG_OP), TG_TABLE_NAME, coalesce(a, b) ->> key,
                        (coalesce(a, b) ->> 'grid_id')::integer, b - hidden, a - hidden);
                RETURN NULL;
            END IF;
            hidden := string_to_array(TG_ARGV[1], ',');
        END IF;
    END IF;
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

-- As in 0023, by a plan that is kept, and at once for whom it does not concern: a policy asks it in every statement.
CREATE OR REPLACE FUNCTION gk_called_to() RETURNS bigint[] LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() = 'handler' THEN
        RETURN (
            SELECT coalesce(array_agg(DISTINCT t.incident_id), '{}')
            FROM task AS t JOIN incident AS i ON i.id = t.incident_id
            WHERE t.joint AND t.unit_id = ANY (gk_units()) AND t.territory_id = gk_territory()
              AND (t.state = 'done' OR t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void'))
        );
    END IF;
    IF gk_role() = 'grid_worker' THEN
        RETURN (
            SELECT coalesce(array_agg(DISTINCT t.incident_id), '{}')
            FROM task AS t JOIN incident AS i ON i.id = t.incident_id
            WHERE t.worker_id = gk_worker() AND t.kind IN ('verify', 'check', 'visit')
              AND t.territory_id = gk_territory() AND t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void')
        );
    END IF;
    RETURN '{}';
END $$;
