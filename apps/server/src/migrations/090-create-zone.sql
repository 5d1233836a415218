-- One row per zone that this server keeps; `state` is what packages/core/src/zones decides on.
create table zone (
  domain text primary key,
  phase text not null,
  state jsonb not null,
  -- When the sweeper should look at this zone, because whoever should have done so by then did not.
  look_at timestamptz(3) not null,
  check (state ->> 'phase' = phase and state ->> 'domain' = domain)
);

create index zone_look_at on zone (look_at);
