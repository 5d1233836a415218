-- Every worker that looks for its jobs passes those of all others, and the longer they wait the longer it looks. So
-- jobs for which nobody waits are handed over a few at a time, and the rest wait here, where they cost nothing.
alter table job_outbox add column patient boolean not null default false;
create index job_outbox_prompt on job_outbox (id) where not patient;
create index job_outbox_patient on job_outbox (priority, id) where patient;
create index job_outbox_key on job_outbox (key) where key is not null;

drop function hand_over_jobs(int);

-- Hands over the oldest jobs, at most `most` of those that do not wait, and of the patient ones, the best priority
-- first, as many as leave no more than `room` due ones with graphile-worker. Answers how many of the first, and whether
-- patient ones are left. One caller at a time, in the order of ids: of two jobs with one key the later replaces the
-- earlier, also when the earlier had to wait and the later had not, and their transactions have committed in the order
-- of their ids, because both have locked the entity that the key is of.
create function hand_over_jobs(most int, room int, out prompt_ones int, out are_left boolean)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  due int;
  handed int;
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
  ), added as (
    select graphile_worker.add_jobs(array_agg(
      (task, payload, null, run_at, max_attempts, key, priority, case when patient then array['patient'] end)
        ::graphile_worker.job_spec order by id
    )) from latest
  )
  select (select count(*) from taken where not patient), (select count(*) from added)
  into prompt_ones, handed;
  are_left := exists (select from job_outbox where patient);
end
$$;
