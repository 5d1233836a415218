import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeEscrowWorld } from '@holdfast/server/escrow/testing/escrow-world'
import { withDatabase } from '@holdfast/server/platform/testing/with-database'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runHoldfast } from '../testing/run-holdfast.ts'

const database = withDatabase()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'))
afterAll(() => rmSync(folder, { recursive: true }))

let id: string
let files = 0
const newFile = () => join(folder, `${++files}.jsonl`)

const makeJournal = async () => {
  vi.stubEnv('DATABASE_URL', database.connectionString.reveal())
  await asOwner('truncate escrow cascade', 'delete from journal')
  const world = makeEscrowWorld(database)
  await world.start()
  id = await world.reachReleasing()
}
afterEach(() => {
  vi.unstubAllEnvs()
})

/** What no role of the server may do. */
async function asOwner(...statements: string[]) {
  const tables = ['journal', 'escrow', 'escrow_hash']
  for (const table of tables) await database.queryAsOwner(`alter table ${table} disable trigger user`)
  for (const statement of statements) await database.queryAsOwner(statement)
  for (const table of tables) await database.queryAsOwner(`alter table ${table} enable trigger user`)
}

const audit = (...args: string[]) => runHoldfast('audit', ...args)

async function exported(...args: string[]): Promise<string> {
  const file = newFile()
  expect(await audit('export', ...args, '--out', file)).toMatchObject({ code: 0, out: '' })
  return file
}

describe('verify', () => {
  beforeEach(makeJournal)

  test('finds that everything agrees', async () => {
    const { code, out } = await audit('verify')
    expect(out).toMatch(
      /^\d+ entries of 2 entities read, states compared: 2 escrow\npeople’s entries: 0 name .*, \d+ are older than those\nEverything agrees\.$/,
    )
    expect(code).toBe(0)
    expect(await audit('verify', id)).toMatchObject({ code: 0 })
    expect(JSON.parse((await audit('verify', id, '--json')).out)).toMatchObject({
      agrees: true,
      compared: { escrow: 1 },
      findings: [],
    })
  })

  test('a chain of a stream that nobody can replay is verified all the same', async () => {
    await database.transact(async (tx) => {
      tx.append({
        stream: 'weather',
        entityId: 'x',
        kind: 'weather.seen',
        data: {},
        actor: 'system',
        at: new Date(),
      })
    })
    expect(await audit('verify', 'weather:x')).toMatchObject({ code: 0 })
    expect(await audit('verify')).toMatchObject({ code: 0 })
  })

  test.each([
    [
      'an entry that was changed',
      `update journal set actor = 'nobody' where entity_id = $ and seq = 3`,
      'chain-broken: content-changed at entry 3',
      true,
    ],
    [
      'an entry that was taken away',
      `delete from journal where entity_id = $ and seq = 2`,
      'chain-broken: missing-entry at entry 3',
      true,
    ],
    [
      'a link to something else',
      `update journal set prev_hash = decode(repeat('00', 32), 'hex') where entity_id = $ and seq = 2`,
      'chain-broken: link-broken at entry 2',
      true,
    ],
    [
      'a state that the entries do not lead to',
      `update escrow set state = jsonb_set(state, '{milestones,0,terms,payoutMsat}', '"1"') where id = $`,
      'state-differs',
      true,
    ],
    ['a row that was taken away', 'truncate escrow cascade', 'row-missing', true],
    [
      'a row of which no entry tells',
      `delete from journal where entity_id = $::text`,
      'journal-missing',
      false,
    ],
  ])('%s is found', async (_what, statement, finding, inOne) => {
    await asOwner(statement.replaceAll('$', `'${id}'`))
    const { code, out } = await audit('verify')
    expect(out).toContain(`! escrow:${id}  ${finding}`)
    expect(out).toContain('this does NOT agree')
    expect(code).toBe(1)
    const one = await audit('verify', id)
    expect(one.code).toBe(1)
    if (inOne) expect(one.out).toContain(finding)
  })

  test('a position that is missing in a lane is told', async () => {
    await asOwner(`delete from journal where entity_id = '${id}' and seq = 1`)
    expect((await audit('verify')).out).toMatch(/! lane \d: position \d+ is missing/)
  })

  test('a tail that was cut off is found by who kept an export', async () => {
    const kept = await exported()
    expect(await audit('verify', '--kept', kept)).toMatchObject({ code: 0 })
    await asOwner(
      `delete from journal where (entity_id, seq) in (select entity_id, max(seq) from journal group by entity_id)`,
      'truncate escrow cascade',
    )
    expect((await audit('verify', '--kept', kept)).out).toContain('kept-entry-missing')
  })

  test('an entity that never was is the answer no', async () => {
    const never = '00000000-0000-4000-8000-000000000000'
    expect(await audit('verify', never)).toMatchObject({ code: 1 })
    expect((await audit('verify', never)).out).toContain('not-found')
  })

  test('one entity is named by its id, with or without its stream, in small letters or capitals', async () => {
    for (const word of [id, id.toUpperCase(), `escrow:${id}`, `escrow:${id.toUpperCase()}`]) {
      expect(await audit('verify', word)).toMatchObject({ code: 0 })
    }
  })
})

describe('export', () => {
  beforeEach(makeJournal)

  test('is verified offline, alone and whole', async () => {
    for (const args of [[], [id]]) {
      const file = await exported(...args)
      vi.stubEnv('DATABASE_URL', 'postgres://nobody:x@127.0.0.1:1/none')
      const { code, out } = await audit('verify', '--file', file)
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringContaining('Every hash and signature is right.'),
      })
      vi.stubEnv('DATABASE_URL', database.connectionString.reveal())
    }
  })

  test('a stranger can recompute the hashes with what its head says', async () => {
    const [head = '', ...rest] = readFileSync(await exported(id), 'utf8')
      .trim()
      .split('\n')
    expect(JSON.parse(head)).toMatchObject({
      format: 'holdfast-journal-export-2',
      entity: `escrow:${id}`,
      rule: expect.stringContaining('RFC 8785'),
    })
    expect(JSON.parse(rest.at(-1) ?? '')).toEqual({ end: true, entries: rest.length - 1, entities: 1 })
    expect(JSON.parse(rest[0] ?? '')).toMatchObject({
      stream: 'escrow',
      entityId: id,
      seq: '1',
      kind: 'escrow.create',
      prevHash: '0'.repeat(64),
    })
  })

  test('goes to the terminal without --out, and only its owner may read the file', async () => {
    const { code, out, err } = await audit('export', id)
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^\d+ entries of 1 entities$/) })
    expect(out.split('\n').at(-1)).toContain('"end":true')
    expect(statSync(await exported(id)).mode & 0o777).toBe(0o600)
  })

  test('of a span of time holds what happened in it, and says so', async () => {
    const all = await exported(id)
    const entries = readFileSync(all, 'utf8')
      .trim()
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line))
    const middle = Math.floor(entries.length / 2)
    await asOwner(
      `update journal set at = at + interval '1 day' where entity_id = '${id}' and seq > ${middle}`,
    )
    const from = new Date(entries[0].at + 12 * 3_600_000).toISOString()
    const late = await exported(id, '--from', from)
    const early = await exported(id, '--to', from)
    const count = (file: string) => readFileSync(file, 'utf8').trim().split('\n').length - 2
    expect([count(early), count(late)]).toEqual([middle, entries.length - middle])
    expect((await audit('verify', '--file', early)).code).toBe(0)
    // The times were changed behind the journal's back, which its hashes tell.
    expect((await audit('verify', '--file', late)).out).toContain('content-changed')
  })

  test('of an entity that never was is the answer no', async () => {
    expect(await audit('export', 'zone:never.test')).toMatchObject({ code: 1 })
  })

  test.each([
    [
      'a changed amount',
      (text: string) => text.replace('"payoutMsat":"50000000"', '"payoutMsat":"60000000"'),
      'content-changed',
    ],
    ['a missing line', (text: string) => text.split('\n').toSpliced(3, 1).join('\n'), 'missing-entry'],
    [
      'two lines changed places',
      (text: string) => swapped(text.split('\n'), 2, 3).join('\n'),
      'missing-entry',
    ],
    ['a missing end', (text: string) => text.split('\n').slice(0, -2).join('\n'), 'the end is missing'],
    [
      'a last entry cut off',
      (text: string) => text.split('\n').toSpliced(-3, 1).join('\n'),
      'the end tells of',
    ],
    ['a second head', (text: string) => `${text.split('\n')[0]}\n${text}`, 'this is no entry'],
    ['garbage', (text: string) => text.replace('\n', '\n{"seq":1}\nnot json\n'), 'line 3: this is no entry'],
    ['something behind the end', (text: string) => `${text}{}\n`, 'something stands behind the end'],
  ])('%s is found offline', async (_what, change, finding) => {
    const file = await exported(id)
    const changed = newFile()
    writeFileSync(changed, change(readFileSync(file, 'utf8')))
    const { code, out } = await audit('verify', '--file', changed)
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(finding) })
    expect(await audit('verify', '--kept', changed)).toMatchObject({ code: 1 })
  })
})

function swapped(lines: string[], a: number, b: number): string[] {
  return lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '')
}

const NO_EXPORT = join(folder, 'other.json')
appendFileSync(NO_EXPORT, '{}\n')
const EMPTY = join(folder, 'empty')
appendFileSync(EMPTY, '')

test.each([
  ['no action', [], 'what? verify or export'],
  ['a word that is no entity', ['verify', 'x'], 'x is neither the id of an escrow nor stream:id'],
  ['an escrow of no id', ['verify', 'escrow:x'], 'x is no id of escrow'],
  ['a name instead of its registration', ['verify', 'name:a@x.test'], 'a@x.test is no id of name'],
  ['options of the other action', ['verify', '--out', 'f'], '--out has no meaning for verify'],
  ['options of the other action', ['export', '--kept', 'f'], '--kept has no meaning for export'],
  ['a moment that is none', ['export', '--from', 'yesterday'], '--from takes a moment'],
  ['an export that is not there', ['verify', '--file', '/missing'], '/missing cannot be read'],
  ['a file that is no export', ['verify', '--file', NO_EXPORT], 'is no export of the journal'],
  ['an empty file', ['verify', '--file', EMPTY], 'is no export of the journal'],
  ['a file together with an id', ['verify', 'zone:x.test', '--file', 'f'], '--file verifies a whole export'],
  ['an id together with --kept', ['verify', 'zone:x.test', '--kept', 'f'], 'leave the id out'],
  ['a file that is there already', ['export', '--out', NO_EXPORT], 'cannot be written'],
])('%s: %j is said', async (_what, args, reason) => {
  vi.stubEnv('DATABASE_URL', 'postgres://nobody:x@127.0.0.1:1/none')
  const ended = await audit(...args)
  expect(ended).toMatchObject({ code: 2, out: '' })
  expect(ended.err).toContain(reason)
})
