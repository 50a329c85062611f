-- What one shift a week's day can say of the patterns in force goes back to the worker.
UPDATE worker SET
    shift_start = make_time((p.steps -> 0 ->> 'start_min')::integer / 60, (p.steps -> 0 ->> 'start_min')::integer % 60, 0),
    shift_end = make_time((p.steps -> 0 ->> 'end_min')::integer % 1440 / 60, (p.steps -> 0 ->> 'end_min')::integer % 60, 0),
    shift_weekdays = ARRAY(SELECT ((step ->> 'day')::integer + a.anchor_on - DATE '2020-01-06') % 7 + 1
                           FROM jsonb_array_elements(p.steps) AS step ORDER BY 1)
FROM worker_pattern AS a JOIN shift_pattern AS p ON p.id = a.pattern_id
WHERE a.worker_id = worker.id AND p.cycle_days = 7 AND p.steps <> '[]'
  AND current_date BETWEEN a.valid_from AND coalesce(a.valid_to, 'infinity');
DROP POLICY record_roster ON record;
