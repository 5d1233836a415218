-- The operator's own hashes are counted by milestone.
create index escrow_hash_milestone on escrow_hash (escrow_id, milestone);
