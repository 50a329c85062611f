-- Files of a study: who may see the study takes them; they are written by the work that makes them.
ALTER TABLE study_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY study_file_see ON study_file FOR SELECT USING (EXISTS (SELECT FROM study WHERE study.id = study_id));
CREATE POLICY study_file_write ON study_file FOR ALL USING ((SELECT gk_role()) = 'system');
