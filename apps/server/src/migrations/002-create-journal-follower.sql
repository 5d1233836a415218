-- How far each durable follower of the journal has come in each lane.
create table journal_follower (
  name text not null check (name <> ''),
  lane smallint not null check (lane between 0 and 7),
  position bigint not null check (position >= 0),
  primary key (name, lane)
);
