-- For who has decided already what an escrow becomes: true once the row is locked and holds what it was decided on.
-- Otherwise it fails, with ES001 or because somebody else has locked the row, and that undoes the transaction. It does not
-- wait: the lane of the journal is locked by then, and whoever has the row may be waiting for that.
create function is_escrow_as_believed(escrow_id uuid, believed jsonb) returns boolean
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
begin
  perform from escrow where id = escrow_id and state = believed for update nowait;
  if not found then
    raise exception 'escrow % is not what was believed', escrow_id using errcode = 'ES001';
  end if;
  return true;
end
$$;
