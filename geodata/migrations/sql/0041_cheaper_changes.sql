-- What every change costs, measured (docs/decisions/0041): the same rules and rows as before, asked and written in
-- fewer steps.

-- Changes of incidents and tasks are not announced by those who write: PostgreSQL lets commits that announce through
-- one after the other. They stand in the record anyway, and who wants to hear of them looks there.
DROP TRIGGER zz_layer_insert ON incident;
DROP TRIGGER zz_layer_update ON incident;
DROP TRIGGER zz_layer_delete ON incident;
DROP TRIGGER zz_dispatch_insert ON task;
DROP TRIGGER zz_dispatch_update ON task;
DROP TRIGGER zz_dispatch_delete ON task;

-- How many changes of incidents and tasks stand in the record after a number, and how many of these after another, by
-- territory; which number was drawn last; and the lowest transaction that still writes. With a mark it takes the id of a
-- transaction: whoever drew a number before has a lower one. It tells nothing of who changed what.
CREATE FUNCTION gk_changes(since bigint, upto bigint, mark boolean) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found jsonb;
BEGIN
    SELECT jsonb_build_object(
        'last', (SELECT last_value FROM record_seq_seq),
        'low', pg_snapshot_xmin(s)::text::bigint,
        'mark', CASE WHEN mark THEN pg_current_xact_id()::text::bigint END,
        'rows', coalesce((
            SELECT jsonb_agg(jsonb_build_array(c.territory_id, c.subject_table, c.many, c.more)) FROM (
                SELECT r.territory_id, r.subject_table, count(*) AS many, count(*) FILTER (WHERE r.seq > upto) AS more
                FROM record AS r WHERE r.seq > since AND r.seq <= since + 1000000
                  AND r.subject_table IN ('incident', 'task') AND r.territory_id IS NOT NULL
                GROUP BY r.territory_id, r.subject_table
            ) AS c
        ), '[]'))
    INTO found FROM pg_current_snapshot() AS s;
    RETURN found;
END $$;
REVOKE EXECUTE ON FUNCTION gk_changes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_changes TO gridkeeper_app;

-- The text of gk_record_text, written here: calling it means parsing it anew in every transaction.
CREATE OR REPLACE FUNCTION gk_record_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();
    NEW.territory_id := coalesce(NEW.territory_id, gk_territory());
    NEW.actor_user_id := gk_setting('user')::integer;
    NEW.actor_role := gk_role();
    NEW.actor_label := coalesce(gk_setting('label'), session_user);
    NEW.purpose := coalesce(gk_setting('purpose'), '');
    NEW.command_id := gk_setting('command');
    NEW.batch_id := NULL;
    NEW.row_hash := sha256(convert_to(jsonb_build_array(
        NEW.seq, (extract(epoch FROM NEW.at) * 1000000)::bigint, NEW.territory_id, NEW.actor_user_id, NEW.actor_role,
        NEW.actor_label, NEW.purpose, NEW.command_id, NEW.action, NEW.subject_table, NEW.subject_id, NEW.grid_id,
        NEW.before, NEW.after, NEW.load_id
    )::text, 'UTF8'));
    RETURN NEW;
END $$;

-- As in 0029: one row for each row that a statement changed, or one for a load. What was inserted or deleted is written
-- by one statement whose plan is kept. An update of one row, which is ordinary work, is paired by hand; only one of
-- several rows is planned anew. A third argument says which shapes the table has; without it they are looked up.
CREATE OR REPLACE FUNCTION gk_record_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    load integer := gk_setting('load')::integer;
    home text := CASE WHEN TG_TABLE_NAME = 'territory' THEN 'id' ELSE 'territory_id' END;
    many integer := 0;
    hidden text[];
    shapes text;
    changed text;
    bulk bigint;
    kept bigint;
    digest bytea;
    b jsonb;
    a jsonb;
    o pg_catalog.record;
    n pg_catalog.record;
BEGIN
    IF load IS NULL THEN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO public.record (territory_id, action, subject_table, subject_id, grid_id, after)
            SELECT (r.a ->> home)::integer, 'insert', TG_TABLE_NAME, r.a ->> TG_ARGV[0], (r.a ->> 'grid_id')::integer,
                   CASE TG_ARGV[1] WHEN '' THEN r.a ELSE r.a - string_to_array(TG_ARGV[1], ',') END
            FROM (SELECT to_jsonb(x) AS a FROM new_rows AS x OFFSET 0) AS r;  -- OFFSET: made once
            RETURN NULL;
        END IF;
        IF TG_OP = 'DELETE' THEN
            INSERT INTO public.record (territory_id, action, subject_table, subject_id, grid_id, before)
            SELECT (r.b ->> home)::integer, 'delete', TG_TABLE_NAME, r.b ->> TG_ARGV[0], (r.b ->> 'grid_id')::integer,
                   CASE TG_ARGV[1] WHEN '' THEN r.b ELSE r.b - string_to_array(TG_ARGV[1], ',') END
            FROM (SELECT to_jsonb(x) AS b FROM old_rows AS x OFFSET 0) AS r;
            RETURN NULL;
        END IF;
        FOR n IN SELECT * FROM new_rows LIMIT 2 LOOP
            many := many + 1;
        END LOOP;
        IF many = 0 THEN
            RETURN NULL;
        END IF;
        IF many = 1 THEN
            SELECT * INTO o FROM old_rows;
            IF TG_NARGS > 2 THEN
                shapes := TG_ARGV[2];
            ELSE
                SELECT coalesce(string_agg(attname, ',' ORDER BY attname DESC), '') INTO shapes FROM pg_attribute
                WHERE attrelid = TG_RELID AND attname IN ('geom', 'boundary') AND NOT attisdropped;
            END IF;
            -- A shape that stayed is not written out. A field that the table lacks must not even be named.
            IF shapes = 'geom' THEN
                IF o.geom::bytea IS NOT DISTINCT FROM n.geom::bytea THEN
                    o.geom := NULL;
                    n.geom := NULL;
                    hidden := '{geom}';
                END IF;
            ELSIF shapes = 'boundary' THEN
                IF o.boundary::bytea IS NOT DISTINCT FROM n.boundary::bytea THEN
                    o.boundary := NULL;
                    n.boundary := NULL;
                    hidden := '{boundary}';
                END IF;
            ELSIF shapes = 'geom,boundary' THEN
                IF o.geom::bytea IS NOT DISTINCT FROM n.geom::bytea
                   AND o.boundary::bytea IS NOT DISTINCT FROM n.boundary::bytea THEN
                    o.geom := NULL;
                    n.geom := NULL;
                    o.boundary := NULL;
                    n.boundary := NULL;
                    hidden := '{geom,boundary}';
                END IF;
            END IF;
            b := to_jsonb(o);
            a := to_jsonb(n);
            IF b = a THEN
                RETURN NULL;
            END IF;
            IF b -> TG_ARGV[0] = a -> TG_ARGV[0] THEN
                IF hidden IS NOT NULL OR TG_ARGV[1] <> '' THEN
                    hidden := hidden || string_to_array(TG_ARGV[1], ',');
                    b := b - hidden;
                    a := a - hidden;
                END IF;
                INSERT INTO public.record (territory_id, action, subject_table, subject_id, grid_id, before, after)
                VALUES ((a ->> home)::integer, 'update', TG_TABLE_NAME, a ->> TG_ARGV[0], (a ->> 'grid_id')::integer,
                        b, a);
                RETURN NULL;
            END IF;
        END IF;
    END IF;
    hidden := string_to_array(TG_ARGV[1], ',');
    changed := CASE TG_OP
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
    IF load IS NULL THEN
        IF TG_ARGV[2] = 'geom' THEN
            -- The shape is compared as it is; making its text is what costs most.
            SELECT string_agg(format('r.%I', attname), ', ' ORDER BY attnum) INTO shapes FROM pg_attribute
            WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND attname <> 'geom';
            changed := format('SELECT CASE WHEN og IS NOT DISTINCT FROM ng THEN b ELSE b || jsonb_build_object(''geom'', og::geometry) END AS b,
                       CASE WHEN og IS NOT DISTINCT FROM ng THEN a ELSE a || jsonb_build_object(''geom'', ng::geometry) END AS a
                FROM (SELECT r.geom::bytea AS og, to_jsonb(c) AS b FROM old_rows AS r, LATERAL (SELECT %1$s) AS c) AS o
                FULL JOIN (SELECT r.geom::bytea AS ng, to_jsonb(c) AS a FROM new_rows AS r, LATERAL (SELECT %1$s) AS c) AS n
                ON b ->> $1 = a ->> $1 WHERE (b, og) IS DISTINCT FROM (a, ng) OFFSET 0', shapes);
        END IF;
        EXECUTE 'INSERT INTO record (territory_id, action, subject_table, subject_id, grid_id, before, after)
                 SELECT (coalesce(a, b) ->> $3)::integer, $4, $5, coalesce(a, b) ->> $1,
                        (coalesce(a, b) ->> ''grid_id'')::integer, b - $2, a - $2
                 FROM (' || changed || ') AS changed'
        USING TG_ARGV[0], hidden, home, lower(TG_OP), TG_TABLE_NAME;
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
    INTO kept, digest USING TG_ARGV[0], hidden, bulk;
    IF kept > 0 THEN
        INSERT INTO record (seq, territory_id, action, subject_table, after, load_id)
        OVERRIDING SYSTEM VALUE
        VALUES (bulk, (SELECT territory_id FROM load AS l WHERE l.id = load), 'bulk_' || lower(TG_OP), TG_TABLE_NAME,
                jsonb_build_object('rows', kept, 'sha256', encode(digest, 'hex')), load);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER zz_record_update ON incident;
CREATE TRIGGER zz_record_update AFTER UPDATE ON incident REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION gk_record_change('id', '', 'geom');
DROP TRIGGER zz_record_update ON task;
CREATE TRIGGER zz_record_update AFTER UPDATE ON task REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION gk_record_change('id', '', '');

-- As in 0036; of many rows only what changes a sum goes on, and that without comparing each with each.
CREATE OR REPLACE FUNCTION gk_incident_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changes gk_incident_change[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, 1)::gk_incident_change)
        INTO changes FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, -1)::gk_incident_change)
        INTO changes FROM old_rows;
    ELSIF (SELECT count(*) FROM new_rows) = 1 AND EXISTS (
        SELECT FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
        WHERE n.status NOT IN ('closed', 'void') AND o.status NOT IN ('closed', 'void')
          AND (n.territory_id, n.grid_id, n.category, n.reported_at)
              IS NOT DISTINCT FROM (o.territory_id, o.grid_id, o.category, o.reported_at)
    ) THEN
        RETURN NULL;
    ELSE
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, sign)::gk_incident_change)
        INTO changes FROM (
            SELECT territory_id, grid_id, category, status, reported_at, closed_at, sum(sign)::integer AS sign FROM (
                SELECT territory_id, grid_id, category, reported_at, closed_at, 1 AS sign,
                       CASE WHEN status IN ('closed', 'void') THEN status ELSE 'filed' END AS status FROM new_rows
                UNION ALL
                SELECT territory_id, grid_id, category, reported_at, closed_at, -1,
                       CASE WHEN status IN ('closed', 'void') THEN status ELSE 'filed' END FROM old_rows
            ) AS both_sides
            GROUP BY territory_id, grid_id, category, status, reported_at, closed_at HAVING sum(sign) <> 0
        ) AS moved;
        IF changes IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM gk_change_incident_days(changes);
    RETURN NULL;
END $$;

-- As in 0026, the cheap question first.
CREATE OR REPLACE FUNCTION gk_incident_marks() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.reopens := OLD.reopens + (OLD.status = 'closed' AND NEW.status = 'filed')::integer;
    IF NEW.due_at IS DISTINCT FROM OLD.due_at OR NEW.postponed_until IS DISTINCT FROM OLD.postponed_until
       OR NEW.status <> OLD.status THEN
        RETURN NEW;
    END IF;
    IF (NEW.due_from, NEW.due_unpaused, NEW.warn_half_at, NEW.warn_most_at)
       IS DISTINCT FROM (OLD.due_from, OLD.due_unpaused, OLD.warn_half_at, OLD.warn_most_at)
       AND NOT gk_lawless(TG_RELID) THEN
        PERFORM gk_refuse('A warning moves only with its deadline.', 'ck_incident_warning');
    END IF;
    RETURN NEW;
END $$;

-- As in 0023, each question only where the step is one that it is about.
CREATE OR REPLACE FUNCTION gk_incident_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    me text := gk_role();
    hand integer := gk_setting('user')::integer;
BEGIN
    IF me IN ('system', 'nobody') AND gk_lawless(TG_RELID) THEN
        RETURN NULL;
    END IF;
    IF NEW.status <> OLD.status THEN
        IF NOT EXISTS (
            SELECT FROM transition AS t
            WHERE t.subject = 'incident' AND t.source = OLD.status AND t.target = NEW.status AND t.role = me
        ) THEN
            PERFORM gk_refuse(
                format('The role %s does not bring an incident from %s to %s.', me, OLD.status, NEW.status),
                'ck_incident_step'
            );
        END IF;
        IF me IN ('grid_worker', 'handler') AND NEW.status <> 'closed' THEN
            IF NOT EXISTS (
                SELECT FROM task AS t
                WHERE t.incident_id = NEW.id AND t.kind = 'handle' AND NOT t.joint AND t.state <> 'cancelled'
                  AND t.created_at >= coalesce(NEW.dispatched_at, '-infinity')
                  AND (me = 'grid_worker' AND t.worker_id = gk_worker()
                       OR me = 'handler' AND t.unit_id = ANY (gk_units()))
            ) THEN
                PERFORM gk_refuse('The task of this incident is not yours.', 'ck_incident_own_task');
            END IF;
        END IF;
        IF NEW.status IN ('checking', 'filed') AND OLD.status IN ('dispatched', 'handling') THEN
            IF EXISTS (
                SELECT FROM task AS t
                WHERE t.incident_id = NEW.id AND t.kind = 'handle' AND t.state IN ('waiting', 'accepted', 'started')
            ) THEN
                PERFORM gk_refuse('Somebody is still at work on this incident.', 'ck_incident_all_done');
            END IF;
        ELSIF OLD.status = 'filed' AND NEW.status = 'closed' THEN
            IF NOT (
                NEW.self_handled AND NEW.source IN ('patrol', 'app') AND NOT NEW.emergency AND NEW.priority >= 3
                AND hand IS NOT NULL AND NEW.reported_by = hand
                AND NOT EXISTS (SELECT FROM task AS t WHERE t.incident_id = NEW.id AND t.kind = 'handle')
            ) THEN
                PERFORM gk_refuse('Only a simple finding of one''s own is settled on the spot.', 'ck_incident_own_find');
            END IF;
        ELSIF OLD.status = 'reported' AND NEW.status = 'filed' AND NOT NEW.emergency THEN
            IF EXISTS (
                SELECT FROM task AS t
                WHERE t.incident_id = NEW.id AND t.kind = 'verify' AND t.state IN ('waiting', 'accepted', 'started')
            ) THEN
                PERFORM gk_refuse('This report has to be verified on site first.', 'ck_incident_verified');
            END IF;
        END IF;
        IF OLD.status = 'checking' AND hand IS NOT NULL AND gk_has_handled(NEW.id, hand, NULL) THEN
            PERFORM gk_refuse('Who handled an incident does not verify it.', 'ck_incident_other_hand');
        END IF;
    END IF;
    IF (NEW.reported_by, NEW.self_handled, NEW.sampled_by, NEW.postponed_at, NEW.postponed_until, NEW.urged_at, NEW.urges,
        NEW.due_at) IS NOT DISTINCT FROM (OLD.reported_by, OLD.self_handled, OLD.sampled_by, OLD.postponed_at,
        OLD.postponed_until, OLD.urged_at, OLD.urges, OLD.due_at) THEN
        RETURN NULL;
    END IF;
    IF NEW.reported_by IS DISTINCT FROM OLD.reported_by THEN
        PERFORM gk_refuse('Who reported an incident does not change.', 'ck_incident_reporter');
    END IF;
    IF NEW.self_handled <> OLD.self_handled AND NOT (
        NEW.self_handled AND NEW.status = 'closed' AND OLD.status = 'filed' OR OLD.status = 'closed' AND NEW.status = 'filed'
    ) THEN
        PERFORM gk_refuse('Only its finder settles an incident on the spot.', 'ck_incident_own_find');
    END IF;
    IF NEW.sampled_by IS DISTINCT FROM OLD.sampled_by AND NEW.status = OLD.status
       AND (me <> 'supervisor' OR NEW.sampled_by IS DISTINCT FROM hand) THEN
        PERFORM gk_refuse('A supervisor samples in his own name.', 'ck_incident_sampled');
    END IF;
    IF (NEW.postponed_at IS DISTINCT FROM OLD.postponed_at OR NEW.postponed_until IS DISTINCT FROM OLD.postponed_until)
       AND me <> 'supervisor' AND NOT (OLD.status = 'closed' AND NEW.status = 'filed') THEN
        PERFORM gk_refuse('Only a supervisor postpones.', 'ck_incident_postponed');
    END IF;
    IF (NEW.urged_at IS DISTINCT FROM OLD.urged_at OR NEW.urges <> OLD.urges) AND me <> 'supervisor' THEN
        PERFORM gk_refuse('Only a supervisor urges.', 'ck_incident_urged');
    END IF;
    IF NEW.due_at IS DISTINCT FROM OLD.due_at THEN
        IF NOT (
            OLD.status = 'closed' AND NEW.status = 'filed'
            OR me = 'supervisor' AND (
                OLD.status = 'reported' AND NEW.status = 'filed'
                OR NEW.postponed_until IS DISTINCT FROM OLD.postponed_until
                OR EXISTS (
                    SELECT FROM extension_request AS e WHERE e.incident_id = NEW.id AND e.state = 'granted'
                      AND e.until = NEW.due_at AND e.decided_by IS NOT DISTINCT FROM hand
                )
            )
        ) THEN
            PERFORM gk_refuse('A deadline moves only when more time is granted.', 'ck_incident_due');
        END IF;
    END IF;
    RETURN NULL;
END $$;
