-- The append-only record of every change. Positions are gapless within a lane and follow commit order: an append
-- holds the lane's advisory lock from before it reads the lane's last position until its commit is visible.
create table journal (
  lane smallint not null check (lane between 0 and 7),
  position bigint not null check (position > 0),
  stream text not null check (stream ~ '^[a-z][a-z0-9-]*$'),
  entity_id text not null check (entity_id <> ''),
  seq bigint not null check (seq > 0),
  kind text not null check (kind <> ''),
  data jsonb not null check (jsonb_typeof(data) = 'object'),
  actor text not null check (actor ~ '^([0-9a-f]{64}|[a-z][a-z0-9-]*)$'),
  at timestamptz(3) not null,
  prev_hash bytea not null check (octet_length(prev_hash) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  primary key (lane, position),
  unique (stream, entity_id, seq)
);

-- The role that the server uses has no right to change entries (see platform/database-role.ts); this guards against
-- everybody else, the tables' owner included.
create function refuse_journal_change() returns trigger
language plpgsql
as $$
begin
  raise exception 'journal is append-only: % is refused', tg_op using errcode = 'insufficient_privilege';
end
$$;

create trigger journal_append_only before update or delete on journal
  for each row execute function refuse_journal_change();
create trigger journal_no_truncate before truncate on journal
  for each statement execute function refuse_journal_change();
