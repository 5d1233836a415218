-- For who cannot wait for the answer of append_to_journal, because the COMMIT is under way behind it: where an entity has
-- another last entry than the caller believes it fails with JL001, which undoes the transaction.
create function append_to_journal_or_fail(entries jsonb) returns void
language plpgsql
as $$
begin
  perform from append_to_journal(entries);
  if found then
    raise exception 'an entity has another last entry in the journal than was believed' using errcode = 'JL001';
  end if;
end
$$;
