-- As in 003, but who cannot wait for the answer, because the COMMIT is under way behind it, says `or_fail`: when an
-- entity has another last entry than the caller believes, it fails with JL001, which undoes the transaction.
drop function append_to_journal(jsonb);
create function append_to_journal(entries jsonb, or_fail boolean default false)
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
    if or_fail then
      raise exception 'an entity has another last entry in the journal than was believed' using errcode = 'JL001';
    end if;
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
