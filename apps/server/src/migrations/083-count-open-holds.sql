-- How many holds of an escrow take an HTLC of the operator's node, or may any moment: there is room for so many only.
alter table escrow add column open_holds smallint not null default 0 check (open_holds between 0 and 20);

update escrow
set open_holds = (
  select count(*)
  from jsonb_array_elements(state -> 'milestones') as milestone
  where milestone ->> 'phase' in (
    'awaiting-funds', 'closing', 'held', 'proof-submitted', 'disputed', 'releasing', 'payout-unknown', 'claiming',
    'refunding'
  )
);

create index escrow_open_holds on escrow (buyer, open_holds) where open_holds > 0;
