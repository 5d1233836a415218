-- One row per invoice that a payer asked for at a Lightning Address. The owner's node made it; the server only passed
-- it on and remembers what the payer said. No preimage: that stays between the node and the payer.
create table address_invoice (
  id uuid primary key,
  payment_hash text not null unique check (payment_hash ~ '^[0-9a-f]{64}$'),
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  user_part text not null check (user_part <> ''),
  domain text not null check (domain <> ''),
  invoice text not null check (invoice <> ''),
  amount_msat bigint not null check (amount_msat > 0),
  comment text,
  -- What LUD-18 asks for, as the payer sent it; nobody has verified it.
  payer_data jsonb,
  -- The raw event of kind 9734 (NIP-57) to which the invoice commits.
  zap_request text,
  -- 'unknown': the node never told what became of it.
  phase text not null check (phase in ('open', 'paid', 'expired', 'unknown')),
  requested_at timestamptz(3) not null,
  expires_at timestamptz(3) not null check (expires_at > requested_at),
  paid_at timestamptz(3),
  received_msat bigint check (received_msat > 0),
  -- When the owner's node is to be asked again.
  look_at timestamptz(3),
  check ((phase = 'paid') = (paid_at is not null) and (phase = 'paid') = (received_msat is not null)),
  check ((phase = 'open') = (look_at is not null))
);

create index address_invoice_owner on address_invoice (owner, requested_at desc, id desc);
create index address_invoice_open on address_invoice (domain, user_part, expires_at) where phase = 'open';
create index address_invoice_look_at on address_invoice (look_at) where look_at is not null;
create index address_invoice_unpaid on address_invoice (expires_at) where phase in ('expired', 'unknown');

-- A second guard: what was asked for stays as it was, except that what the payer told of themselves may be forgotten;
-- and what was paid stays paid. A node that is back after a long time may still say that an invoice was paid.
create function check_address_invoice_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.payment_hash, new.owner, new.user_part, new.domain, new.invoice, new.amount_msat, new.requested_at,
      new.expires_at)
    is distinct from (old.id, old.payment_hash, old.owner, old.user_part, old.domain, old.invoice, old.amount_msat,
      old.requested_at, old.expires_at) then
    raise exception 'the terms of address invoice % may not change', old.id using errcode = 'check_violation';
  end if;
  if old.phase = 'paid' and (new.phase, new.paid_at, new.received_msat)
    is distinct from (old.phase, old.paid_at, old.received_msat) then
    raise exception 'address invoice % was paid', old.id using errcode = 'check_violation';
  end if;
  if old.phase in ('expired', 'unknown') and new.phase not in (old.phase, 'paid') then
    raise exception 'address invoice % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger address_invoice_change before update on address_invoice
  for each row execute function check_address_invoice_change();
