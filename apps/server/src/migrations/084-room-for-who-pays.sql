-- Places and liquidity are for who has paid; an invoice that may still be paid keeps nothing from anybody.
alter table escrow add column taken_holds smallint not null default 0 check (taken_holds between 0 and open_holds);

update escrow
set
  taken_holds = (
    select count(*)
    from jsonb_array_elements(state -> 'milestones') as milestone
    where milestone ->> 'phase' in (
      'held', 'proof-submitted', 'disputed', 'releasing', 'payout-unknown', 'claiming', 'refunding'
    )
  ),
  committed_msat = committed_msat - (
    select coalesce(
      sum((milestone #>> '{terms,payoutMsat}')::bigint + (milestone #>> '{terms,routingFeeLimitMsat}')::bigint), 0
    )
    from jsonb_array_elements(state -> 'milestones') as milestone
    where milestone ->> 'phase' = 'awaiting-funds'
  )
where open_holds > 0;

create index escrow_taken_holds on escrow (taken_holds) where taken_holds > 0;
