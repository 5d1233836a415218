-- Appends entries whose hashes were computed on what the caller believes to be the last entry of each entity. When one
-- of them is another, nothing is appended and what it really is is returned: the caller computes again and calls again,
-- in the same transaction, in which nobody else can append to these lanes any more. No row: they are appended.
--
-- Needs READ COMMITTED: only there each statement below sees what was committed while it waited for the locks.
-- `entries`: [{lane, stream, entity_id, seq, kind, data, actor, at, prev_hash, hash}], hashes in hex, in the order in
-- which they are to stand.
create function append_to_journal(entries jsonb)
returns table (in_stream text, of_entity text, last_seq bigint, last_hash bytea)
language plpgsql
as $$
begin
  -- 0x6a6c is "jl". Ascending, so that two transactions can never wait for each other.
  perform pg_advisory_xact_lock(27244, lane) from (
    select distinct (entry ->> 'lane')::int as lane from jsonb_array_elements(entries) as entry order by lane
  ) as lanes;

  return query
    select believed.stream, believed.entity_id, known.seq, known.hash
    from (
      select distinct on (stream, entity_id) stream, entity_id, seq, decode(prev_hash, 'hex') as prev_hash
      from jsonb_to_recordset(entries) as entry (stream text, entity_id text, seq bigint, prev_hash text)
      order by stream, entity_id, seq
    ) as believed
    left join lateral (
      select journal.seq, journal.hash from journal
      where journal.stream = believed.stream and journal.entity_id = believed.entity_id
      order by journal.seq desc limit 1
    ) as known on true
    where coalesce(known.seq, 0) <> believed.seq - 1
      or (known.hash is not null and known.hash <> believed.prev_hash);
  if found then
    return;
  end if;

  insert into journal (lane, position, stream, entity_id, seq, kind, data, actor, at, prev_hash, hash)
  select lane,
    (select coalesce(max(journal.position), 0) from journal where journal.lane = entry.lane)
      + row_number() over (partition by lane order by place),
    stream, entity_id, seq, kind, data, actor, at, decode(prev_hash, 'hex'), decode(hash, 'hex')
  from rows from (
    jsonb_to_recordset(entries) as (
      lane smallint, stream text, entity_id text, seq bigint, kind text, data jsonb, actor text, at timestamptz,
      prev_hash text, hash text
    )
  ) with ordinality as entry (lane, stream, entity_id, seq, kind, data, actor, at, prev_hash, hash, place);
end
$$;
