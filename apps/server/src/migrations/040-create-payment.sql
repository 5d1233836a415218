-- One row per payment; `state` is what packages/core/src/payments decides on, the other columns are for finding and
-- for guarding. Amounts within `state` are decimal strings of millisatoshi.
create table payment (
  id uuid primary key,
  -- Under which the payer's node knows it: a node pays one id at most once.
  node_payment_id text not null unique check (node_payment_id ~ '^[0-9a-f]{64}$'),
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  phase text not null check (phase in ('resolving', 'sending', 'unknown', 'succeeded', 'failed')),
  state jsonb not null,
  requested_at timestamptz(3) not null,
  -- When the sweeper should look at this payment, because whoever should have done so by then did not.
  look_at timestamptz(3),
  check (state ->> 'phase' = phase and state ->> 'id' = id::text and state ->> 'owner' = owner),
  check (state ->> 'nodePaymentId' = node_payment_id),
  check ((look_at is null) = (phase in ('succeeded', 'failed'))),
  -- The proof of payment belongs to the payer's device.
  check (not jsonb_path_exists(state, '$.**.preimage'))
);

create index payment_owner on payment (owner, requested_at desc, id desc);
create index payment_look_at on payment (look_at) where look_at is not null;

-- A second guard behind the machine in core: what was asked for stays as it was, and money that has arrived has
-- arrived. A failed payment of which the node later says that the payee has the money is the one correction.
create function check_payment_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.node_payment_id, new.owner, new.requested_at, new.state -> 'nodeId', new.state -> 'to',
      new.state -> 'deadlineAt', new.state -> 'requestedMsat', new.state -> 'feeLimitMsat')
    is distinct from (old.id, old.node_payment_id, old.owner, old.requested_at, old.state -> 'nodeId', old.state -> 'to',
      old.state -> 'deadlineAt', old.state -> 'requestedMsat', old.state -> 'feeLimitMsat') then
    raise exception 'the terms of payment % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('resolving', 'sending'), ('resolving', 'failed'),
    ('sending', 'unknown'), ('sending', 'succeeded'), ('sending', 'failed'),
    ('unknown', 'sending'), ('unknown', 'succeeded'), ('unknown', 'failed'),
    ('failed', 'succeeded')
  ) then
    raise exception 'payment % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  if old.phase in ('sending', 'unknown') and new.phase in ('sending', 'unknown')
    and (new.state -> 'payable', new.state -> 'amountMsat', new.state -> 'maxFeeMsat')
      is distinct from (old.state -> 'payable', old.state -> 'amountMsat', old.state -> 'maxFeeMsat') then
    raise exception 'payment % may not be sent elsewhere', old.id using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger payment_change before update on payment
  for each row execute function check_payment_change();
