-- PostgreSQL plans each statement of a function anew for its first five uses on a connection, and the first requests of a
-- rush come over connections that have seen few. These find what they look for by its whole key, so any plan is the best.
alter function append_to_journal(jsonb) set plan_cache_mode = force_generic_plan;
alter function claim_request(bytea, text, text, timestamptz) set plan_cache_mode = force_generic_plan;
alter function new_request_of(bytea, bytea, text, text, timestamptz) set plan_cache_mode = force_generic_plan;
alter function is_as_believed(uuid, jsonb) set plan_cache_mode = force_generic_plan;
