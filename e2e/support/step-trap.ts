import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '@holdfast/core'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { sql } from 'kysely'
import type { Moment } from './kill-plan.ts'

/** Stops the server's transactions at a chosen step of a saga, from within the database. */
export type StepTrap = {
  /**
   * Resolves when a transaction waits at the step, or, `after-commit`, when one has just been committed; answers the id
   * of the name or payment that came to it.
   */
  sprung(): Promise<string>
  /**
   * Lets the transactions go on, each as far as it comes without its server, and resolves when all of the dead
   * server's connections are gone.
   */
  release(): Promise<void>
}

const LOCK = 7_700_177
const SPRINGS_WITHIN_MS = 180_000
const GONE_WITHIN_MS = 60_000

/** How a step shows in the database. */
export type Traps = {
  /** Of the job that performs the effect: `before-effect` is when the transaction that asks for it is being committed. */
  readonly task?: string
  readonly stream: string
  /** The data of its entry in the journal contain one of these. */
  readonly entries: readonly JsonObject[]
  /** Of this entity only. */
  readonly entityId?: string
}

/** Every step is an entry of the journal. A deferred trigger runs while COMMIT is carried out; NOTIFY is sent after it. */
const TRAPS = `
-- At once as strong as any statement below needs them, and in the order in which transactions write them: otherwise a
-- server that is running can deadlock with this.
lock table job_outbox, journal in access exclusive mode;
create schema kill_test;
create table kill_test.trap (
  moment text not null, task text, stream text not null, data jsonb not null, entity_id text
);
create function kill_test.wait(entity_id text) returns void language plpgsql as $$
begin
  -- Others see it at once, although nothing is committed.
  perform set_config('application_name', entity_id, true);
  perform pg_advisory_xact_lock(${LOCK});
end
$$;
create function kill_test.spring() returns trigger language plpgsql security definer as $$
begin
  if exists (
    select from kill_test.trap
    where moment = tg_argv[0] and stream = new.stream and new.data @> data
      and coalesce(entity_id, new.entity_id) = new.entity_id
  ) then
    if tg_argv[0] = 'after-commit' then
      perform pg_notify('kill_test', new.entity_id);
    else
      perform kill_test.wait(new.entity_id);
    end if;
  end if;
  return null;
end
$$;
create function kill_test.spring_job() returns trigger language plpgsql security definer as $$
begin
  if exists (
    select from kill_test.trap
    where moment = 'before-effect' and task = new.task
      and (entity_id is null or entity_id = new.payload ->> 'id')
  ) then
    perform kill_test.wait(
      coalesce(new.payload ->> 'id', new.payload ->> 'domain', new.payload ->> 'paymentHash')
    );
  end if;
  return null;
end
$$;
create constraint trigger kill_test_before_effect after insert on job_outbox deferrable initially deferred
  for each row execute function kill_test.spring_job();
create trigger kill_test_before_commit after insert on journal
  for each row execute function kill_test.spring('before-commit');
create trigger kill_test_after_commit after insert on journal
  for each row execute function kill_test.spring('after-commit');
create constraint trigger kill_test_in_commit after insert on journal deferrable initially deferred
  for each row execute function kill_test.spring('in-commit');
`

/** Prepares a server's database for `setTrap`; once is enough for all of the server's lives. */
export async function installTraps(database: OpenDatabase): Promise<void> {
  await database.pool.query(TRAPS)
}

export async function setTrap(
  database: OpenDatabase,
  { task, stream, entries, entityId }: Traps,
  moment: Moment,
): Promise<StepTrap> {
  const holder = await database.pool.connect()
  let committed: string | null = null
  holder.on('notification', ({ payload }) => {
    committed ??= payload ?? null
  })
  try {
    await holder.query(moment === 'after-commit' ? 'listen kill_test' : `select pg_advisory_lock(${LOCK})`)
    for (const data of entries)
      await holder.query('insert into kill_test.trap values ($1, $2, $3, $4, $5)', [
        moment,
        task ?? null,
        stream,
        data,
        entityId ?? null,
      ])
  } catch (error) {
    holder.release(true)
    throw error
  }

  const findSprung = async () => {
    if (moment === 'after-commit') return committed
    const waiting = await sql<{ application_name: string }>`
      select application_name from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and objid = ${LOCK} and not granted
        -- Its new name may come a moment after its wait.
        and application_name not like 'holdfast%'`.execute(database.db)
    return waiting.rows[0]?.application_name ?? null
  }
  return {
    async sprung() {
      const deadline = Date.now() + SPRINGS_WITHIN_MS
      while (true) {
        const entityId = await findSprung()
        if (entityId !== null) return entityId
        if (Date.now() > deadline)
          throw new Error(`No ${stream} came ${moment} of ${JSON.stringify(entries)} in time.`)
        await sleep(2)
      }
    },
    async release() {
      try {
        await holder.query('delete from kill_test.trap')
        await holder.query('select pg_advisory_unlock_all()')
        await untilAlone(database)
      } finally {
        holder.release(true)
      }
    },
  }
}

/** What the dead server left behind has been carried out or rolled back. */
async function untilAlone({ db }: OpenDatabase): Promise<void> {
  const deadline = Date.now() + GONE_WITHIN_MS
  while (true) {
    const { rows } = await sql`
      select from pg_stat_activity
      where datname = current_database() and usename <> current_user`.execute(db)
    if (rows.length === 0) return
    if (Date.now() > deadline) throw new Error(`${rows.length} connections of the killed server remain.`)
    await sleep(10)
  }
}
