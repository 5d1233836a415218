-- graphile-worker's add_jobs first takes the key from jobs that run and then adds those of that key. One that a worker
-- takes in between has neither lost its key nor may it be replaced, and the new job is not added, without a word.
-- So what was not added is added again. Otherwise as before.

-- The schema of graphile-worker comes after these migrations.
set local check_function_bodies = off;
create or replace function hand_over_jobs(most int, room int, out prompt_ones int, out are_left boolean)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  due int;
  specs graphile_worker.job_spec[];
  added text[];
begin
  -- 0x6a6f is "jo". The next statement sees what whoever held the lock before has committed.
  perform pg_advisory_xact_lock(27247, 0);
  prompt_ones := 0;
  are_left := false;
  if not exists (select from job_outbox) then
    return;
  end if;
  select count(*) into due from (
    select from graphile_worker._private_jobs where is_available and run_at <= now() and flags ? 'patient' limit room
  ) as waiting;
  with turn as (
    (select id, key from job_outbox where not patient order by id limit most)
    union all
    (select id, key from job_outbox where patient order by priority, id limit room - due)
  ), taken as (
    delete from job_outbox
    where id in (select id from turn union select mate.id from job_outbox as mate join turn using (key))
    returning *
  ), latest as (
    select distinct on (coalesce('key ' || key, 'id ' || id)) * from taken
    order by coalesce('key ' || key, 'id ' || id), id desc
  )
  select
    (select count(*) from taken where not patient),
    (select array_agg(
      (task, payload, null, run_at, max_attempts, key, priority, case when patient then array['patient'] end)
        ::graphile_worker.job_spec order by id
    ) from latest)
  into prompt_ones, specs;
  -- The next time add_jobs sees that the job runs, so this comes to an end.
  while cardinality(specs) > 0 loop
    select array_agg(job.key) into added from graphile_worker.add_jobs(specs) as job where job.key is not null;
    specs := array(
      select spec from unnest(specs) as spec
      where spec.job_key is not null and spec.job_key <> all (coalesce(added, '{}'))
    );
  end loop;
  are_left := exists (select from job_outbox where patient);
end
$$;
