-- The NIP-98 events to which the journal's entries refer (`signedRequest` in their data), as they were sent, so that
-- anybody can check later who signed what. A row is written with the first entry that refers to it, and stays.
create table signed_request (
  id bytea primary key check (octet_length(id) = 32),
  -- Not jsonb: that would refuse characters which Nostr allows.
  event json not null,
  first_used_at timestamptz(3) not null
);
create index signed_request_first_used_at on signed_request (first_used_at);

create function refuse_signed_request_change() returns trigger
language plpgsql
as $$
begin
  raise exception 'signed_request is append-only: % is refused', tg_op using errcode = 'insufficient_privilege';
end
$$;

create trigger signed_request_append_only before update or delete on signed_request
  for each row execute function refuse_signed_request_change();
create trigger signed_request_no_truncate before truncate on signed_request
  for each statement execute function refuse_signed_request_change();

-- Nobody knows which event opened a session that is there already. They last for minutes, and clients open new ones.
delete from session;
alter table session
  add column opened_by bytea not null check (octet_length(opened_by) = 32),
  add column opening_event json not null;

-- As before (see 005), and also by which event the session of `token` was opened; the event itself only while it is not
-- kept in signed_request.
drop function claim_request(bytea, text, text, timestamptz);
create function claim_request(token bytea, sender text, request_key text, at timestamptz)
returns table (
  owner text, fingerprint bytea, status smallint, headers jsonb, body text, refusal_code text, refusal_data jsonb,
  opened_by bytea, opening_event json
)
language plpgsql
as $$
#variable_conflict use_column
declare
  known text := sender;
  opener bytea;
  opening json;
begin
  if known is null then
    select session.owner, session.opened_by, session.opening_event into known, opener, opening
    from session where token_sha256 = token and expires_at > at;
  end if;
  if known is not null then
    perform lock_idempotency_key(known, request_key);
  end if;
  -- A statement of its own: it sees what was committed while we waited for the key.
  return query
    select known, stored.fingerprint, stored.status, stored.headers, stored.body, stored.refusal_code,
      stored.refusal_data, opener,
      case when not exists (select from signed_request where id = opener) then opening end
    from (select known as owner) as asker
    left join idempotency_key as stored on stored.owner = asker.owner and stored.key = request_key;
end
$$;
