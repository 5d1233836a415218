-- The outbox is nearly empty but has seen many rows: until it is vacuumed, reading it from its beginning passes all of
-- them. By its index they are passed once. The same holds for graphile-worker's table of jobs.
alter function hand_over_jobs(int) set enable_seqscan = off;
