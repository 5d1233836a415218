-- When each zone of ours is compared with the names in the database next, and what came of it the last time.
create table zone_reconciliation (
  domain text primary key,
  due_at timestamptz(3) not null,
  -- Null: never yet.
  at timestamptz(3),
  report jsonb,
  check ((at is null) = (report is null))
);

-- All registrations of a name, those that ended included.
create index name_registration_name on name_registration (domain, user_part);
