-- Fills a Signalen database with reports: as many copies of its newest one as asked for, each with the rows that the API
-- wrote for it, spread evenly over the benchmark's province and over three years. Call it so:
--   psql -v number=10000 -d DATABASE -f tests/bench/others_signalen.sql
\set ON_ERROR_STOP on
BEGIN;

CREATE TEMP TABLE template AS SELECT max(id) AS id FROM signals_signal;

CREATE TEMP TABLE made AS
SELECT nextval(pg_get_serial_sequence('signals_signal', 'id'))::int AS id, now() - random() * interval '1095 days' AS moment,
       format('SRID=4326;POINT(%s %s)', 118 + 4 * random(), 27 + 4 * random()) AS place
FROM generate_series(1, :number);

INSERT INTO signals_signal
SELECT copy.* FROM made, template JOIN signals_signal AS old USING (id), jsonb_populate_record(old, jsonb_build_object(
    'id', made.id, 'uuid', gen_random_uuid(), 'created_at', made.moment, 'updated_at', made.moment, 'location_id', NULL,
    'status_id', NULL, 'category_assignment_id', NULL, 'reporter_id', NULL, 'priority_id', NULL, 'type_assignment_id', NULL,
    'user_assignment_id', NULL, 'routing_assignment_id', NULL, 'directing_departments_assignment_id', NULL)) AS copy;

DO $$
DECLARE child text; own_column text;
BEGIN
    FOR child, own_column IN VALUES
        ('signals_location', 'location_id'), ('signals_status', 'status_id'), ('signals_categoryassignment', 'category_assignment_id'),
        ('signals_reporter', 'reporter_id'), ('signals_priority', 'priority_id'), ('signals_type', 'type_assignment_id'),
        ('history_log', NULL)
    LOOP
        EXECUTE format($copy$
            INSERT INTO %1$I SELECT copy.* FROM made, template, %1$I AS old, jsonb_populate_record(old, jsonb_build_object(
                'id', nextval(pg_get_serial_sequence('%1$I', 'id')), '_signal_id', made.id)
                || CASE WHEN '%1$I' = 'signals_location' THEN jsonb_build_object('geometrie', made.place) ELSE '{}' END) AS copy
            WHERE old._signal_id = template.id
        $copy$, child);
        IF own_column IS NOT NULL THEN
            EXECUTE format('UPDATE signals_signal SET %2$I = own.id FROM %1$I AS own, made WHERE own._signal_id = made.id AND signals_signal.id = made.id',
                           child, own_column);
        END IF;
    END LOOP;
END $$;

-- Only categories that are open to the public are on its map, which is drawn from this view.
UPDATE signals_category SET is_public_accessible = true;
COMMIT;
REFRESH MATERIALIZED VIEW public_signals_geography_feature_collection;
VACUUM ANALYZE;
