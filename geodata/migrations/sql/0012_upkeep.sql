-- That there is a backup, and that somebody was erased, is told to those who keep the platform running
-- and to those who oversee it. Only the platform itself writes it down, and nothing is changed later.
ALTER TABLE backup ENABLE ROW LEVEL SECURITY;
CREATE POLICY backup_see ON backup FOR SELECT USING (
    (SELECT gk_role()) IN ('system', 'administrator', 'supervisor', 'auditor')
);
CREATE POLICY backup_add ON backup FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
CREATE POLICY erasure_see ON erasure FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR (territory_id IS NULL OR territory_id = (SELECT gk_territory()))
    AND (SELECT gk_role()) IN ('administrator', 'supervisor', 'auditor')
);
CREATE POLICY erasure_add ON erasure FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
