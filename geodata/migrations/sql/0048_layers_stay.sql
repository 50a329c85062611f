-- A layer of planning is written once: studies rest on it. Afterwards only its end may be said, and its author erased.
-- This binds every login, the system's too; a layer goes with its territory alone.
CREATE FUNCTION gk_layer_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    passing text[] := '{retired_at,made_by}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_at := now();  -- by which its places know the transaction they belong to
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'A layer of planning is never deleted: studies rest on it.'
                USING ERRCODE = 'insufficient_privilege', HINT = 'Offer it no longer.';
        END IF;
        RETURN OLD;
    END IF;
    IF to_jsonb(NEW) - passing <> to_jsonb(OLD) - passing
       OR NEW.made_by IS DISTINCT FROM OLD.made_by AND NEW.made_by IS NOT NULL
       OR OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at THEN
        RAISE EXCEPTION 'A version of a layer of planning is never changed.'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Bring the next version.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE OR DELETE ON named_layer
    FOR EACH ROW EXECUTE FUNCTION gk_layer_stays();

CREATE FUNCTION gk_layer_place_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The places of a layer of planning are never changed.'
        USING ERRCODE = 'insufficient_privilege', HINT = 'Bring the next version.';
END $$;
CREATE TRIGGER aa_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON layer_place
    FOR EACH STATEMENT EXECUTE FUNCTION gk_layer_place_stays();

CREATE FUNCTION gk_layer_place_comes() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh LEFT JOIN named_layer AS layer ON layer.id = fresh.layer_id
                                                            AND layer.territory_id = fresh.territory_id
               WHERE layer.made_at IS DISTINCT FROM now()) THEN
        RAISE EXCEPTION 'Places come with their layer, never later.'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Bring the next version.';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ab_guard AFTER INSERT ON layer_place REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION gk_layer_place_comes();

-- What is refused above is not granted either.
REVOKE DELETE ON named_layer, layer_place FROM gridkeeper_app;
