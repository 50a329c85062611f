-- What was forgotten is told to those who keep the platform running and to those who oversee it.
ALTER TABLE retention_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY retention_run_see ON retention_run FOR SELECT USING (
    (SELECT gk_role()) IN ('system', 'administrator', 'supervisor', 'auditor')
);
CREATE POLICY retention_run_add ON retention_run FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY retention_run_forget ON retention_run FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE size_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY size_day_see ON size_day FOR SELECT USING ((SELECT gk_role()) IN ('system', 'administrator'));
CREATE POLICY size_day_write ON size_day USING ((SELECT gk_role()) = 'system');

-- Answers to commands and drafts that nobody took up again are forgotten by the platform itself, and never
-- while they are fresh, whatever the settings say. It sees no fresh draft either.
CREATE POLICY command_forget ON command FOR DELETE USING (
    (SELECT gk_role()) = 'system' AND created_at < now() - interval '7 days'
);
CREATE POLICY draft_forget_see ON draft FOR SELECT USING (
    (SELECT gk_role()) = 'system' AND updated_at < now() - interval '7 days'
);
CREATE POLICY draft_forget ON draft FOR DELETE USING (
    (SELECT gk_role()) = 'system' AND updated_at < now() - interval '7 days'
);
