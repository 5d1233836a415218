-- One row per registration of a name; `state` is what packages/core/src/names decides on, the other columns are for
-- finding and for guarding.
create table name_registration (
  id uuid primary key,
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  user_part text not null check (user_part ~ '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$'),
  domain text not null check (domain = lower(domain) and domain <> ''),
  skeleton text not null check (skeleton <> ''),
  phase text not null check (
    phase in ('requested', 'offer-ready', 'published', 'seen', 'active', 'withdrawing', 'disabling', 'freed')
  ),
  state jsonb not null,
  requested_at timestamptz(3) not null,
  -- When the sweeper should look at this name, because whoever should have done so by then did not.
  look_at timestamptz(3),
  check (state ->> 'phase' = phase and state ->> 'id' = id::text and state ->> 'owner' = owner),
  check (state ->> 'user' = user_part and state ->> 'domain' = domain)
);

-- A name has one claimant, and no two live names of a domain look alike (equal names look alike, too).
create unique index name_registration_claim on name_registration (domain, skeleton)
  where phase not in ('disabling', 'freed');
create index name_registration_owner on name_registration (owner, requested_at desc, id desc);
create index name_registration_look_at on name_registration (look_at) where look_at is not null;

-- A second guard behind the machine in core: phases only go forward, and the terms stay as they were.
create function check_name_registration_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.owner, new.user_part, new.domain, new.requested_at)
    is distinct from (old.id, old.owner, old.user_part, old.domain, old.requested_at) then
    raise exception 'the terms of name registration % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('requested', 'offer-ready'), ('offer-ready', 'published'), ('published', 'seen'), ('seen', 'active'),
    ('offer-ready', 'withdrawing'), ('published', 'withdrawing'), ('seen', 'withdrawing'), ('active', 'withdrawing'),
    ('requested', 'disabling'), ('offer-ready', 'disabling'), ('withdrawing', 'disabling'),
    ('requested', 'freed'), ('offer-ready', 'freed'), ('withdrawing', 'freed'), ('disabling', 'freed')
  ) then
    raise exception 'name registration % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger name_registration_change before update on name_registration
  for each row execute function check_name_registration_change();
