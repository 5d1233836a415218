-- A payment's note to the payee is a term like the others: it stays as it was.
create function check_payment_note() returns trigger
language plpgsql
as $$
begin
  raise exception 'the terms of payment % may not change', old.id using errcode = 'check_violation';
end
$$;

create trigger payment_note_change before update on payment
  for each row when (new.state -> 'note' is distinct from old.state -> 'note')
  execute function check_payment_note();
