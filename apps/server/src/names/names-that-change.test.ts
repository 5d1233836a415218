import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hearName } from '@holdfast/core/names/name-machine'
import type { NameState } from '@holdfast/core/names/name-states'
import { dueAt, pendingEffects } from '@holdfast/core/names/pending-effects'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeLog } from '../platform/log.ts'
import { MIGRATIONS_FOLDER, migrate } from '../platform/migrate.ts'
import { Secret } from '../platform/secret.ts'
import { createDatabase, dropDatabase, withDatabaseName } from '../platform/testing/test-server.ts'
import { withDatabase } from '../platform/testing/with-database.ts'

const database = withDatabase()
const OWNER = 'ab'.repeat(32)
const stepsDone = (...steps: string[]) => steps.map((step, index) => ({ step, at: 1_000 + index }))
const CLAIMED = stepsDone('name-claimed', 'offer-ready')
const LIVE = [...CLAIMED, { step: 'chain-validated', at: 1_500 }]
const offer = { offer: 'lno1old', expiresAt: 9_000_000_000 }

/** What the first version of the names slice kept, by phase. */
const OLD: Record<string, object> = {
  requested: { phase: 'requested', attempt: 2, lastFailure: 'NODE_OFFLINE', stepsDone: CLAIMED.slice(0, 1) },
  'offer-ready': { phase: 'offer-ready', attempt: 0, lastFailure: null, offer, stepsDone: CLAIMED },
  published: { phase: 'published', attempt: 1, lastFailure: 'DNS_UNAVAILABLE', offer, stepsDone: CLAIMED },
  seen: { phase: 'seen', attempt: 0, lastFailure: null, offer, stepsDone: CLAIMED },
  active: { phase: 'active', activeAt: 1_500, offer, stepsDone: LIVE },
  withdrawing: {
    phase: 'withdrawing',
    attempt: 3,
    cause: 'NAME_RELEASED',
    publishedMeanwhile: false,
    offer,
    stepsDone: LIVE,
  },
  disabling: {
    phase: 'disabling',
    attempt: 4,
    cause: 'NODE_OFFLINE',
    madeMeanwhile: false,
    offer: null,
    stepsDone: CLAIMED,
  },
  freed: { phase: 'freed', cause: 'NAME_TIMED_OUT', offer: null, freedAt: 2_000, stepsDone: CLAIMED },
}

describe('names that were registered before names could change', () => {
  const names = new Map<string, NameState>()
  let folder: string
  let drop: () => Promise<void>
  let client: pg.Client

  beforeAll(async () => {
    const owner = database.ownerConnectionString.reveal()
    const name = `old_names_${process.pid}`
    await createDatabase(owner, name)
    drop = () => dropDatabase(owner, name)
    const connectionString = new Secret(withDatabaseName(owner, name))
    folder = await mkdtemp(join(tmpdir(), 'holdfast-old-names-'))
    for (const file of await readdir(MIGRATIONS_FOLDER)) {
      if (Number.parseInt(file, 10) <= 30) await copyFile(join(MIGRATIONS_FOLDER, file), join(folder, file))
    }
    const log = makeLog({ level: 'silent' })
    await migrate({ connectionString, log, folders: [folder] })
    client = new pg.Client({ connectionString: connectionString.reveal() })
    await client.connect()
    for (const [index, [phase, more]] of Object.entries(OLD).entries()) {
      const id = `00000000-0000-4000-8000-00000000000${index}`
      const [user, domain] = [`user${index}`, 'shop.test']
      const terms = { v: 1, id, user, domain, skeleton: user, owner: OWNER, offerSource: 'node' }
      const state = { ...terms, requestedAt: 1_000, deadlineAt: 601_000, ...more }
      await client.query(
        `insert into name_registration
          (id, owner, user_part, domain, skeleton, phase, state, requested_at, look_at)
          values ($1, $2, $3, $4, $3, $5, $6, to_timestamp(1), null)`,
        [id, OWNER, user, domain, phase, JSON.stringify(state)],
      )
    }
    await migrate({ connectionString, log, folders: [MIGRATIONS_FOLDER] })
    const { rows } = await client.query('select state from name_registration order by id')
    for (const [index, phase] of Object.keys(OLD).entries()) names.set(phase, rows[index].state)
  })

  afterAll(async () => {
    await client.end()
    await drop()
    await rm(folder, { recursive: true })
  })

  const kept = (phase: string) => names.get(phase)!
  const made = { no: 0, owner: OWNER, source: 'node', ...offer }

  test.each([
    ['requested', { next: { no: 0, owner: OWNER, source: 'node' }, wait: { serial: 2, tries: 2 } }],
    ['offer-ready', { live: null, next: made, wait: { serial: 0, lastFailure: null } }],
    ['published', { live: null, next: made, wait: { serial: 1, lastFailure: 'DNS_UNAVAILABLE' } }],
    ['seen', { live: null, next: made }],
    ['active', { live: made, wakeAt: 9_000_000_000 - 3_660_000, job: { outcome: 'succeeded' } }],
    ['withdrawing', { becomes: 'freed', keep: null, drop: [made], cleaning: { offers: ['lno1old'] } }],
    ['disabling', { phase: 'freed', retiring: [{ no: 0, owner: OWNER }], job: { outcome: 'failed' } }],
    ['freed', { phase: 'freed', retiring: [], cleaning: null, freedAt: 2_000 }],
  ])('%s', (phase, expected) => {
    expect(kept(phase)).toMatchObject({ v: 2, phase, id: kept(phase).job.id, ...expected })
    expect(kept(phase).firstActiveAt).toBe(['active', 'withdrawing'].includes(phase) ? 1_500 : null)
  })

  test('whose effects are still to come are asked for them by the clock, and all others rest', async () => {
    for (const [phase, state] of names) {
      const rests = phase === 'active' || phase === 'freed'
      expect([phase, pendingEffects(state).length]).toEqual([phase, rests ? 0 : 1])
      if (rests) continue
      expect(dueAt(state)).toBe(0)
      expect(hearName(state, { kind: 'time-passed' }, 1).effects).toHaveLength(1)
    }
    const { rows } = await client.query(
      'select count(*)::int as n from name_registration where look_at <= now()',
    )
    expect(rows).toEqual([{ n: 6 }])
  })
})
