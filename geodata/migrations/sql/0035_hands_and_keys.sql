-- Who started the work is a hand in it, as who finished it.
CREATE OR REPLACE FUNCTION gk_task_hands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.handled_by := '{}';
        NEW.assigned_by := coalesce(hand, NEW.assigned_by);
        RETURN NEW;
    END IF;
    NEW.handled_by := OLD.handled_by;
    IF NEW.state IN ('started', 'done') AND OLD.state <> NEW.state AND hand IS NOT NULL
       AND NOT hand = ANY (OLD.handled_by) THEN
        NEW.handled_by := OLD.handled_by || hand;
    END IF;
    RETURN NEW;
END $$;

-- Whether the acting user, or the worker he is, ever handled the incident or what follows it as a duplicate: started
-- or finished the work, or showed in that role what became of it.
CREATE OR REPLACE FUNCTION gk_has_handled(incident bigint, hand integer, staff integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH these AS (
        SELECT $1 AS id UNION ALL SELECT d.id FROM incident AS d WHERE d.duplicate_of = $1
    ), hands AS (
        SELECT $2 AS id UNION ALL SELECT u.id FROM app_user AS u WHERE u.worker_id = $3
    )
    SELECT EXISTS (
        SELECT FROM task AS t
        WHERE t.incident_id = ANY (ARRAY(SELECT id FROM these)) AND t.kind = 'handle' AND (
            t.handled_by && ARRAY(SELECT id FROM hands WHERE id IS NOT NULL)
            OR $3 IS NOT NULL AND t.worker_id = $3 AND t.state = 'done'
        )
    ) OR EXISTS (
        SELECT FROM evidence AS e
        WHERE e.incident_id = ANY (ARRAY(SELECT id FROM these)) AND e.kind = 'after'
          AND e.taken_as IN ('handler', 'grid_worker') AND e.taken_by = ANY (ARRAY(SELECT id FROM hands))
    )
$$;

-- The photo after that finishes an incident is from who handles it, in this round; what the system brought counts.
CREATE FUNCTION gk_incident_shown() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) AND EXISTS (
        SELECT FROM incident_class AS c
        WHERE c.id = NEW.class_id AND 'after' = ANY (regexp_split_to_array(c.evidence, ' '))
    ) AND NOT EXISTS (
        SELECT FROM evidence AS e
        WHERE e.incident_id = NEW.id AND e.kind = 'after' AND e.round = NEW.reworks
          AND e.taken_as IN ('handler', 'grid_worker', '')
    ) THEN
        PERFORM gk_refuse('Evidence lacks: after, from who handles it.', 'ck_incident_evidence');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_incident_shown FROM PUBLIC;
CREATE TRIGGER yy_shown AFTER UPDATE OF status ON incident FOR EACH ROW
WHEN (NEW.status = 'checking' AND OLD.status IN ('dispatched', 'handling') AND gk_role() <> 'system')
EXECUTE FUNCTION gk_incident_shown();

-- A draft is sealed under a key of its own. Its writer may destroy that key, so nothing else may be sealed under it.
-- The lock lets two who name the same key come one after the other.
CREATE OR REPLACE FUNCTION gk_draft_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.subject_id, 35));
    IF EXISTS (SELECT FROM person WHERE subject_id = NEW.subject_id)
       OR EXISTS (SELECT FROM incident_personal WHERE subject_id = NEW.subject_id)
       OR EXISTS (SELECT FROM evidence WHERE subject_id = NEW.subject_id)
       OR EXISTS (SELECT FROM quarantine WHERE subject_id = NEW.subject_id)
       OR EXISTS (SELECT FROM review WHERE text_key = NEW.subject_id)
       OR EXISTS (SELECT FROM review_explanation WHERE text_key = NEW.subject_id)
       OR EXISTS (SELECT FROM draft WHERE subject_id = NEW.subject_id
                  AND (user_id, territory_id, kind) <> (NEW.user_id, NEW.territory_id, NEW.kind)) THEN
        RAISE EXCEPTION 'A draft has a key of its own.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- So has each piece of evidence: retention and erasure destroy its key.
CREATE FUNCTION gk_evidence_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_adds_evidence() THEN  -- the policy refuses everybody else
        PERFORM pg_advisory_xact_lock(hashtextextended(NEW.subject_id, 35));
        IF NOT gk_own_key(NEW.subject_id) THEN
            PERFORM gk_refuse('Evidence has a key of its own.', 'ck_evidence_own_key');
        END IF;
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_evidence_key FROM PUBLIC;
CREATE TRIGGER ac_key BEFORE INSERT ON evidence FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_evidence_key();

-- What was blurred stays blurred: every box of the copy before stands in the new one as it was.
CREATE OR REPLACE FUNCTION gk_evidence_blurred() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.version <> 1 + coalesce(
        (SELECT max(b.version) FROM evidence_blur AS b WHERE b.evidence_id = NEW.evidence_id AND b.id <> NEW.id), 0
    ) THEN
        PERFORM gk_refuse('Blurred copies follow each other.', 'ck_evidence_blur_next');
    END IF;
    IF jsonb_typeof(NEW.boxes) <> 'array' THEN
        PERFORM gk_refuse('Boxes are a list.', 'ck_evidence_blur_boxes');
    END IF;
    IF NEW.version > 1 AND (NEW.left_out <> '[]' OR EXISTS (
        SELECT FROM evidence_blur AS b, jsonb_array_elements(b.boxes) AS before
        WHERE b.evidence_id = NEW.evidence_id AND b.version = NEW.version - 1
          AND NOT EXISTS (SELECT FROM jsonb_array_elements(NEW.boxes) AS after WHERE after.value = before.value)
    )) THEN
        PERFORM gk_refuse('What was blurred stays blurred.', 'ck_evidence_blur_more');
    END IF;
    RETURN NULL;
END $$;

-- The words and classes of danger as they are shipped, and a phrase as they are compared.
CREATE FUNCTION gk_shipped_alarms(kind text) RETURNS text[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT string_to_array(CASE kind WHEN 'word' THEN
        'fire|on fire|in flames|flames|blaze|burning|burnt down|smoke from|thick smoke|explosion|'
        || 'exploded|explode|blew up|gas leak|leaking gas|smell of gas|smells of gas|gas smell|smelling gas|'
        || 'gas|collapse|collapsed|collapsing|caved in|sinkhole|trapped|chemical spill|carbon monoxide|'
        || 'live wire|power line down|着火|起火|失火|火灾|火情|冒烟|浓烟|大火|火苗|明火|爆炸|燃气泄漏|煤气泄漏|天然气泄漏|漏气|煤气味|燃气味|瓦斯味|闻到煤气|'
        || '闻到燃气|坍塌|塌陷|倒塌|塌方|塌了|被困|被埋|危化品|一氧化碳|漏电|injured|unconscious|bleeding|not breathing|can''t breathe|'
        || 'cannot breathe|heart attack|passed out|collapsed person|electrocuted|poisoned|overdose|drowning|'
        || 'drowned|hurt badly|badly hurt|people hurt|somebody hurt|someone hurt|受伤|昏迷|晕倒|流血|出血|没有呼吸|没呼吸|'
        || '无呼吸|停止呼吸|触电|中毒|溺水|落水|心脏病|伤者|有人倒地|摔伤|砸伤|knife|gun|gunshot|shooting|stabbed|stabbing|robbery|'
        || 'robbed|attacked|being attacked|fight|fighting|kidnapped|going to jump|about to jump|in danger|'
        || 'danger to life|life in danger|bomb|child missing|missing child|road accident|car crash|head-on|'
        || '持刀|砍人|打架|斗殴|抢劫|劫持|跳楼|轻生|跳桥|有人要跳|生命危险|人身危险|有危险|炸弹|走失儿童|孩子走失|车祸|交通事故|枪'
    WHEN 'class' THEN
        'event-04-01|event-04-02|event-04-03'
    END, '|')
$$;

CREATE FUNCTION gk_plain(said text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT btrim(regexp_replace(
        replace(lower(normalize(said, NFKC)), '’', ''''),
        '[\s\u0001\u001c-\u001f\u0085\u1680\u2028\u2029]+', ' ', 'g'
    ))
$$;

-- One person alone mutes no shipped word or class of danger: neither by switching it off, nor by sending it to another
-- service, nor by a look-alike that holds nothing else. Adding words is free, and so is what one added.
CREATE FUNCTION gk_emergency_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    told text := CASE NEW.kind WHEN 'class' THEN btrim(NEW.phrase) ELSE gk_plain(NEW.phrase) END;
    words text[] := gk_shipped_alarms('word');
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF told = ANY (gk_shipped_alarms(NEW.kind)) AND (
        TG_OP = 'INSERT' OR NOT NEW.active
        OR (NEW.kind, NEW.phrase, NEW.service, NEW.territory_id)
           IS DISTINCT FROM (OLD.kind, OLD.phrase, OLD.service, OLD.territory_id)
    ) THEN
        PERFORM gk_refuse('One person alone mutes no shipped word of danger.', 'ck_emergency_rule_shipped');
    END IF;
    IF NEW.kind = 'lookalike' AND NEW.active AND (
        EXISTS (
            SELECT FROM unnest(words) AS word
            WHERE position(told IN word) > 0 OR position(regexp_replace(told, 's$', '') IN word) > 0
        )
        OR btrim(regexp_replace(
            told, (SELECT string_agg(word, '|' ORDER BY length(word) DESC) FROM unnest(words) AS word), '', 'g'
        ), ' s,.-') = ''
    ) THEN
        PERFORM gk_refuse('One person alone mutes no shipped word of danger.', 'ck_emergency_rule_shipped');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_shipped BEFORE INSERT OR UPDATE ON emergency_rule FOR EACH ROW
EXECUTE FUNCTION gk_emergency_rule();
