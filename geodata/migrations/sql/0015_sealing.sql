-- Rows are sealed in the order in which they are found committed, so that a long transaction holds
-- nobody up: leaf order is the order of batches, inside a batch that of seq. Only what is already
-- there is sealed; the batch follows from the one before it.
CREATE FUNCTION gk_seal(seqs bigint[], tree_size bigint, root bytea, peaks bytea[], head text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before bigint := coalesce((SELECT b.tree_size FROM record_batch AS b ORDER BY b.id DESC LIMIT 1), 0);
    made integer;
    sealed bigint;
BEGIN
    IF gk_role() <> 'system' THEN
        RAISE EXCEPTION 'The role % may not seal the record.', gk_role() USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF cardinality(seqs) = 0 OR before + cardinality(seqs) <> tree_size THEN
        RAISE EXCEPTION 'A batch of % rows does not lead from % to %.', cardinality(seqs), before, tree_size
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO record_batch (first_seq, last_seq, tree_size, root_hash, peaks, head, sealed_at)
    SELECT min(s), max(s), gk_seal.tree_size, root, gk_seal.peaks, gk_seal.head, clock_timestamp()
    FROM unnest(seqs) AS s RETURNING id INTO made;
    UPDATE record SET batch_id = made WHERE seq = ANY (seqs) AND batch_id IS NULL;
    GET DIAGNOSTICS sealed = ROW_COUNT;
    IF sealed <> cardinality(seqs) THEN
        RAISE EXCEPTION 'Of % rows % could be sealed.', cardinality(seqs), sealed USING ERRCODE = 'check_violation';
    END IF;
    RETURN made;
END $$;
REVOKE EXECUTE ON FUNCTION gk_seal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_seal TO gridkeeper_app;

-- What is sealed stays.
CREATE TRIGGER record_batch_append_only BEFORE UPDATE OR DELETE ON record_batch
    FOR EACH ROW EXECUTE FUNCTION gk_append_only();
CREATE TRIGGER record_batch_no_truncate BEFORE TRUNCATE ON record_batch
    FOR EACH STATEMENT EXECUTE FUNCTION gk_append_only();
