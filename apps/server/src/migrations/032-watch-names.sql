-- The watcher looks at every live name again and again. The state of an active one says what is wrong with it.
update name_registration set state = state || '{"unhealthy": null}' where phase = 'active';

alter table name_registration
  -- When the watcher looks at this name next; a new one first when its registration has long ended.
  add column watch_at timestamptz(3) not null default now() + interval '10 minutes',
  -- What it found at its latest look and has not said yet: a finding counts when it is found twice.
  add column watch_finding text;

-- Those that are there are not all looked at in the same minute.
update name_registration set watch_at = now() + random() * interval '6 hours' where phase = 'active';

create index name_registration_watch_at on name_registration (watch_at) where phase = 'active';
create index name_registration_unhealthy on name_registration (domain, user_part)
  where phase = 'active' and state ->> 'unhealthy' is not null;
