-- What a mutation begins with, in one round trip: who sent it, and whether it was answered before. Holds the key until
-- the transaction ends; a second request with it waits, but not for long (55P03, see lock_idempotency_key).
-- Exactly one of `token` and `sender` is given: the SHA-256 of a session token, or an owner who is proven already.
-- Answers one row; `owner` is null when there is no such session, `fingerprint` when nothing was answered before.
create function claim_request(token bytea, sender text, request_key text, at timestamptz)
returns table (
  owner text, fingerprint bytea, status smallint, headers jsonb, body text, refusal_code text, refusal_data jsonb
)
language plpgsql
as $$
#variable_conflict use_column
declare
  known text := sender;
begin
  if known is null then
    select session.owner into known from session where token_sha256 = token and expires_at > at;
  end if;
  if known is not null then
    perform lock_idempotency_key(known, request_key);
  end if;
  -- A statement of its own: it sees what was committed while we waited for the key.
  return query
    select known, stored.fingerprint, stored.status, stored.headers, stored.body, stored.refusal_code,
      stored.refusal_data
    from (select known as owner) as asker
    left join idempotency_key as stored on stored.owner = asker.owner and stored.key = request_key;
end
$$;
