import type { EscrowReport } from '@holdfast/core/escrow/escrow-states'
import type { NodeEvent } from '@holdfast/lightning'
import { beforeEach, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { readCursor } from './escrow-store.ts'
import { makeFollowNode } from './follow-node.ts'
import { makeEscrowWorld } from './testing/escrow-world.ts'

const database = withDatabase()

type Asked = { readonly id: string; readonly paymentHash: string }
let [one, other] = [] as unknown as [Asked, Asked]
let nodes = 0
let tellings: string[] = []

beforeEach(async () => {
  tellings = []
  const funding = async (): Promise<Asked> => {
    const world = makeEscrowWorld(database)
    return { id: await world.startFunding(), paymentHash: world.paymentHash }
  }
  one = await funding()
  other = await funding()
})

/** Follows a node that has told these events; `tell` hears of whom the reports are. */
function follow(events: readonly NodeEvent[], tell: (id: string, report: EscrowReport) => Promise<void>) {
  const nodeId = `02${`${++nodes}`.padStart(64, '0')}`
  const followNode = makeFollowNode({
    database: database.database,
    node: {
      nodeId,
      events: {
        since: async (cursor) => events.filter((event) => event.cursor > cursor),
        acknowledge: async () => undefined,
      },
    },
    reconcile: async () => 0,
    clock: () => 0,
    tell: async (id, said) => {
      const reports = [said].flat() as EscrowReport[]
      for (const report of reports) await tell(id, report)
      tellings.push(`${reports.length} to ${id === one.id ? 'one' : 'other'}`)
      return null
    },
  })
  return { followNode, cursor: () => readCursor(database.db, nodeId) }
}

const cancelled = (cursor: number, { paymentHash }: Asked): NodeEvent => ({
  cursor,
  at: 0,
  kind: 'hold-cancelled',
  paymentHash,
})
const settled = (cursor: number, { paymentHash }: Asked): NodeEvent => ({
  cursor,
  at: 0,
  kind: 'hold-settled',
  paymentHash,
  amountMsat: 1n,
})

test('no escrow waits for what another is told; what one is told keeps its order', async () => {
  const heard: string[] = []
  const otherHeard = Promise.withResolvers<void>()
  const { followNode, cursor } = follow(
    [cancelled(1, one), settled(2, one), settled(3, other)],
    async (id, report) => {
      if (id === other.id) otherHeard.resolve()
      else await otherHeard.promise
      heard.push(`${id === one.id ? 'one' : 'other'} ${'said' in report ? report.said.state : ''}`)
    },
  )
  expect(await followNode()).toBe(3)
  expect(heard).toEqual(['other settled', 'one cancelled', 'one settled'])
  expect(tellings).toEqual(['1 to other', '2 to one'])
  expect(await cursor()).toBe(3)
})

test('that money has arrived is told by itself, since it may leave no room for what comes next', async () => {
  const { paymentHash } = one
  const held = (cursor: number): NodeEvent => ({
    ...{ cursor, at: 0, kind: 'hold-accepted', paymentHash, amountMsat: 1n, claimDeadlineHeight: 9 },
  })
  const { followNode } = follow([held(1), held(2), settled(3, one)], async () => undefined)
  await followNode()
  expect(tellings).toEqual(['1 to one', '2 to one'])
})

test('a fault of one does not keep what others are told from them, and it is heard again from there', async () => {
  const heard: string[] = []
  const { followNode, cursor } = follow(
    [settled(1, other), cancelled(2, one), settled(3, one), settled(4, other)],
    async (id) => {
      if (id === one.id) throw new Error('no luck')
      heard.push(id)
    },
  )
  for (const times of [2, 3, 4]) {
    await expect(followNode()).rejects.toThrow('no luck')
    expect(heard).toEqual(Array(times).fill(other.id))
    expect(await cursor()).toBe(1)
  }
  // Passed over for good; then comes the next of the same escrow.
  await expect(followNode()).rejects.toThrow('no luck')
  expect(await cursor()).toBe(2)
})
