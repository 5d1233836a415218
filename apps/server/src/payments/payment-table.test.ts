import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { makePaymentsWorld, type PaymentsWorld } from './testing/payments-world.ts'

const database = withDatabase()
let world: PaymentsWorld

beforeEach(() => {
  world = makePaymentsWorld(database)
})

describe('the table guards by itself', () => {
  const change = (id: string, path: string, value: string) =>
    sql`update payment set state = jsonb_set(state, ${path}::text[], ${value}::jsonb) where id = ${id}`.execute(
      database.db,
    )

  test.each([
    ['the destination as given', '{to}', '"bob@shop.test"'],
    ['the node', '{nodeId}', '"02"'],
    ['the deadline', '{deadlineAt}', '1'],
    ['the amount', '{amountMsat}', '"9999"'],
    ['the fee limit', '{maxFeeMsat}', '"9999"'],
    ['what is paid', '{payable,offer}', '"lno1other"'],
    ['the phase alone', '{phase}', '"failed"'],
    ['the note', '{note}', '"another"'],
    ['the count of tries', '{tries}', '2'],
    ['the ids that are left', '{spareNodePaymentIds}', '[]'],
    ['a preimage at the top', '{preimage}', '"00"'],
    ['a preimage below', '{payable,preimage}', '"00"'],
  ])('%s cannot be changed while it is sent', async (_what, path, value) => {
    const { id } = await world.start()
    await expect(change(id, path, value)).rejects.toMatchObject({ code: '23514' })
  })

  test('the id under which it is sent changes to the next one only', async () => {
    const { id, spareNodePaymentIds } = await world.start()
    const change = (nodePaymentId: string, spare: string[], tries: number) =>
      sql`update payment set node_payment_id = ${nodePaymentId}, state = state || ${JSON.stringify({
        nodePaymentId,
        spareNodePaymentIds: spare,
        tries,
      })}::jsonb where id = ${id}`.execute(database.db)
    const [second, third] = spareNodePaymentIds as [string, string]
    for (const [next, spare, tries] of [
      ['ab'.repeat(32), [third], 2],
      [third, [second], 2],
      [second, [third, second], 2],
      [second, [third], 1],
    ] as const) {
      await expect(change(next, [...spare], tries)).rejects.toMatchObject({ code: '23514' })
    }
    await change(second, [third], 2)
    await change(third, [], 3)
  })

  test('a payment that succeeded stays so', async () => {
    const { id } = await world.start()
    await world.run('pay')
    const undo = sql`update payment set phase = 'sending', look_at = now(),
      state = jsonb_set(state, '{phase}', '"sending"') where id = ${id}`
    await expect(undo.execute(database.db)).rejects.toMatchObject({ code: '23514' })
  })
})
