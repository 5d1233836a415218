-- What the operator's node has promised already, to all and to one buyer; until the transaction ends nobody else is told.
-- Needs READ COMMITTED: only there the second statement sees what was committed while it waited for the lock.
create function lock_room(of_whom text, out committed bigint, out of_all bigint, out of_buyer bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
begin
  -- 0x6c71. Any number: one who takes room waits for the other to have done so.
  perform pg_advisory_xact_lock(27761);
  select
    (select coalesce(sum(committed_msat), 0) from escrow where committed_msat > 0),
    (select coalesce(sum(taken_holds), 0) from escrow where taken_holds > 0),
    (select coalesce(sum(open_holds), 0) from escrow where open_holds > 0 and buyer = of_whom)
  into committed, of_all, of_buyer;
end
$$;
