import { BUYER, makeEscrowWorld, PAYOUT_MSAT, WORKER } from '@holdfast/server/escrow/testing/escrow-world'
import { withDatabase } from '@holdfast/server/platform/testing/with-database'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runHoldfast } from '../testing/run-holdfast.ts'

const database = withDatabase()
let world: ReturnType<typeof makeEscrowWorld>

beforeEach(async () => {
  vi.stubEnv('DATABASE_URL', database.connectionString.reveal())
  await database.queryAsOwner('truncate escrow cascade; delete from graphile_worker._private_jobs')
  world = makeEscrowWorld(database)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

const escrow = (...args: string[]) => runHoldfast('escrow', ...args)
async function json(...args: string[]) {
  const { out } = await escrow(...args, '--json')
  return JSON.parse(out)
}

describe('list', () => {
  test('shows escrows, newest first, a page at a time', async () => {
    const ids: string[] = []
    for (let count = 0; count < 3; count++) {
      ids.unshift(await world.start())
      world.time.now += 1_000
    }
    const first = await json('list', '--limit', '2')
    expect(first.escrows.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2))
    const second = await json('list', '--limit', '2', '--after', first.next)
    expect(second).toMatchObject({ escrows: [{ id: ids[2] }], next: null })
    const { code, out } = await escrow('list', '--limit', '2')
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(/^escrow +kind +custody +phase +milestones +locked +created +title$/)
    expect(out).toContain(`${ids[0]}  order  hash-locked`)
    expect(out).toContain(`more: --after ${first.next}`)
  })

  test('finds by the phase of the escrow, and of its milestones', async () => {
    await world.start()
    const held = await world.reachHeld()
    const idsOf = async (...args: string[]) =>
      (await json('list', ...args)).escrows.map(({ id }: { id: string }) => id)
    expect(await idsOf('--phase', 'active')).toEqual([held])
    expect(await idsOf('--milestone', 'held', '--milestone', 'disputed')).toEqual([held])
    expect(await idsOf('--phase', 'completed')).toEqual([])
    expect((await escrow('list', '--phase', 'completed')).out).toBe('There are none.')
  })
})

test('a claim that the chain could still give back is listed, shown, and stuck when that lasts', async () => {
  await world.reachHeld()
  const other = makeEscrowWorld(database)
  const id = await other.reachReleasing()
  other.node.peerIsSilent = true
  other.node.payeeAnswers(true)
  await other.slice.follow()
  const claimed = async () => (await json('list', '--claimed')).escrows
  expect(await claimed()).toMatchObject([{ id, openClaims: [other.paymentHash] }])
  expect((await escrow('show', id)).out).toContain('the claim is not final yet')
  vi.setSystemTime(other.time.now + 3 * 60 * 60_000)
  const { code, out } = await escrow('stuck', '--height', '1000')
  expect(code).toBe(1)
  expect(out).toContain(`open-claim  ${id}  milestone 0  released`)
  other.node.endClaims('lost')
  await other.slice.follow()
  expect(await claimed()).toEqual([])
  expect(await json('list', '--milestone', 'lost')).toMatchObject({ escrows: [{ id }] })
})

describe('show', () => {
  test('tells parties, amounts in satoshi, and the heights that matter', async () => {
    const id = await world.reachHeld()
    const { code, out } = await escrow('show', id)
    expect(code).toBe(0)
    expect(out).toContain(`buyer     ${BUYER}`)
    expect(out).toContain(`worker    ${WORKER}`)
    expect(out).toContain('milestone 0  held  A box')
    expect(out).toContain('payout 50000 sat, fee 501 sat, locked 50501 sat')
    expect(out).toMatch(/the guardian decides at block \d+, the hold ends at block \d+/)
    expect(await json('show', id)).toMatchObject({
      id,
      milestones: [{ terms: { payoutMsat: PAYOUT_MSAT.toString() } }],
    })
  })

  test('tells how often the preimage of an invoice of this worker came out too early', async () => {
    const id = await world.start()
    const marks = async () => (await json('show', id)).workerPrematureSettlements
    expect(await marks()).toBe(0)
    expect((await escrow('show', id)).out).toMatch(new RegExp(`worker {4}${WORKER}$`, 'm'))
    for (const count of [1, 2]) {
      const other = makeEscrowWorld(database)
      const marked = await other.reachHeld()
      await other.slice.reportPreimage({ id: marked, milestone: 0, preimage: other.preimage })
      expect(await marks()).toBe(count)
    }
    expect((await escrow('show', id)).out).toContain(`worker    ${WORKER}, 2 premature settlements`)
    const task = await world.startTask()
    expect(await json('show', task)).toMatchObject({ worker: null, workerPrematureSettlements: 0 })
  })

  test('what a stranger wrote cannot move the cursor', async () => {
    const id = await world.start()
    await database.queryAsOwner('alter table escrow disable trigger escrow_change')
    await database.queryAsOwner(
      `update escrow set state = jsonb_set(state, '{title}', '"\\u001b[2Jgone\\u202e"') where id = $1`,
      [id],
    )
    await database.queryAsOwner('alter table escrow enable trigger escrow_change')
    expect((await escrow('show', id)).out).toContain('title     \u{fffd}[2Jgone\u{fffd}')
  })

  test('of one that is not there is the answer no', async () => {
    expect(await escrow('show', '00000000-0000-4000-8000-000000000000')).toMatchObject({ code: 1, out: '' })
  })
})

describe('stuck', () => {
  test('is nothing while everything goes its way', async () => {
    await world.reachHeld()
    const { code, out } = await escrow('stuck')
    expect(code).toBe(0)
    expect(out).toMatch(/^Nothing is stuck\.\n\nCounted at block \d+ at most/)
  })

  test('without any escrow the height is not known, and it says so', async () => {
    await database.queryAsOwner('alter table journal disable trigger user; delete from journal')
    await database.queryAsOwner('alter table journal enable trigger user')
    expect((await escrow('stuck')).out).toContain('--height')
  })

  test('is a hold whose end is near, a payout of which nobody knows, silence, and a job that failed for good', async () => {
    const id = await world.reachReleasing()
    await database.queryAsOwner("update escrow set look_at = now() - interval '1 hour' where id = $1", [id])
    await database.queryAsOwner(
      `select graphile_worker.add_job('escrow:pay-out', json_build_object('id', $1::text, 'milestone', 0), max_attempts := 1)`,
      [id],
    )
    await database.queryAsOwner(
      `update graphile_worker._private_jobs set attempts = 1, last_error = 'no route to the node'`,
    )
    const { deadlineHeight } = (await world.milestoneIn(id, 'releasing')).schedule
    const { code, out } = await escrow('stuck', '--height', String(deadlineHeight - 20))
    expect(code).toBe(1)
    expect(out).toContain(`near-deadline  ${id}  milestone 0  releasing\n  20 blocks until the hold ends`)
    expect(out).toContain(`dead-letter  ${id}  milestone 0\n  job `)
    expect(out).toContain('failed 1 times: no route to the node')
    expect(out).toContain(`silent  ${id}  active`)
    expect(out).toContain('docs/runbooks/stuck-holds.md#near-deadline')
    expect(out).toContain(`Counted at block ${deadlineHeight - 20}.`)
    const found = await json('stuck', '--height', String(deadlineHeight - 20))
    expect(found.stuck.map(({ reason }: { reason: string }) => reason)).toEqual([
      'near-deadline',
      'dead-letter',
      'silent',
    ])
  })
})

test.each([
  ['no action', [], 'what? list, show or stuck'],
  ['an unknown phase', ['list', '--phase', 'sleeping'], '--phase sleeping is unknown; there are draft'],
  ['an unknown phase of a milestone', ['list', '--milestone', 'x'], '--milestone x is unknown'],
  ['a limit that is none', ['list', '--limit', '0'], '--limit takes a number of 1 to 200'],
  ['a height that is none', ['stuck', '--height', '-1'], '--height'],
  ['a cursor of somebody else', ['list', '--after', 'x'], '--after takes what the page before ended with'],
  ['no id', ['show'], '<id> is missing'],
  ['an id that is none', ['show', 'x'], 'x is no id of an escrow'],
  ['too much', ['stuck', 'x'], 'x is too much'],
])('%s is said', async (_what, args, reason) => {
  const ended = await escrow(...args)
  expect(ended).toMatchObject({ code: 2, out: '' })
  expect(ended.err).toContain(reason)
})
