-- A merchant's claim to a domain of their own; `state` is what packages/core/src/domains decides on, the other columns
-- are for finding and for guarding.
create table domain_claim (
  id uuid primary key,
  domain text not null check (domain = lower(domain) and domain like '%_._%'),
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  label text not null unique check (label ~ '^[a-z0-9]{8,20}$'),
  phase text not null check (phase in ('pending', 'active', 'lapsed', 'ended')),
  state jsonb not null,
  requested_at timestamptz(3) not null,
  -- When the sweeper should look at this claim, because whoever should have done so by then did not.
  look_at timestamptz(3),
  check (state ->> 'phase' = phase and state ->> 'id' = id::text and state ->> 'owner' = owner),
  check (state ->> 'domain' = domain and state ->> 'label' = label)
);

-- Many may claim a domain, a key only once; one alone may have proven that it is theirs.
create unique index domain_claim_proven on domain_claim (domain) where phase in ('active', 'lapsed');
create unique index domain_claim_owner on domain_claim (owner, domain) where phase <> 'ended';
create index domain_claim_look_at on domain_claim (look_at) where look_at is not null;

-- A second guard behind the machine in core: phases follow each other as they may, and the terms stay as they were.
create function check_domain_claim_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.domain, new.owner, new.label, new.requested_at)
    is distinct from (old.id, old.domain, old.owner, old.label, old.requested_at) then
    raise exception 'the terms of domain claim % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('pending', 'active'), ('active', 'lapsed'), ('lapsed', 'active'),
    ('pending', 'ended'), ('active', 'ended'), ('lapsed', 'ended')
  ) then
    raise exception 'domain claim % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger domain_claim_change before update on domain_claim
  for each row execute function check_domain_claim_change();
