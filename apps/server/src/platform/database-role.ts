import type pg from 'pg'
import type { Log } from './log.ts'
import { Secret } from './secret.ts'

/** The role with whose rights the running server works. */
export const APP_ROLE = 'holdfast_app'

/**
 * `login`: the server signs in as `holdfast_app` with a password of its own (embedded server, where we own the
 * cluster). `set-role`: it signs in as the owner and every session starts as `holdfast_app`, because a server that
 * somebody else runs may not let a role of ours in.
 */
export type AppRole = { kind: 'login'; password: Secret<string> } | { kind: 'set-role' }

/** What keeps the journal append-only besides its triggers: a role without the right, or nothing. */
export type JournalProtection = 'role' | 'triggers-only'

/** `duplicate_object`, or `unique_violation` when another database of the cluster creates the role at this moment. */
const ALREADY_THERE = new Set(['42710', '23505'])
const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * Makes sure that `holdfast_app` exists and may use everything, but only read and append to the journal. Answers how
 * the server connects. When the owner may not create roles and nobody made one for it, the server works as the owner
 * and only the triggers protect the journal; a warning says so.
 */
export async function setUpAppRole(
  client: pg.Client,
  owner: Secret<string>,
  appRole: AppRole,
  log: Log,
): Promise<{ connectionString: Secret<string>; journalProtection: JournalProtection }> {
  if (!(await createRole(client, appRole))) {
    log.warn(
      `The database user may not create the role ${APP_ROLE}: only triggers keep the journal append-only. ` +
        `Let an administrator run: create role ${APP_ROLE}; grant ${APP_ROLE} to <user of DATABASE_URL>;`,
    )
    return { connectionString: owner, journalProtection: 'triggers-only' }
  }
  await grantRights(client)
  return { connectionString: connectionStringOf(owner, appRole), journalProtection: 'role' }
}

async function createRole(client: pg.Client, appRole: AppRole): Promise<boolean> {
  try {
    await client.query(`create role ${APP_ROLE}`)
  } catch (error) {
    const code = (error as pg.DatabaseError).code ?? ''
    if (code === INSUFFICIENT_PRIVILEGE) return isMember(client)
    if (!ALREADY_THERE.has(code)) throw error
  }
  if (appRole.kind === 'login') {
    const password = client.escapeLiteral(appRole.password.reveal())
    await client.query(`alter role ${APP_ROLE} login password ${password}`)
    return true
  }
  if (await isMember(client)) return true
  await client.query(`grant ${APP_ROLE} to current_user`)
  return true
}

async function isMember(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ member: boolean }>(
    `select exists (select 1 from pg_roles where rolname = $1 and pg_has_role(oid, 'member')) as member`,
    [APP_ROLE],
  )
  return rows[0]!.member
}

async function grantRights(client: pg.Client): Promise<void> {
  await client.query('begin')
  await client.query(`
    grant usage on schema public, graphile_worker to ${APP_ROLE};
    grant select, insert, update, delete on all tables in schema public, graphile_worker to ${APP_ROLE};
    grant usage, select on all sequences in schema public, graphile_worker to ${APP_ROLE};
    grant execute on all functions in schema public, graphile_worker to ${APP_ROLE};
    revoke update, delete, truncate on journal from ${APP_ROLE};
    revoke insert, update, delete on schema_migration, graphile_worker.migrations from ${APP_ROLE};
  `)
  // graphile-worker enables row level security without policies, which shuts out everybody but the owner.
  const { rows } = await client.query<{ relname: string }>(`
    select relname from pg_class c where relnamespace = 'graphile_worker'::regnamespace and relrowsecurity
      and not exists (select 1 from pg_policy where polrelid = c.oid and polname = '${APP_ROLE}')`)
  for (const { relname } of rows) {
    const table = `graphile_worker.${client.escapeIdentifier(relname)}`
    await client.query(`create policy ${APP_ROLE} on ${table} to ${APP_ROLE} using (true) with check (true)`)
  }
  await client.query('commit')
}

function connectionStringOf(owner: Secret<string>, appRole: AppRole): Secret<string> {
  const url = new URL(owner.reveal())
  if (appRole.kind === 'login') {
    url.username = APP_ROLE
    url.password = appRole.password.reveal()
  } else {
    const options = url.searchParams.get('options')
    url.searchParams.set('options', `${options ? `${options} ` : ''}-c role=${APP_ROLE}`)
  }
  return new Secret(url.href)
}
