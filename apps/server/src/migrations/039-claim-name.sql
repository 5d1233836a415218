-- Claims a name for its first state, in one round trip. `claim` holds the columns of the new row, `most` how many names
-- its owner may have. Answers what came of it:
--   claimed      the row stands; `held_by` is who gave up the name, or one that looks like it, last, if somebody else
--                may not have it until `held_until`
--   too-many     the owner has that many already
--   taken        somebody else holds the name, or one that looks like it
-- Until the transaction ends the owner's other claims wait. Each statement sees what was committed while the one before
-- waited, so a claim that is released or won meanwhile counts. Needs READ COMMITTED.
create function claim_name(claim jsonb, most int, out outcome text, out held_by text, out held_until timestamptz)
language plpgsql
as $$
declare
  new_row name_registration := jsonb_populate_record(null::name_registration, claim);
begin
  perform lock_name_owner(new_row.owner);
  if (select count(*) from name_registration where owner = new_row.owner and phase <> 'freed') >= most then
    outcome := 'too-many';
    return;
  end if;
  insert into name_registration
    (id, owner, user_part, domain, skeleton, phase, state, requested_at, look_at, job_id, quarantine_until)
  values (
    new_row.id, new_row.owner, new_row.user_part, new_row.domain, new_row.skeleton, new_row.phase, new_row.state,
    new_row.requested_at, new_row.look_at, new_row.job_id, new_row.quarantine_until
  )
  on conflict do nothing;
  if not found then
    outcome := 'taken';
    return;
  end if;
  outcome := 'claimed';
  select former.owner, former.quarantine_until into held_by, held_until
  from name_registration as former
  where former.domain = new_row.domain and former.skeleton = new_row.skeleton
    and former.quarantine_until is not null
  order by former.requested_at desc limit 1;
end
$$;

-- Names are counted by one transaction of their owner at a time.
create function lock_name_owner(owner text) returns void
language sql
as $$ select pg_advisory_xact_lock(hashtextextended('name-owner:' || owner, 0)) $$;
