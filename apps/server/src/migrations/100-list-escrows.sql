-- What escrows are found by. Apart from their state, so that a step of a milestone writes none of it.
create table escrow_listing (
  escrow_id uuid primary key references escrow (id),
  words tsvector not null,
  applicants text[] not null
);

create index escrow_listing_words on escrow_listing using gin (words);
create index escrow_listing_applicants on escrow_listing using gin (applicants);

-- Everybody's list, newest first: what packages and screens show without asking who looks.
create index escrow_public on escrow (created_at desc, id desc)
  where kind = 'task' and phase in ('open', 'assigned', 'active', 'completed');

create function list_escrow() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'UPDATE' and (new.state -> 'title', new.state -> 'description', new.state -> 'applications')
    is not distinct from (old.state -> 'title', old.state -> 'description', old.state -> 'applications') then
    return null;
  end if;
  insert into escrow_listing (escrow_id, words, applicants)
  values (
    new.id,
    setweight(to_tsvector('simple', new.state ->> 'title'), 'A')
      || to_tsvector('simple', new.state ->> 'description'),
    array(select jsonb_path_query(new.state, '$.applications[*].worker') #>> '{}')
  )
  on conflict (escrow_id) do update set words = excluded.words, applicants = excluded.applicants;
  return null;
end
$$;

create trigger escrow_listed after insert or update of state on escrow
  for each row execute function list_escrow();

insert into escrow_listing (escrow_id, words, applicants)
select
  id,
  setweight(to_tsvector('simple', state ->> 'title'), 'A') || to_tsvector('simple', state ->> 'description'),
  array(select jsonb_path_query(state, '$.applications[*].worker') #>> '{}')
from escrow;
