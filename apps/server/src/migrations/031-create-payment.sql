-- One row per payment; `state` is what packages/core/src/payments decides on. A preimage belongs to the payer and never
-- stands here.
create table payment (
  id uuid primary key,
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  node_payment_id text not null unique check (node_payment_id ~ '^[0-9a-f]{64}$'),
  phase text not null check (phase in ('resolving', 'sending', 'unknown', 'succeeded', 'failed')),
  state jsonb not null check (not state ? 'preimage'),
  requested_at timestamptz(3) not null,
  -- When the sweeper should look at this payment, because whoever should have done so by then did not.
  look_at timestamptz(3),
  check (state ->> 'phase' = phase and state ->> 'id' = id::text and state ->> 'owner' = owner),
  check (state ->> 'nodePaymentId' = node_payment_id)
);

create index payment_owner on payment (owner, requested_at desc, id desc);
create index payment_look_at on payment (look_at) where look_at is not null;

-- A second guard behind the machine in core. What succeeded stays; what failed can only turn out to have succeeded.
create function check_payment_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.owner, new.node_payment_id, new.requested_at)
    is distinct from (old.id, old.owner, old.node_payment_id, old.requested_at) then
    raise exception 'the terms of payment % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('resolving', 'sending'), ('resolving', 'failed'),
    ('sending', 'unknown'), ('sending', 'succeeded'), ('sending', 'failed'),
    ('unknown', 'sending'), ('unknown', 'succeeded'), ('unknown', 'failed'),
    ('failed', 'succeeded')
  ) then
    raise exception 'payment % may not go from % to %', old.id, old.phase, new.phase using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger payment_change before update on payment
  for each row execute function check_payment_change();
