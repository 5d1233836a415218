-- For a request that was carried out on the belief that `sender` asks it and that it was not answered before: answers
-- `sender` once that is sure, and holds the key as claim_request does. Otherwise it fails with RQ001, which undoes the
-- transaction. It waits for nobody: a lane of the journal is locked by then. `token` and `opener`, which event opened the
-- session, are null where the sender has proven it by an event.
create function new_request_of(token bytea, opener bytea, sender text, request_key text, at timestamptz) returns text
language plpgsql
as $$
begin
  if token is not null and not exists (
    select from session
    where token_sha256 = token and expires_at > at and owner = sender and opened_by = opener
  ) then
    raise exception 'the session is not what was believed' using errcode = 'RQ001';
  end if;
  -- As lock_idempotency_key does.
  if not pg_try_advisory_xact_lock(hashtextextended('idempotency_key:' || sender || ':' || request_key, 0)) then
    raise exception 'a request with this key is being answered' using errcode = 'RQ001';
  end if;
  -- A statement of its own: it sees what was committed before we had the key.
  if exists (select from idempotency_key where owner = sender and key = request_key) then
    raise exception 'the request was answered before' using errcode = 'RQ001';
  end if;
  return sender;
end
$$;
