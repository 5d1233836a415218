-- Words are found in whatever case they are written, and not those of ASCII alone, which is all that a database of the C
-- locale folds: that of the embedded cluster. PostgreSQL 17 and newer know the letters by themselves, older ones by ICU;
-- without either the locale of the database decides, as it did.
do $do$
declare
  folding text := coalesce(
    (
      select quote_ident(collname) from pg_collation
      where collnamespace = 'pg_catalog'::regnamespace
        and collname in ('pg_c_utf8', 'und-x-icu')
        and collencoding in (-1, (select encoding from pg_database where datname = current_database()))
      order by collname
      limit 1
    ),
    '"default"'
  );
begin
  execute format(
    'create function fold_words(said text) returns text language sql immutable strict parallel safe
       as $fold$ select lower(said collate pg_catalog.%s) $fold$',
    folding
  );
end
$do$;

create function words_of(listed jsonb) returns tsvector
language sql immutable parallel safe
as $$
  select setweight(to_tsvector('simple', fold_words(listed ->> 'title')), 'A')
    || to_tsvector('simple', fold_words(listed ->> 'description'))
$$;

create or replace function list_escrow() returns trigger
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
    words_of(new.state),
    array(select jsonb_path_query(new.state, '$.applications[*].worker') #>> '{}')
  )
  on conflict (escrow_id) do update set words = excluded.words, applicants = excluded.applicants;
  return null;
end
$$;

update escrow_listing set words = words_of(escrow.state) from escrow where escrow.id = escrow_id;
