import type pg from 'pg'
import type { Log } from './log.ts'
import { withSetting } from './postgres/connection-string.ts'
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
/** There is no such role: `invalid_parameter_value` of SET ROLE, `undefined_object` of GRANT. */
const UNKNOWN_ROLE = { parameter: '22023', object: '42704' }

/**
 * Makes sure that `holdfast_app` exists and may use everything, but only read and append to the journal and the signed
 * requests. Answers how the server connects. When the owner may not create roles and nobody made one for it, the server
 * works as the owner and only the triggers protect them; a warning says so.
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

/** Whether the server can work as `holdfast_app`, which is created when it is missing and we may. */
async function createRole(client: pg.Client, appRole: AppRole): Promise<boolean> {
  try {
    await client.query(`create role ${APP_ROLE}`)
  } catch (error) {
    const code = (error as pg.DatabaseError).code ?? ''
    if (code !== INSUFFICIENT_PRIVILEGE && !ALREADY_THERE.has(code)) throw error
  }
  if (appRole.kind === 'login') {
    const password = client.escapeLiteral(appRole.password.reveal())
    await client.query(`alter role ${APP_ROLE} login password ${password}`)
    return true
  }
  if (await isAllowed(client, `set local role ${APP_ROLE}`)) return true
  return (
    (await isAllowed(client, `grant ${APP_ROLE} to current_user`, 'commit')) &&
    (await isAllowed(client, `set local role ${APP_ROLE}`))
  )
}

/** Asked by trying: what membership allows differs between the versions of PostgreSQL. */
async function isAllowed(client: pg.Client, statement: string, end = 'rollback'): Promise<boolean> {
  await client.query('begin')
  try {
    await client.query(statement)
    await client.query(end)
    return true
  } catch (error) {
    await client.query('rollback')
    const code = (error as pg.DatabaseError).code ?? ''
    if (code === INSUFFICIENT_PRIVILEGE || code === UNKNOWN_ROLE.parameter || code === UNKNOWN_ROLE.object)
      return false
    throw error
  }
}

async function grantRights(client: pg.Client): Promise<void> {
  await client.query('begin')
  await client.query(`
    grant usage on schema public, graphile_worker to ${APP_ROLE};
    grant select, insert, update, delete on all tables in schema public, graphile_worker to ${APP_ROLE};
    grant usage, select on all sequences in schema public, graphile_worker to ${APP_ROLE};
    grant execute on all functions in schema public, graphile_worker to ${APP_ROLE};
    revoke update, delete, truncate on journal, signed_request from ${APP_ROLE};
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
  if (appRole.kind === 'set-role') return withSetting(owner, `role=${APP_ROLE}`)
  const url = new URL(owner.reveal())
  url.username = APP_ROLE
  url.password = appRole.password.reveal()
  return new Secret(url.href)
}
