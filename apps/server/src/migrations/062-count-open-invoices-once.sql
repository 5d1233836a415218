-- Whether one more invoice may wait to be paid at what answers for a name: its own registration, or with '*' the wildcard
-- of its domain, at which all invoices of the domain count. Until the transaction ends all others who ask wait, and then
-- see what it has committed. Needs READ COMMITTED.
create function address_has_room(of_domain text, answered_by text, at timestamptz, most int) returns boolean
language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('address-invoice:' || answered_by || '@' || of_domain, 0));
  if answered_by = '*' then
    return (
      select count(*) from address_invoice where domain = of_domain and phase = 'open' and expires_at > at
    ) < most;
  end if;
  return (
    select count(*) from address_invoice
    where domain = of_domain and user_part = answered_by and phase = 'open' and expires_at > at
  ) < most;
end
$$;
