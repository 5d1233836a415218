-- A name outlives its registration: its offer is changed, it is transferred, suspended and resumed. The state gets
-- version 2, in which `job` is the latest of these, `retiring` the offers to disable and `cleaning` what is left to
-- settle in the zone.
drop trigger name_registration_change on name_registration;
drop function check_name_registration_change();
drop index name_registration_claim;
alter table name_registration drop constraint name_registration_phase_check;

alter table name_registration
  -- The latest job; null when nobody asked for it.
  add column job_id uuid unique,
  -- Until then only its last owner may claim the name again.
  add column quarantine_until timestamptz(3);

update name_registration set job_id = id, phase = case phase when 'disabling' then 'freed' else phase end, state = (
  with old as (
    select
      state ->> 'phase' as phase,
      (state ->> 'attempt')::int as attempt,
      state -> 'offer' ->> 'offer' as offer,
      jsonb_strip_nulls(jsonb_build_object(
        'no', 0, 'owner', state -> 'owner', 'source', state -> 'offerSource', 'offer', state -> 'offer' -> 'offer',
        'expiresAt', state -> 'offer' -> 'expiresAt'
      )) as name_offer,
      jsonb_build_object(
        'serial', coalesce((state ->> 'attempt')::int, 0), 'tries', coalesce((state ->> 'attempt')::int, 0), 'dueAt', 0,
        'lastFailure', state -> 'lastFailure'
      ) as wait,
      jsonb_path_query_first(state, '$.stepsDone[*] ? (@.step == "chain-validated").at') as active_at
  )
  select jsonb_build_object(
    'v', 2, 'id', state -> 'id', 'user', state -> 'user', 'domain', state -> 'domain', 'skeleton', state -> 'skeleton',
    'owner', state -> 'owner', 'requestedAt', state -> 'requestedAt', 'quarantineMs', 0, 'firstActiveAt', active_at,
    'serial', coalesce(attempt, 0),
    'job', jsonb_build_object(
      'id', state -> 'id', 'kind', 'register', 'deadlineAt', state -> 'deadlineAt', 'stepsDone', state -> 'stepsDone',
      'outcome', case
        when active_at is not null then 'succeeded' when phase in ('disabling', 'freed') then 'failed' else 'running'
      end,
      'cause', case when active_at is null then state -> 'cause' end
    ),
    'transfer', null,
    'cleaning', case
      when phase = 'withdrawing' then jsonb_build_object('offers', jsonb_build_array(offer), 'wait', wait)
    end,
    'retiring', case
      when phase = 'disabling'
      then jsonb_build_array(jsonb_build_object('no', 0, 'owner', state -> 'owner', 'offer', offer, 'wait', wait))
      else '[]'::jsonb
    end
  ) || case phase
    when 'requested' then jsonb_build_object(
      'phase', phase, 'live', null, 'wait', wait,
      'next', jsonb_build_object('no', 0, 'owner', state -> 'owner', 'source', 'node')
    )
    when 'active' then jsonb_build_object(
      'phase', phase, 'live', name_offer, 'wakeAt', (name_offer ->> 'expiresAt')::bigint - 3660000
    )
    when 'withdrawing' then jsonb_build_object(
      'phase', phase, 'becomes', 'freed', 'cause', state -> 'cause', 'keep', null, 'drop', jsonb_build_array(name_offer)
    )
    when 'disabling' then jsonb_build_object(
      'phase', 'freed', 'cause', state -> 'cause', 'freedAt', state -> 'requestedAt', 'quarantineUntil', null
    )
    when 'freed' then jsonb_build_object(
      'phase', phase, 'cause', state -> 'cause', 'freedAt', state -> 'freedAt', 'quarantineUntil', null
    )
    else jsonb_build_object('phase', phase, 'live', null, 'next', name_offer, 'wait', wait)
  end
  from old
),
-- Whatever waits is looked at by the sweeper at once.
look_at = case when phase in ('active', 'freed') then look_at else now() end;

alter table name_registration add constraint name_registration_phase_check check (
  phase in (
    'requested', 'offer-ready', 'published', 'seen', 'active', 'restoring', 'withdrawing', 'suspended', 'freed'
  )
);

create unique index name_registration_claim on name_registration (domain, skeleton) where phase <> 'freed';
create index name_registration_quarantine on name_registration (domain, skeleton, requested_at desc)
  where quarantine_until is not null;

-- A second guard behind the machine in core: phases follow each other as they may, only a change that has come to
-- its end brings another owner, and the other terms stay as they were.
create function check_name_registration_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.user_part, new.domain, new.skeleton, new.requested_at)
    is distinct from (old.id, old.user_part, old.domain, old.skeleton, old.requested_at)
    or (new.owner <> old.owner and not (old.phase = 'seen' and new.phase = 'active')) then
    raise exception 'the terms of name registration % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('requested', 'offer-ready'), ('offer-ready', 'published'), ('published', 'seen'), ('seen', 'active'),
    ('active', 'requested'), ('active', 'offer-ready'), ('suspended', 'offer-ready'),
    ('requested', 'active'), ('offer-ready', 'active'), ('published', 'active'),
    ('offer-ready', 'restoring'), ('published', 'restoring'), ('seen', 'restoring'), ('restoring', 'active'),
    ('requested', 'withdrawing'), ('offer-ready', 'withdrawing'), ('published', 'withdrawing'),
    ('seen', 'withdrawing'), ('active', 'withdrawing'), ('restoring', 'withdrawing'),
    ('withdrawing', 'suspended'), ('withdrawing', 'freed'), ('suspended', 'freed'),
    ('requested', 'freed'), ('offer-ready', 'freed'), ('published', 'freed'), ('seen', 'freed')
  ) then
    raise exception 'name registration % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger name_registration_change before update on name_registration
  for each row execute function check_name_registration_change();

-- How jobs ended that others have followed; the latest stands in the state.
create table name_job (
  id uuid primary key,
  registration_id uuid not null references name_registration,
  job jsonb not null check (job ->> 'id' = id::text and job ->> 'outcome' <> 'running')
);
