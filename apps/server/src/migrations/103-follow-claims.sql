-- What the operator's node has claimed may still be taken back on the chain, as long as the channel's peer has not let go of
-- it: the payment hashes of which the node has not said yet that nobody can. No part of the state, because that they are
-- final is no news for anybody; that one was lost is, and is in the journal.
alter table escrow add column open_claims text[] not null default '{}';

update escrow
set open_claims = array(
  select milestone ->> 'paymentHash'
  from jsonb_array_elements(state -> 'milestones') as milestone
  where milestone ->> 'phase' in ('released', 'premature', 'repaying', 'repaid')
)
where jsonb_path_exists(
  state, '$.milestones[*] ? (@.phase == "released" || @.phase == "premature" || @.phase == "repaying" || @.phase == "repaid")'
);

create index escrow_open_claims on escrow (id) where open_claims <> '{}';

-- As in 080, and what was claimed may be lost.
create or replace function check_escrow_change() returns trigger
language plpgsql
as $$
declare
  before jsonb;
  after jsonb;
  i integer;
begin
  if (new.id, new.kind, new.custody, new.buyer, new.created_at, new.state -> 'nodeId', new.state -> 'policy')
    is distinct from (old.id, old.kind, old.custody, old.buyer, old.created_at, old.state -> 'nodeId', old.state -> 'policy') then
    raise exception 'the terms of escrow % may not change', old.id using errcode = 'check_violation';
  end if;
  if old.phase in ('draft', 'open') then
    return new;
  end if;
  if jsonb_array_length(new.state -> 'milestones') <> jsonb_array_length(old.state -> 'milestones') then
    raise exception 'the milestones of escrow % may not change', old.id using errcode = 'check_violation';
  end if;
  for i in 0 .. jsonb_array_length(old.state -> 'milestones') - 1 loop
    before := old.state -> 'milestones' -> i;
    after := new.state -> 'milestones' -> i;
    if (after -> 'terms', after -> 'index', after -> 'custody', after -> 'nodeId')
      is distinct from (before -> 'terms', before -> 'index', before -> 'custody', before -> 'nodeId') then
      raise exception 'the terms of milestone % of escrow % may not change', i, old.id using errcode = 'check_violation';
    end if;
    if before ->> 'phase' in ('held', 'proof-submitted', 'disputed', 'releasing', 'payout-unknown', 'claiming', 'refunding')
      and (after -> 'paymentHash', coalesce(after -> 'heldMsat', after -> 'owedMsat'))
        is distinct from (before -> 'paymentHash', before -> 'heldMsat') then
      raise exception 'the hold of milestone % of escrow % may not change', i, old.id using errcode = 'check_violation';
    end if;
    if before ->> 'phase' <> after ->> 'phase' and not (before ->> 'phase', after ->> 'phase') in (
      ('planned', 'awaiting-invoice'), ('planned', 'awaiting-funds'), ('planned', 'expired'), ('planned', 'cancelled'),
      ('awaiting-invoice', 'ready-to-fund'), ('awaiting-invoice', 'expired'), ('awaiting-invoice', 'cancelled'),
      ('ready-to-fund', 'awaiting-invoice'), ('ready-to-fund', 'awaiting-funds'), ('ready-to-fund', 'expired'),
      ('ready-to-fund', 'cancelled'),
      ('awaiting-funds', 'held'), ('awaiting-funds', 'refunding'), ('awaiting-funds', 'closing'),
      ('awaiting-funds', 'awaiting-invoice'), ('awaiting-funds', 'planned'), ('awaiting-funds', 'premature'),
      ('closing', 'awaiting-invoice'), ('closing', 'planned'), ('closing', 'expired'), ('closing', 'cancelled'),
      ('closing', 'premature'),
      ('held', 'proof-submitted'), ('held', 'disputed'), ('held', 'releasing'), ('held', 'refunding'),
      ('held', 'refunded'), ('held', 'premature'),
      ('proof-submitted', 'held'), ('proof-submitted', 'disputed'), ('proof-submitted', 'releasing'),
      ('proof-submitted', 'refunding'), ('proof-submitted', 'refunded'), ('proof-submitted', 'premature'),
      ('disputed', 'releasing'), ('disputed', 'refunding'), ('disputed', 'refunded'), ('disputed', 'premature'),
      ('releasing', 'payout-unknown'), ('releasing', 'claiming'), ('releasing', 'released'), ('releasing', 'lost'),
      ('releasing', 'refunding'), ('releasing', 'refunded'), ('releasing', 'premature'),
      ('payout-unknown', 'releasing'), ('payout-unknown', 'claiming'), ('payout-unknown', 'released'),
      ('payout-unknown', 'lost'), ('payout-unknown', 'refunding'), ('payout-unknown', 'refunded'),
      ('payout-unknown', 'premature'),
      ('claiming', 'released'), ('claiming', 'lost'),
      ('refunding', 'refunded'), ('refunding', 'premature'), ('refunding', 'claiming'),
      ('refunded', 'lost'),
      ('released', 'lost'),
      ('premature', 'repaying'), ('premature', 'repaid'), ('premature', 'released'), ('premature', 'lost'),
      ('repaying', 'premature'), ('repaying', 'repaid')
    ) then
      raise exception 'milestone % of escrow % may not go from % to %', i, old.id, before ->> 'phase', after ->> 'phase'
        using errcode = 'check_violation';
    end if;
  end loop;
  return new;
end
$$;
