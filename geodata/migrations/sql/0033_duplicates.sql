-- Whether the acting user, or the worker he is, ever handled the incident, or what follows it as a duplicate.
CREATE OR REPLACE FUNCTION gk_has_handled(incident bigint, hand integer, staff integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM task AS t
        WHERE t.incident_id = ANY (ARRAY(SELECT $1 UNION ALL SELECT d.id FROM incident AS d WHERE d.duplicate_of = $1))
          AND t.kind = 'handle'
          AND (hand = ANY (t.handled_by) OR staff IS NOT NULL AND t.worker_id = staff AND t.state = 'done')
    )
$$;

-- What ends with its root is ended by the hand that ends the root: who ever sent a duplicate out does not close the
-- root, and a worker settles nothing on the spot that somebody else reported too, or that is more than a simple find.
CREATE FUNCTION gk_incident_followed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM incident AS d
        WHERE d.duplicate_of = NEW.id AND (
            d.dispatched_by = NEW.closed_by
            OR EXISTS (
                SELECT FROM task AS t
                WHERE t.incident_id = d.id AND t.kind = 'handle' AND t.assigned_by = NEW.closed_by
            )
        )
    ) THEN
        PERFORM gk_refuse(
            format('Who dispatched a duplicate of incident %s does not close it.', NEW.number),
            'ck_incident_separate_duties'
        );
    END IF;
    IF OLD.status = 'filed' AND NOT gk_lawless(TG_RELID) AND EXISTS (
        SELECT FROM incident AS d
        WHERE d.duplicate_of = NEW.id AND (
            d.reported_by IS DISTINCT FROM gk_setting('user')::integer OR d.source NOT IN ('patrol', 'app')
            OR d.emergency OR d.priority < 3
        )
    ) THEN
        PERFORM gk_refuse('What somebody else reported too is not settled on the spot.', 'ck_incident_own_find');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_incident_followed FROM PUBLIC;
CREATE TRIGGER yy_followed AFTER UPDATE ON incident FOR EACH ROW
WHEN (NEW.status = 'closed' AND OLD.status <> 'closed' AND NEW.duplicate_of IS NULL)
EXECUTE FUNCTION gk_incident_followed();

-- A report follows only what its reporter sees, so that nothing is learnt of incidents out of reach. This one asks
-- with the rights of who writes, before the next one looks past them.
CREATE FUNCTION gk_duplicate_in_reach() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) AND NOT EXISTS (
        SELECT FROM incident AS i WHERE i.id = NEW.duplicate_of AND (
            i.duplicate_of IS NULL OR EXISTS (SELECT FROM incident AS r WHERE r.id = i.duplicate_of)
        )
    ) THEN
        PERFORM gk_refuse('There is no such incident to be a duplicate of.', 'ck_incident_duplicate_root');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_duplicate_in_reach BEFORE INSERT ON incident FOR EACH ROW
WHEN (NEW.duplicate_of IS NOT NULL) EXECUTE FUNCTION gk_duplicate_in_reach();

-- A duplicate follows its root: one level deep, in one territory, its status always the root's. What is done to the
-- root is done to it by the database; of itself it is neither dispatched nor due. So no cycle can come about. Whether
-- it was filed and when it was due by itself is kept, and comes back when it stands for itself again.
CREATE OR REPLACE FUNCTION gk_duplicate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    root record;
    me text := gk_role();
    free boolean := gk_lawless(TG_RELID);
    linked boolean := TG_OP = 'INSERT' OR NEW.duplicate_of IS DISTINCT FROM OLD.duplicate_of;
    its_course text[] := '{duplicate_of,status,filed_at,closed_at,closed_by,limit_id,version,own_due_at,own_filed_at}';
    its_clock text[] := '{due_at,due_from,due_unpaused,warn_half_at,warn_most_at}';
BEGIN
    IF TG_OP = 'UPDATE' AND NOT free
       AND to_jsonb(NEW) - its_course - its_clock IS DISTINCT FROM to_jsonb(OLD) - its_course - its_clock THEN
        PERFORM gk_refuse('A duplicate follows the first report; act on that.', 'ck_incident_duplicate_follows');
    END IF;
    IF NEW.duplicate_of IS NULL THEN
        IF NOT free AND (me <> 'supervisor' OR coalesce(gk_setting('purpose'), '') NOT LIKE 'unlink: %') THEN
            PERFORM gk_refuse('Only a supervisor unlinks a duplicate, with a reason.', 'ck_incident_unlink');
        END IF;
        NEW.filed_at := OLD.own_filed_at;
        NEW.due_at := coalesce(OLD.own_due_at, NEW.due_at);
        NEW.own_filed_at := NULL;
        NEW.own_due_at := NULL;
        NEW.status := CASE WHEN NEW.filed_at IS NULL THEN 'reported' ELSE 'filed' END;
        NEW.closed_at := NULL;
        NEW.closed_by := NULL;
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- By itself it is filed only by who may begin an incident as filed; what the public says is looked at first.
        NEW.own_filed_at := CASE
            WHEN free OR me = 'grid_worker' OR me = 'supervisor'
                 AND (NEW.emergency OR NEW.source NOT IN ('hotline', 'web', 'media')) THEN NEW.filed_at
        END;
        NEW.own_due_at := NEW.due_at;
    ELSIF OLD.duplicate_of IS NULL THEN
        NEW.filed_at := OLD.filed_at;
        NEW.own_filed_at := OLD.filed_at;
        NEW.own_due_at := OLD.due_at;
    ELSE
        NEW.filed_at := OLD.filed_at;
        NEW.own_filed_at := OLD.own_filed_at;
        NEW.own_due_at := OLD.own_due_at;
    END IF;
    SELECT id, territory_id, status, filed_at, closed_at, duplicate_of INTO root
    FROM incident WHERE id = NEW.duplicate_of FOR NO KEY UPDATE;
    IF linked AND root.duplicate_of IS NOT NULL THEN
        SELECT id, territory_id, status, filed_at, closed_at, duplicate_of INTO root
        FROM incident WHERE id = root.duplicate_of FOR NO KEY UPDATE;
    END IF;
    IF root.id IS NULL OR root.duplicate_of IS NOT NULL OR root.territory_id <> NEW.territory_id THEN
        PERFORM gk_refuse('There is no such incident to be a duplicate of.', 'ck_incident_duplicate_root');
    END IF;
    IF root.id = NEW.id THEN
        PERFORM gk_refuse('An incident is no duplicate of itself.', 'ck_incident_duplicate_of_itself');
    END IF;
    IF linked AND root.status IN ('closed', 'void') THEN
        PERFORM gk_refuse('The first report is closed already; report it anew or reopen it.', 'ck_incident_duplicate_open');
    END IF;
    IF linked AND TG_OP = 'UPDATE' THEN
        IF NOT free AND me NOT IN ('dispatcher', 'supervisor') THEN
            PERFORM gk_refuse(format('The role %s links no duplicates.', me), 'ck_incident_link');
        END IF;
        IF OLD.duplicate_of IS NULL AND OLD.status NOT IN ('reported', 'filed', 'dispatched') THEN
            PERFORM gk_refuse('It is being worked on, so it stays an incident of its own.', 'ck_incident_link');
        END IF;
        IF EXISTS (SELECT FROM task AS t WHERE t.incident_id = NEW.id AND t.state IN ('waiting', 'accepted', 'started')) THEN
            PERFORM gk_refuse('Somebody is still sent to this incident.', 'ck_incident_link');
        END IF;
    END IF;
    NEW.duplicate_of := root.id;
    NEW.status := root.status;
    IF root.status NOT IN ('reported', 'void') AND NEW.filed_at IS NULL THEN
        NEW.filed_at := greatest(NEW.reported_at, root.filed_at);
    END IF;
    NEW.closed_at := root.closed_at;
    NEW.closed_by := NULL;
    NEW.due_at := NULL;
    NEW.limit_id := NULL;
    RETURN NEW;
END $$;
