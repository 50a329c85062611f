-- The text a record row's hash is taken over: all columns but the hash and the batch, as one
-- jsonb array. jsonb has one written form for one value, so the text can be made again.
CREATE FUNCTION gk_record_text(r public.record) RETURNS text LANGUAGE sql IMMUTABLE
AS $$ SELECT jsonb_build_array(
    r.seq, (extract(epoch FROM r.at) * 1000000)::bigint, r.territory_id, r.actor_user_id, r.actor_role, r.actor_label,
    r.purpose, r.command_id, r.action, r.subject_table, r.subject_id, r.grid_id, r.before, r.after, r.load_id
)::text $$;

CREATE FUNCTION gk_record_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();
    NEW.territory_id := coalesce(NEW.territory_id, gk_territory());
    NEW.actor_user_id := gk_setting('user')::integer;
    NEW.actor_role := gk_role();
    NEW.actor_label := coalesce(gk_setting('label'), session_user);
    NEW.purpose := coalesce(gk_setting('purpose'), '');
    NEW.command_id := gk_setting('command');
    NEW.batch_id := NULL;
    NEW.row_hash := sha256(convert_to(gk_record_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;
CREATE TRIGGER record_stamp BEFORE INSERT ON record FOR EACH ROW EXECUTE FUNCTION gk_record_stamp();

CREATE FUNCTION gk_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER record_append_only BEFORE UPDATE OR DELETE ON record
    FOR EACH ROW EXECUTE FUNCTION gk_append_only();
CREATE TRIGGER record_no_truncate BEFORE TRUNCATE ON record
    FOR EACH STATEMENT EXECUTE FUNCTION gk_append_only();
CREATE TRIGGER load_row_append_only BEFORE UPDATE OR DELETE ON load_row
    FOR EACH ROW EXECUTE FUNCTION gk_append_only();
CREATE TRIGGER load_row_no_truncate BEFORE TRUNCATE ON load_row
    FOR EACH STATEMENT EXECUTE FUNCTION gk_append_only();

-- Writes what a statement changed. Arguments: key column, columns that must not be recorded
-- (comma list). Ordinary work gets one record row per changed row. A bulk load (the setting
-- gridkeeper.load) gets one record row per statement, whose `after` holds the count and the hash
-- over the rows that are kept in load_row; so no way of writing escapes the record. A changed key
-- shows as two rows, one that lost its after and one that lost its before. A shape that an update
-- left alone is left out of both sides: it would be most of the record.
-- The statements are planned anew each time: a plan kept from small statements would join the rows
-- of a big one by nested loops.
CREATE FUNCTION gk_record_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_catalog, pg_temp AS $$
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

-- An act that changes no row of ours, such as a login or a purposeful reading.
CREATE FUNCTION gk_record_event(event text, on_table text, on_id text, detail jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_catalog, pg_temp AS $$
    INSERT INTO record (action, subject_table, subject_id, after)
    SELECT event, on_table, on_id, detail
    WHERE event NOT IN ('insert', 'update', 'delete', 'bulk_insert', 'bulk_update', 'bulk_delete');
$$;

-- The record holds whole rows, so it is no wider than the rows: who runs the oversight reads all of
-- the territory, everybody else only what happened to incidents that he may see, and that a load
-- took place (a bulk row holds a count and a hash).
ALTER TABLE record ENABLE ROW LEVEL SECURITY;
CREATE POLICY record_here ON record FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('supervisor', 'auditor')
        OR subject_id IS NULL AND (SELECT gk_role()) <> 'nobody'
        OR subject_table = 'incident' AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
    )
);
ALTER TABLE load_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY load_row_here ON load_row FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'auditor') AND EXISTS (SELECT FROM record WHERE seq = record_seq)
    OR EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table = 'incident')
    AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
);
