-- A domain's wildcard is a name, too.
alter table name_registration drop constraint name_registration_user_part_check;
alter table name_registration add constraint name_registration_user_part_check
  check (user_part = '*' or user_part ~ '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$');

-- As before; and where a wildcard stands no other name begins, whoever asks (`covered`): its record would be published
-- beside it, and once it had ended it would be paid to the owner of the wildcard. A name that was suspended when it ended
-- is held by nobody: its last owner may not have it at once, either.
create or replace function claim_name(
  claim jsonb, most int, out outcome text, out held_by text, out held_until timestamptz
)
language plpgsql
as $$
declare
  new_row name_registration := jsonb_populate_record(null::name_registration, claim);
begin
  if new_row.user_part <> '*' and exists (
    select from name_registration where domain = new_row.domain and skeleton = '*' and phase <> 'freed'
  ) then
    outcome := 'covered';
    return;
  end if;
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
  select case when former.state ->> 'cause' = 'NAME_SUSPENDED' then '' else former.owner end, former.quarantine_until
    into held_by, held_until
  from name_registration as former
  where former.domain = new_row.domain and former.skeleton = new_row.skeleton
    and former.quarantine_until is not null
  order by former.requested_at desc limit 1;
end
$$;
