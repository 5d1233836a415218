-- For who has decided already what a payment becomes: true once the row is locked and holds what it was decided on.
-- Otherwise it fails, with PM001 or because somebody else has locked the row, and that undoes the transaction. It does not
-- wait: the lane of the journal is locked by then, and whoever has the row may be waiting for that.
create function is_as_believed(payment_id uuid, believed jsonb) returns boolean
language plpgsql
as $$
begin
  perform from payment where id = payment_id and state = believed for update nowait;
  if not found then
    raise exception 'payment % is not what was believed', payment_id using errcode = 'PM001';
  end if;
  return true;
end
$$;
