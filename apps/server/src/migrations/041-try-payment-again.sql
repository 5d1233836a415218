-- A payment that the node has finally given up may be tried again under its next id: packages/core/src/payments decides
-- when. Here stands that an id is only ever followed by the next one that was set aside for this very payment.
drop trigger payment_change on payment;

update payment set state = state || '{"spareNodePaymentIds": [], "tries": 1, "sinceAttempt": 0}';

alter table payment
  add check (jsonb_typeof(state -> 'spareNodePaymentIds') = 'array' and (state ->> 'tries')::int >= 1);

create or replace function check_payment_change() returns trigger
language plpgsql
as $$
begin
  if (new.id, new.owner, new.requested_at, new.state -> 'nodeId', new.state -> 'to',
      new.state -> 'deadlineAt', new.state -> 'requestedMsat', new.state -> 'feeLimitMsat')
    is distinct from (old.id, old.owner, old.requested_at, old.state -> 'nodeId', old.state -> 'to',
      old.state -> 'deadlineAt', old.state -> 'requestedMsat', old.state -> 'feeLimitMsat') then
    raise exception 'the terms of payment % may not change', old.id using errcode = 'check_violation';
  end if;
  if new.phase <> old.phase and not (old.phase, new.phase) in (
    ('resolving', 'sending'), ('resolving', 'failed'),
    ('sending', 'unknown'), ('sending', 'succeeded'), ('sending', 'failed'),
    ('unknown', 'sending'), ('unknown', 'succeeded'), ('unknown', 'failed'),
    ('failed', 'succeeded')
  ) then
    raise exception 'payment % may not go from % to %', old.id, old.phase, new.phase
      using errcode = 'check_violation';
  end if;
  if old.phase in ('sending', 'unknown') and new.phase in ('sending', 'unknown')
    and (new.state -> 'payable', new.state -> 'amountMsat', new.state -> 'maxFeeMsat')
      is distinct from (old.state -> 'payable', old.state -> 'amountMsat', old.state -> 'maxFeeMsat') then
    raise exception 'payment % may not be sent elsewhere', old.id using errcode = 'check_violation';
  end if;
  if (new.node_payment_id, new.state -> 'spareNodePaymentIds', new.state -> 'tries')
      is distinct from (old.node_payment_id, old.state -> 'spareNodePaymentIds', old.state -> 'tries')
    and not (old.phase in ('sending', 'unknown') and new.phase = 'sending'
      and new.node_payment_id = old.state -> 'spareNodePaymentIds' ->> 0
      and new.state -> 'spareNodePaymentIds' = (old.state -> 'spareNodePaymentIds') - 0
      and (new.state ->> 'tries')::int = (old.state ->> 'tries')::int + 1) then
    raise exception 'payment % may not be sent under another id', old.id using errcode = 'check_violation';
  end if;
  return new;
end
$$;

create trigger payment_change before update on payment
  for each row execute function check_payment_change();
