-- How many milestones of an escrow were settled before their release, with a preimage that its worker's wallet alone
-- should have known; whoever chooses a worker asks for them. Those of a coordinated escrow mark nobody: the operator's
-- node knows their preimages.
alter table escrow add column premature_settlements smallint not null default 0 check (premature_settlements >= 0);

update escrow
set premature_settlements = (
  select count(*)
  from jsonb_array_elements(state -> 'milestones') as milestone
  where milestone ->> 'phase' in ('premature', 'repaying', 'repaid')
)
where custody = 'hash-locked' and jsonb_path_exists(
  state, '$.milestones[*] ? (@.phase == "premature" || @.phase == "repaying" || @.phase == "repaid")'
);

create index escrow_premature_settlements on escrow (worker) include (premature_settlements)
  where premature_settlements > 0;
