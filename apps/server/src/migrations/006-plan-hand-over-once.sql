-- Also the statements of graphile-worker's add_jobs, which it calls, would be planned anew each time: their array of
-- jobs is taken for a reason to. That is a quarter of what handing over a job costs.
alter function hand_over_jobs(int) set plan_cache_mode = force_generic_plan;
