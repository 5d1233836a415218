-- Jobs that were committed but not yet handed to graphile-worker. Its own add_job sends a NOTIFY, and PostgreSQL lets
-- only one transaction that has NOTIFYed wait for the disk at a time; so a transaction leaves its jobs here, and what
-- hands them over does not wait for the disk.
-- The checks are graphile-worker's: what it would refuse must not come this far.
create table job_outbox (
  id bigint generated always as identity primary key,
  task text not null check (length(task) between 1 and 128),
  payload json not null,
  run_at timestamptz,
  key text check (length(key) between 1 and 512),
  max_attempts smallint check (max_attempts > 0),
  priority smallint not null
);

-- Hands over the oldest jobs, at most so many, and returns how many. One caller at a time, in the order of ids: of two
-- jobs with one key the later replaces the earlier, and their transactions have committed in the order of their ids,
-- because both have locked the entity that the key is of.
create function hand_over_jobs(most int) returns int
language plpgsql
as $$
declare
  handed int;
begin
  -- 0x6a6f is "jo". The next statement sees what whoever held the lock before has committed.
  perform pg_advisory_xact_lock(27247, 0);
  if not exists (select from job_outbox) then
    return 0;
  end if;
  with taken as (
    delete from job_outbox where id in (select id from job_outbox order by id limit most) returning *
  ), latest as (
    select distinct on (coalesce('key ' || key, 'id ' || id)) * from taken
    order by coalesce('key ' || key, 'id ' || id), id desc
  ), added as (
    select graphile_worker.add_jobs(array_agg(
      (task, payload, null, run_at, max_attempts, key, priority, null)::graphile_worker.job_spec order by id
    )) from latest
  )
  select (select count(*) from taken), (select count(*) from added) into handed;
  return handed;
end
$$;
