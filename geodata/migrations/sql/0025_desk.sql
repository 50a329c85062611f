-- A duplicate follows its root: one level deep, in one territory, its status always the root's. What is done to the
-- root is done to it by the database; of itself it is neither dispatched nor due. So no cycle can come about.
CREATE FUNCTION gk_duplicate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    root record;
    me text := gk_role();
    free boolean := gk_lawless(TG_RELID);
    linked boolean := TG_OP = 'INSERT' OR NEW.duplicate_of IS DISTINCT FROM OLD.duplicate_of;
    its_course text[] := '{duplicate_of,status,filed_at,closed_at,closed_by,limit_id,version}';
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
        NEW.status := CASE WHEN NEW.filed_at IS NULL THEN 'reported' ELSE 'filed' END;
        NEW.closed_at := NULL;
        NEW.closed_by := NULL;
        RETURN NEW;
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
REVOKE EXECUTE ON FUNCTION gk_duplicate FROM PUBLIC;
CREATE TRIGGER incident_duplicate_insert BEFORE INSERT ON incident FOR EACH ROW
WHEN (NEW.duplicate_of IS NOT NULL) EXECUTE FUNCTION gk_duplicate();
CREATE TRIGGER incident_duplicate_update BEFORE UPDATE ON incident FOR EACH ROW
WHEN (NEW.duplicate_of IS NOT NULL OR OLD.duplicate_of IS NOT NULL) EXECUTE FUNCTION gk_duplicate();

-- What happens to a root happens to its duplicates; those of an incident that becomes one go to its root. The status
-- is written by the trigger above and not named here: nobody sends out or closes a duplicate, so nobody is noted.
CREATE FUNCTION gk_duplicates_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.duplicate_of IS NULL THEN
        UPDATE incident SET version = version + 1 WHERE duplicate_of = NEW.id;
    ELSE
        UPDATE incident SET duplicate_of = NEW.duplicate_of, version = version + 1 WHERE duplicate_of = NEW.id;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_duplicates_follow FROM PUBLIC;
CREATE TRIGGER yz_duplicates_follow AFTER UPDATE ON incident FOR EACH ROW
WHEN (OLD.duplicate_of IS NULL AND (OLD.status <> NEW.status OR NEW.duplicate_of IS NOT NULL))
EXECUTE FUNCTION gk_duplicates_follow();

-- Nobody is sent to a duplicate.
CREATE FUNCTION gk_task_of_duplicate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM incident AS i WHERE i.id = NEW.incident_id AND i.duplicate_of IS NOT NULL) THEN
        PERFORM gk_refuse('This is a duplicate; send somebody to the first report.', 'ck_task_duplicate');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_task_of_duplicate FROM PUBLIC;
CREATE TRIGGER yy_duplicate AFTER INSERT OR UPDATE OF state ON task FOR EACH ROW
WHEN (NEW.state IN ('waiting', 'accepted', 'started')) EXECUTE FUNCTION gk_task_of_duplicate();

-- The law of single steps speaks of incidents that stand for themselves.
DROP TRIGGER yy_begins ON incident;
CREATE TRIGGER yy_begins AFTER INSERT ON incident FOR EACH ROW
WHEN (gk_role() <> 'system' AND NEW.duplicate_of IS NULL) EXECUTE FUNCTION gk_incident_begins();
DROP TRIGGER yy_step ON incident;
CREATE TRIGGER yy_step AFTER UPDATE ON incident FOR EACH ROW
WHEN (gk_role() <> 'system' AND NEW.duplicate_of IS NULL AND OLD.duplicate_of IS NULL)
EXECUTE FUNCTION gk_incident_step();

-- An emergency handed over: who raised and who settled it is the user of the transaction, what was settled stays.
CREATE FUNCTION gk_emergency() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    free boolean := gk_lawless(TG_RELID);
    hand integer := gk_setting('user')::integer;
    settling text[] := '{state,called_at,channel,reference,settled_at,settled_by,settled_label}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.raised_by := CASE WHEN free THEN NEW.raised_by ELSE hand END;
        NEW.raised_at := CASE WHEN free THEN NEW.raised_at ELSE now() END;
        NEW.raised_label := coalesce(gk_setting('label'), '');
    ELSIF to_jsonb(NEW) = to_jsonb(OLD) THEN
        RETURN NEW;
    ELSIF NOT free AND (OLD.state <> 'waiting' OR to_jsonb(NEW) - settling IS DISTINCT FROM to_jsonb(OLD) - settling) THEN
        PERFORM gk_refuse('What was handed over is written down once and not changed.', 'ck_hand_over_once');
    END IF;
    IF NEW.state = 'waiting' THEN
        NEW.settled_at := NULL;
        NEW.settled_by := NULL;
        NEW.settled_label := '';
    ELSE
        NEW.settled_at := CASE WHEN free THEN coalesce(NEW.settled_at, now()) ELSE now() END;
        NEW.settled_by := CASE WHEN free THEN NEW.settled_by ELSE hand END;
        NEW.settled_label := coalesce(gk_setting('label'), '');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_emergency BEFORE INSERT OR UPDATE ON hand_over FOR EACH ROW EXECUTE FUNCTION gk_emergency();

ALTER TABLE hand_over ENABLE ROW LEVEL SECURITY;
CREATE POLICY hand_over_see ON hand_over FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY hand_over_add ON hand_over FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('grid_worker', 'grid_manager', 'dispatcher', 'supervisor')
    AND territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY hand_over_settle ON hand_over FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND raised_by = (SELECT gk_user())
    )
);
CREATE POLICY hand_over_delete ON hand_over FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE emergency_rule ENABLE ROW LEVEL SECURITY;
CREATE POLICY emergency_rule_see ON emergency_rule FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) <> 'nobody' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY emergency_rule_write ON emergency_rule USING (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);

ALTER TABLE upstream_item ENABLE ROW LEVEL SECURITY;
CREATE POLICY upstream_item_see ON upstream_item FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
);
CREATE POLICY upstream_item_add ON upstream_item FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY upstream_item_change ON upstream_item FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY upstream_item_delete ON upstream_item FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE upstream_answer ENABLE ROW LEVEL SECURITY;
CREATE POLICY upstream_answer_see ON upstream_answer FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
);
CREATE POLICY upstream_answer_add ON upstream_answer FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
