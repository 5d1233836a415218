import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { sql } from 'kysely'
import type { Moment, Step } from './kill-plan.ts'

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
const SPRINGS_WITHIN_MS = 60_000
const GONE_WITHIN_MS = 20_000

/** Every step is an entry of the journal. A deferred trigger runs while COMMIT is carried out; NOTIFY is sent after it. */
const TRAPS = `
-- At once as strong as any statement below needs it: a lock that is made stronger later can deadlock.
lock table journal in access exclusive mode;
create schema kill_test;
create table kill_test.trap (stream text not null, phase text not null, moment text not null);
create function kill_test.spring() returns trigger language plpgsql security definer as $$
begin
  if exists (
    select from kill_test.trap
    where stream = new.stream and phase = new.data ->> 'phase' and moment = tg_argv[0]
  ) then
    if tg_argv[0] = 'after-commit' then
      perform pg_notify('kill_test', new.entity_id);
    else
      -- Others see it at once, although nothing is committed.
      perform set_config('application_name', new.entity_id, true);
      perform pg_advisory_xact_lock(${LOCK});
    end if;
  end if;
  return null;
end
$$;
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
  { stream, phase, moment }: Step & { moment: Moment },
): Promise<StepTrap> {
  const holder = await database.pool.connect()
  let committed: string | null = null
  holder.on('notification', ({ payload }) => {
    committed ??= payload ?? null
  })
  try {
    await holder.query(moment === 'after-commit' ? 'listen kill_test' : `select pg_advisory_lock(${LOCK})`)
    await holder.query('insert into kill_test.trap values ($1, $2, $3)', [stream, phase, moment])
  } catch (error) {
    holder.release(true)
    throw error
  }

  const findSprung = async () => {
    if (moment === 'after-commit') return committed
    const waiting = await sql<{ application_name: string }>`
      select application_name from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and objid = ${LOCK} and not granted`.execute(database.db)
    return waiting.rows[0]?.application_name ?? null
  }
  return {
    async sprung() {
      const deadline = Date.now() + SPRINGS_WITHIN_MS
      while (true) {
        const entityId = await findSprung()
        if (entityId !== null) return entityId
        if (Date.now() > deadline) throw new Error(`No ${stream} came to ${phase} ${moment} in time.`)
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
