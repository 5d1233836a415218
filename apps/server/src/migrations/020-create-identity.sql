-- NIP-98 events that were used. The primary key is what makes an event usable once, across all instances.
create table nip98_event (
  id bytea primary key check (octet_length(id) = 32),
  -- From then on the event is refused for its age, so that the row is not needed any more.
  expires_at timestamptz not null
);
create index nip98_event_expires_at on nip98_event (expires_at);

-- Only the SHA-256 of a token is kept: who reads this table cannot act as anybody.
create table session (
  token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at)
);
create index session_owner on session (owner);
create index session_expires_at on session (expires_at);

-- The answer given to a mutation, written in the transaction of that mutation.
create table idempotency_key (
  owner text not null check (owner ~ '^[0-9a-f]{64}$'),
  key text not null check (key ~ '^[A-Za-z0-9_-]{1,64}$'),
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  created_at timestamptz not null,
  status smallint check (status between 200 and 399),
  headers jsonb,
  body text,
  refusal_code text,
  refusal_data jsonb,
  primary key (owner, key),
  check (
    (status is not null and headers is not null and body is not null
      and refusal_code is null and refusal_data is null)
    or (status is null and headers is null and body is null
      and refusal_code is not null and refusal_data is not null)
  )
);
create index idempotency_key_created_at on idempotency_key (created_at);

-- Two requests with one key run one after the other. The second waits for the first, but not for long; the time-out
-- (55P03) holds for this function alone, not for the rest of the transaction.
create function lock_idempotency_key(owner text, key text) returns void
language sql
set lock_timeout = '3s'
as $$
  select pg_advisory_xact_lock(hashtextextended('idempotency_key:' || owner || ':' || key, 0));
$$;
