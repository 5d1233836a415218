-- What the operator's node must still be able to send for an escrow, in millisatoshi: a new one is funded only out of
-- what is left.
alter table escrow add column committed_msat bigint not null default 0 check (committed_msat >= 0);

create index escrow_committed on escrow (committed_msat) where committed_msat > 0;
