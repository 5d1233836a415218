-- A job that the process which commits it begins itself stays here until it has ended. Nobody else takes it while it is
-- held, and its process goes on holding it while it runs: when the process dies, it is handed over as any other.
alter table job_outbox add column ticket uuid, add column held_until timestamptz;
create index job_outbox_ticket on job_outbox (ticket) where ticket is not null;

-- As before, of the jobs that nobody holds.
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
  if not exists (select from job_outbox where held_until is null or held_until < now()) then
    return;
  end if;
  select count(*) into due from (
    select from graphile_worker._private_jobs where is_available and run_at <= now() and flags ? 'patient' limit room
  ) as waiting;
  with free as not materialized (
    select * from job_outbox where held_until is null or held_until < now()
  ), turn as (
    (select id, key from free where not patient order by id limit most)
    union all
    (select id, key from free where patient order by priority, id limit room - due)
  ), taken as (
    delete from job_outbox
    where id in (select id from turn union select mate.id from free as mate join turn using (key))
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
