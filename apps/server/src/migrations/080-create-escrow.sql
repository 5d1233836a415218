-- One row per escrow, with its milestones; `state` is what packages/core/src/escrow decides on, the other columns are
-- for finding and for guarding. Amounts within `state` are decimal strings of millisatoshi.
create table escrow (
  id uuid primary key,
  kind text not null check (kind in ('task', 'order')),
  custody text not null check (custody in ('hash-locked', 'coordinated')),
  buyer text not null check (buyer ~ '^[0-9a-f]{64}$'),
  worker text check (worker ~ '^[0-9a-f]{64}$'),
  arbiter text check (arbiter ~ '^[0-9a-f]{64}$'),
  phase text not null
    check (phase in ('draft', 'open', 'assigned', 'active', 'completed', 'cancelled', 'expired')),
  state jsonb not null,
  created_at timestamptz(3) not null,
  -- When the sweeper should look at this escrow, because whoever should have done so by then did not.
  look_at timestamptz(3),
  -- The first height at which the guardian must look at it.
  guardian_height integer,
  check (state ->> 'id' = id::text and state ->> 'phase' = phase and state ->> 'buyer' = buyer),
  check (state ->> 'worker' is not distinct from worker and state ->> 'arbiter' is not distinct from arbiter),
  check (state ->> 'custody' = custody and state ->> 'kind' = kind),
  check (worker is null or worker not in (buyer, coalesce(arbiter, ''))),
  check (arbiter is null or arbiter <> buyer),
  -- A preimage moves money; the node alone keeps it.
  check (not jsonb_path_exists(state, '$.**.preimage'))
);

create index escrow_buyer on escrow (buyer, created_at desc, id desc);
create index escrow_worker on escrow (worker, created_at desc, id desc) where worker is not null;
create index escrow_arbiter on escrow (arbiter, created_at desc, id desc) where arbiter is not null;
create index escrow_open on escrow (created_at desc, id desc) where phase = 'open';
create index escrow_look_at on escrow (look_at) where look_at is not null;
create index escrow_guardian_height on escrow (guardian_height) where guardian_height is not null;

-- Every payment hash that was ever part of an escrow, for ever: a hash is used once, also by two who ask at once.
create table escrow_hash (
  payment_hash text primary key check (payment_hash ~ '^[0-9a-f]{64}$'),
  escrow_id uuid not null references escrow (id),
  milestone integer not null check (milestone >= 0),
  taken_at timestamptz(3) not null
);

create function refuse_escrow_hash_change() returns trigger
language plpgsql
as $$
begin
  raise exception 'a payment hash of an escrow is never free again' using errcode = 'check_violation';
end
$$;

create trigger escrow_hash_stays before update or delete on escrow_hash
  for each row execute function refuse_escrow_hash_change();

-- How far the events of a node have been read.
create table escrow_node (
  node_id text primary key check (node_id ~ '^0[23][0-9a-f]{64}$'),
  event_cursor bigint not null check (event_cursor >= 0)
);

-- A second guard behind the machine in core: the parties' agreement stays as it was, and money goes the ways that the
-- machine knows. The pairs are the arrows of docs/state-machines/escrow.md.
create function check_escrow_change() returns trigger
language plpgsql
as $$
declare
  before jsonb;
  after jsonb;
  i integer;
begin
  if (new.id, new.kind, new.custody, new.buyer, new.created_at, new.state -> 'nodeId', new.state -> 'policy')
    is distinct from (old.id, old.kind, old.custody, old.buyer, old.created_at, old.state -> 'nodeId', old.state -> 'policy') then
    raise exception 'the terms of escrow % may not change', old.id using errcode = 'check_violation';
  end if;
  if old.phase in ('draft', 'open') then
    return new;
  end if;
  if jsonb_array_length(new.state -> 'milestones') <> jsonb_array_length(old.state -> 'milestones') then
    raise exception 'the milestones of escrow % may not change', old.id using errcode = 'check_violation';
  end if;
  for i in 0 .. jsonb_array_length(old.state -> 'milestones') - 1 loop
    before := old.state -> 'milestones' -> i;
    after := new.state -> 'milestones' -> i;
    if (after -> 'terms', after -> 'index', after -> 'custody', after -> 'nodeId')
      is distinct from (before -> 'terms', before -> 'index', before -> 'custody', before -> 'nodeId') then
      raise exception 'the terms of milestone % of escrow % may not change', i, old.id using errcode = 'check_violation';
    end if;
    if before ->> 'phase' in ('held', 'proof-submitted', 'disputed', 'releasing', 'payout-unknown', 'claiming', 'refunding')
      and (after -> 'paymentHash', coalesce(after -> 'heldMsat', after -> 'owedMsat'))
        is distinct from (before -> 'paymentHash', before -> 'heldMsat') then
      raise exception 'the hold of milestone % of escrow % may not change', i, old.id using errcode = 'check_violation';
    end if;
    if before ->> 'phase' <> after ->> 'phase' and not (before ->> 'phase', after ->> 'phase') in (
      ('planned', 'awaiting-invoice'), ('planned', 'awaiting-funds'), ('planned', 'expired'), ('planned', 'cancelled'),
      ('awaiting-invoice', 'ready-to-fund'), ('awaiting-invoice', 'expired'), ('awaiting-invoice', 'cancelled'),
      ('ready-to-fund', 'awaiting-invoice'), ('ready-to-fund', 'awaiting-funds'), ('ready-to-fund', 'expired'),
      ('ready-to-fund', 'cancelled'),
      ('awaiting-funds', 'held'), ('awaiting-funds', 'refunding'), ('awaiting-funds', 'closing'),
      ('awaiting-funds', 'awaiting-invoice'), ('awaiting-funds', 'planned'), ('awaiting-funds', 'premature'),
      ('closing', 'awaiting-invoice'), ('closing', 'planned'), ('closing', 'expired'), ('closing', 'cancelled'),
      ('closing', 'premature'),
      ('held', 'proof-submitted'), ('held', 'disputed'), ('held', 'releasing'), ('held', 'refunding'),
      ('held', 'refunded'), ('held', 'premature'),
      ('proof-submitted', 'held'), ('proof-submitted', 'disputed'), ('proof-submitted', 'releasing'),
      ('proof-submitted', 'refunding'), ('proof-submitted', 'refunded'), ('proof-submitted', 'premature'),
      ('disputed', 'releasing'), ('disputed', 'refunding'), ('disputed', 'refunded'), ('disputed', 'premature'),
      ('releasing', 'payout-unknown'), ('releasing', 'claiming'), ('releasing', 'released'), ('releasing', 'lost'),
      ('releasing', 'refunding'), ('releasing', 'refunded'), ('releasing', 'premature'),
      ('payout-unknown', 'releasing'), ('payout-unknown', 'claiming'), ('payout-unknown', 'released'),
      ('payout-unknown', 'lost'), ('payout-unknown', 'refunding'), ('payout-unknown', 'refunded'),
      ('payout-unknown', 'premature'),
      ('claiming', 'released'), ('claiming', 'lost'),
      ('refunding', 'refunded'), ('refunding', 'premature'), ('refunding', 'claiming'),
      ('refunded', 'lost'),
      ('premature', 'repaying'), ('premature', 'repaid'), ('premature', 'released'),
      ('repaying', 'premature'), ('repaying', 'repaid')
    ) then
      raise exception 'milestone % of escrow % may not go from % to %', i, old.id, before ->> 'phase', after ->> 'phase'
        using errcode = 'check_violation';
    end if;
  end loop;
  return new;
end
$$;

create trigger escrow_change before update on escrow
  for each row execute function check_escrow_change();
