-- For a registration that was decided on the belief that nobody has the name, nor had it lately, and that its owner may
-- have one more. As claim_name, but where that is not so it fails with RQ001, which undoes the transaction: then it is
-- asked.
create function claim_name_or_fail(claim jsonb, most int) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
  claimed record;
begin
  select outcome, held_until into claimed from claim_name(claim, most);
  if claimed.outcome <> 'claimed' or claimed.held_until is not null then
    raise exception 'the name is not free, as was believed' using errcode = 'RQ001';
  end if;
end
$$;

-- As those of 102: it finds by whole keys.
alter function claim_name(jsonb, int) set plan_cache_mode = force_generic_plan;
