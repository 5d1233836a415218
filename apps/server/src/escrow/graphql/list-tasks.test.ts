import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../../platform/testing/with-database.ts'
import { viewFor } from './task-view.ts'
import { type GraphqlWorld, startGraphqlWorld } from './testing/graphql-world.ts'
import { newParties, type Parties, taskClient } from './testing/task-client.ts'

const database = withDatabase()
let world: GraphqlWorld
let client: ReturnType<typeof taskClient>

beforeAll(async () => {
  world = await startGraphqlWorld(database)
  client = taskClient(world)
})
afterAll(() => world.close())

const QUERY = `query ($filter: TaskFilter, $first: Int, $after: String, $last: Int, $before: String) {
  tasks(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id } } nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`

async function list(by: Parties['buyer'] | null, variables: Record<string, unknown> = {}) {
  const how = by === null ? {} : { token: await world.session(by) }
  return world.send(null, { query: QUERY, variables }, how)
}

/** The titles; throws what was refused. */
async function titles(by: Parties['buyer'] | null, filter: Record<string, unknown> = {}): Promise<string[]> {
  const { data, errors } = await list(by, { filter })
  if (errors) throw new Error(JSON.stringify(errors))
  return data.tasks.nodes.map(({ title }: { title: string }) => title)
}

describe('what is listed', () => {
  let parties: Parties
  const word = () => `w${Math.random().toString(36).slice(2)}`
  /** Only tasks of this test hold it. */
  let mine: string

  beforeEach(() => {
    parties = newParties()
    mine = word()
  })

  test('everybody sees what is published, the newest first', async () => {
    await client.open(parties, { title: `${mine} first` })
    await client.draft(parties, { title: `${mine} draft` })
    await client.assigned(parties, { title: `${mine} second` })
    expect(await titles(null, { text: mine })).toEqual([`${mine} second`, `${mine} first`])
    expect(await titles(null, { text: mine, phases: ['OPEN'] })).toEqual([`${mine} first`])
    expect(await titles(null, { text: mine, phases: ['DRAFT', 'CANCELLED'] })).toEqual([])
    expect(await titles(null, { text: mine, kind: 'ORDER' })).toEqual([])
  })

  test('each sees their own, by the part they have', async () => {
    const draft = `${mine} draft`
    await client.draft(parties, { title: draft })
    const open = `${mine} open`
    const taskId = await client.open(parties, { title: open })
    await client.mutate(parties.stranger, 'applyToTask', { taskId })
    const assigned = `${mine} assigned`
    await client.assigned(parties, { title: assigned })
    const { buyer, worker, arbiter, stranger } = parties
    expect(await titles(buyer, { role: 'BUYER' })).toEqual([assigned, open, draft])
    expect(await titles(worker, { role: 'WORKER' })).toEqual([assigned])
    expect(await titles(worker, { role: 'APPLICANT' })).toEqual([assigned])
    expect(await titles(arbiter, { role: 'ARBITER' })).toEqual([assigned, open])
    expect(await titles(stranger, { role: 'APPLICANT' })).toEqual([open])
    expect(await titles(stranger, { role: 'BUYER' })).toEqual([])
  })

  test.each<[string, (word: string) => string, boolean]>([
    ['a word of the title', (one) => one, true],
    ['a word in capitals', (one) => one.toUpperCase(), true],
    ['a word of the description', () => 'Catalan', true],
    ['two words', (one) => `${one} Catalan`, true],
    ['a phrase', (one) => `"${one} page"`, true],
    ['words in another order as a phrase', (one) => `"page ${one}"`, false],
    ['what must not be in it', (one) => `${one} -Catalan`, false],
    ['one of two', (one) => `Basque or ${one}`, true],
    ['a part of a word', (one) => one.slice(0, 4), false],
    ['signs of the query language', (one) => `${one} & ! ( ' : * \\`, true],
  ])('search: %s', async (_, text, isFound) => {
    const title = `${mine} page`
    await client.open(parties, { title })
    const found = await titles(parties.buyer, { role: 'BUYER', text: text(mine) })
    expect(found).toEqual(isFound ? [title] : [])
  })

  test.each(['übersetzung', 'ÜBERSETZUNG', 'Übersetzung', 'ПЕРЕВОД', 'перевод', 'Übersetzung OR nothing'])(
    'search: whatever letters a word has, its case does not matter: %s',
    async (text) => {
      const title = 'Übersetzung, перевод'
      await client.open(parties, { title })
      expect(await titles(parties.buyer, { role: 'BUYER', text })).toEqual([title])
    },
  )

  test('what was updated is found by its new words', async () => {
    const taskId = await client.open(parties, { title: mine })
    const other = word()
    const plan = { title: other, deadlineAt: Date.now() + 1e8, milestones: [MILESTONE] }
    await client.mutate(parties.buyer, 'updateTask', { taskId, plan })
    expect(await titles(null, { text: mine })).toEqual([])
    expect(await titles(null, { text: other })).toEqual([other])
  })
})

const MILESTONE = { title: 'All', payoutMsat: '50000000', workMs: 3_600_000, objectionMs: 3_600_000 }

describe('pages', () => {
  test('each task stands on exactly one, whatever is added meanwhile', async () => {
    const parties = newParties()
    const ids: string[] = []
    for (let left = 5; left > 0; left--) ids.unshift(await client.open(parties))
    const seen: string[] = []
    let after: string | null = null
    do {
      const { data } = await list(parties.buyer, { filter: { role: 'BUYER' }, first: 2, after })
      const { edges, pageInfo } = data.tasks
      expect(pageInfo).toMatchObject({
        hasPreviousPage: after !== null,
        startCursor: edges[0].cursor,
        endCursor: edges.at(-1).cursor,
      })
      seen.push(...edges.map(({ node }: { node: { id: string } }) => node.id))
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null
      await client.open(parties)
    } while (after !== null)
    expect(seen).toEqual(ids)
  })

  test('from the end the oldest are told, and each in its place, back to the newest', async () => {
    const parties = newParties()
    const ids: string[] = []
    for (let left = 5; left > 0; left--) ids.unshift(await client.open(parties))
    const page = async (wish: object) => {
      const { data } = await list(parties.buyer, { filter: { role: 'BUYER' }, ...wish })
      const { edges, pageInfo } = data.tasks
      return { ids: edges.map(({ node }: { node: { id: string } }) => node.id), ...pageInfo }
    }
    const end = await page({ last: 2 })
    expect(end).toMatchObject({ ids: ids.slice(3), hasPreviousPage: true, hasNextPage: false })
    const middle = await page({ last: 2, before: end.startCursor })
    expect(middle).toMatchObject({ ids: ids.slice(1, 3), hasPreviousPage: true, hasNextPage: true })
    const start = await page({ last: 2, before: middle.startCursor })
    expect(start).toMatchObject({ ids: ids.slice(0, 1), hasPreviousPage: false, hasNextPage: true })
    const between = await page({ after: start.endCursor, before: end.startCursor })
    expect(between.ids).toEqual(middle.ids)
  })

  test('an empty one has no cursors', async () => {
    const { data } = await list(newParties().buyer, { filter: { role: 'BUYER' } })
    const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null }
    expect(data.tasks).toEqual({ edges: [], nodes: [], pageInfo })
  })

  test.each<[string, Record<string, unknown>, string, object]>([
    ['none', { first: 0 }, 'REQUEST_INVALID', { field: 'first' }],
    ['too many', { first: 101 }, 'REQUEST_INVALID', { field: 'first' }],
    ['a cursor that we did not give', { after: 'bm90IG91cnM' }, 'REQUEST_INVALID', { field: 'after' }],
    ['none of the end', { last: 0 }, 'REQUEST_INVALID', { field: 'last' }],
    ['too many of the end', { last: 101 }, 'REQUEST_INVALID', { field: 'last' }],
    ['both ends', { first: 1, last: 1 }, 'REQUEST_INVALID', { field: 'last' }],
    ['another such cursor', { before: 'bm90IG91cnM' }, 'REQUEST_INVALID', { field: 'before' }],
    ['no phase at all', { filter: { phases: [] } }, 'REQUEST_INVALID', { field: 'phases' }],
    ['no words', { filter: { text: '' } }, 'REQUEST_INVALID', { field: 'text' }],
    ['too many words', { filter: { text: 'a'.repeat(201) } }, 'REQUEST_INVALID', { field: 'text' }],
    ['yours, of nobody in particular', { filter: { role: 'BUYER' } }, 'AUTH_REQUIRED', {}],
  ])('%s is refused', async (_, variables, code, data) => {
    const { errors } = await list(null, variables)
    expect(errors?.[0]?.extensions).toMatchObject({ code, data })
  })
})

test('the lists show exactly what may be seen', async () => {
  const all = Array.from({ length: 3 }, () => newParties())
  const keys = all.map(({ buyer }) => buyer)
  const moves = ['publish', 'apply', 'assign', 'cancel'] as const
  const ids: string[] = []
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...moves), fc.nat(2)), { maxLength: 5 }),
      fc.boolean(),
      async (steps, isOrder) => {
        const [buyer, other, arbiter] = keys as [Parties['buyer'], Parties['buyer'], Parties['buyer']]
        const plan = {
          title: 'x',
          arbiter: arbiter.owner,
          deadlineAt: Date.now() + 1e8,
          milestones: [MILESTONE],
        }
        const kind = isOrder ? { kind: 'ORDER', worker: other.owner } : {}
        const { task } = await client.mutate(buyer, 'createTask', { ...kind, plan })
        ids.push(task.id)
        for (const [move, who] of steps) {
          const by = move === 'apply' ? keys[who]! : buyer
          const input = { taskId: task.id, ...(move === 'assign' && { worker: keys[who]!.owner }) }
          await client.send(
            by,
            move === 'apply' ? 'applyToTask' : move === 'assign' ? 'assignWorker' : `${move}Task`,
            input,
          )
        }
      },
    ),
    { numRuns: 25 },
  )
  for (const reader of [null, ...keys]) {
    const viewer = reader?.owner ?? null
    const roles = reader === null ? [null] : [null, 'BUYER', 'WORKER', 'ARBITER', 'APPLICANT']
    const listed = new Set<string>()
    for (const role of roles) {
      const { data } = await list(reader, { filter: { role }, first: 100 })
      for (const { node } of data.tasks.edges) listed.add(node.id)
    }
    const seen = new Set<string>()
    for (const id of ids) if (viewFor(await world.read(id), viewer) !== null) seen.add(id)
    expect(new Set(ids.filter((id) => listed.has(id)))).toEqual(seen)
  }
})
