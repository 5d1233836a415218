import { randomBytes } from 'node:crypto'
import { isRefusal } from '@holdfast/core'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import {
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  makeEscrowWorld,
  PAYOUT_MSAT,
  WORKER,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

test('what could not be paid out to all is not funded, also when two ask at once', async () => {
  const ids: string[] = []
  for (const byte of ['71', '72', '73']) {
    const id = await world.start()
    const invoice = world.invoiceOf({ paymentHash: byte.repeat(32) })
    await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
    ids.push(id)
  }
  const { rows } = await sql<{ sum: bigint }>`select sum(committed_msat)::bigint as sum from escrow`.execute(
    database.db,
  )
  world.node.spendableMsat = (rows[0]?.sum ?? 0n) + 2n * (PAYOUT_MSAT + 100_000n)
  const fund = (id: string) => world.tryAsk(id, { kind: 'fund', by: BUYER, milestone: 0 })
  const answers = await Promise.all(ids.map(fund))
  expect(answers.filter(isRefusal)).toMatchObject([{ refused: 'ESCROW_LIQUIDITY_LACKING' }])
  const funded = ids[answers.findIndex((answer) => !isRefusal(answer))]!
  await world.ask(funded, { kind: 'cancel', by: BUYER })
  expect(isRefusal(await fund(ids[answers.findIndex(isRefusal)]!))).toBe(false)
})

test('what could not arrive at the operator’s node is not funded either', async () => {
  const id = await world.start()
  await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: world.invoiceOf() })
  const fund = () => world.tryAsk(id, { kind: 'fund', by: BUYER, milestone: 0 })
  world.node.receivableMsat = PAYOUT_MSAT + FEE_MSAT - 1n
  expect(await fund()).toMatchObject({ refused: 'ESCROW_LIQUIDITY_LACKING' })
  world.node.receivableMsat += 1n
  expect(isRefusal(await fund())).toBe(false)
})

describe('how many holds are open', () => {
  /** Those of other tests stay where they are. */
  async function openNow(): Promise<number> {
    const { rows } = await sql<{ open: bigint }>`
      select coalesce(sum(open_holds), 0)::bigint as open from escrow`.execute(database.db)
    return Number(rows[0]!.open)
  }
  const fund = (id: string) => world.tryAsk(id, { kind: 'fund', by: BUYER, milestone: 0 })

  async function readyToFund(): Promise<string> {
    const id = await world.start()
    const invoice = world.invoiceOf({ paymentHash: randomBytes(32).toString('hex') })
    await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
    return id
  }

  test.each([
    ['of one buyer', 'ofOneBuyer', 'buyer'],
    ['of all', 'ofAll', 'operator'],
  ] as const)('%s has a limit, also when many ask at once; an end makes room', async (_what, limit, of) => {
    const most = (await openNow()) + 2
    world.limits[limit] = most
    const ids = await Promise.all(Array.from({ length: 6 }, readyToFund))
    const answers = await Promise.all(ids.map(fund))
    const refused = answers.filter(isRefusal)
    expect(refused).toHaveLength(4)
    for (const one of refused) expect(one).toEqual({ refused: 'ESCROW_HOLDS_FULL', data: { of, most } })
    expect(await openNow()).toBe(most)

    const funded = ids[answers.findIndex((answer) => !isRefusal(answer))]!
    const waiting = ids[answers.findIndex(isRefusal)]!
    await world.ask(funded, { kind: 'cancel', by: BUYER })
    expect(await fund(waiting)).toMatchObject({ refused: 'ESCROW_HOLDS_FULL' })
    // The hash is finished: nothing arrives on it any more.
    const finish = world.queue.find(
      ({ task, payload }) => task === 'escrow:cancel-hold' && payload.id === funded,
    )
    await world.perform(finish!)
    expect(isRefusal(await fund(waiting))).toBe(false)
  })

  test('is told only to who might have funded', async () => {
    world.limits.ofAll = 0
    const id = await readyToFund()
    expect(await world.tryAsk(id, { kind: 'fund', by: WORKER, milestone: 0 })).toMatchObject({
      refused: 'ESCROW_WRONG_PARTY',
    })
  })
})
