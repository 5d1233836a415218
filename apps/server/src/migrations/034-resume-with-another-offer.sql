-- A suspended name whose offer has expired is resumed with another: it is requested, and suspended again when none is
-- made. The rest is as in 031.
create or replace function check_name_registration_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.user_part, new.domain, new.skeleton, new.requested_at)
    is distinct from (old.id, old.user_part, old.domain, old.skeleton, old.requested_at)
    or (new.owner <> old.owner and not (old.phase = 'seen' and new.phase = 'active')) then
    raise exception 'the terms of name registration % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('requested', 'offer-ready'), ('offer-ready', 'published'), ('published', 'seen'), ('seen', 'active'),
    ('active', 'requested'), ('active', 'offer-ready'), ('suspended', 'offer-ready'),
    ('requested', 'active'), ('offer-ready', 'active'), ('published', 'active'),
    ('offer-ready', 'restoring'), ('published', 'restoring'), ('seen', 'restoring'), ('restoring', 'active'),
    ('requested', 'withdrawing'), ('offer-ready', 'withdrawing'), ('published', 'withdrawing'),
    ('seen', 'withdrawing'), ('active', 'withdrawing'), ('restoring', 'withdrawing'),
    ('withdrawing', 'suspended'), ('withdrawing', 'freed'), ('suspended', 'freed'),
    ('requested', 'freed'), ('offer-ready', 'freed'), ('published', 'freed'), ('seen', 'freed')
  ) and not (
    new.state #>> '{job,kind}' = 'resume'
    and (old.phase, new.phase) in (('suspended', 'requested'), ('requested', 'suspended'))
  ) then
    raise exception 'name registration % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  return new;
end
$$;
