-- How often an incident was opened again is counted by the database, whoever opens it. Its warnings move with its
-- deadline, and the deadline of before a postponement is kept with the postponement: nobody silences a warning alone.
CREATE FUNCTION gk_incident_marks() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.reopens := OLD.reopens + (OLD.status = 'closed' AND NEW.status = 'filed')::integer;
    IF gk_lawless(TG_RELID) OR NEW.due_at IS DISTINCT FROM OLD.due_at
       OR NEW.postponed_until IS DISTINCT FROM OLD.postponed_until OR NEW.status <> OLD.status THEN
        RETURN NEW;
    END IF;
    IF (NEW.due_from, NEW.due_unpaused, NEW.warn_half_at, NEW.warn_most_at)
       IS DISTINCT FROM (OLD.due_from, OLD.due_unpaused, OLD.warn_half_at, OLD.warn_most_at) THEN
        PERFORM gk_refuse('A warning moves only with its deadline.', 'ck_incident_warning');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_marks BEFORE UPDATE ON incident FOR EACH ROW EXECUTE FUNCTION gk_incident_marks();

ALTER TABLE saved_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY saved_queue_own ON saved_queue USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND user_id = (SELECT gk_setting('user')::integer)
);
