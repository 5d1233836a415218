import { beforeAll, describe, expect, test } from 'vitest'
import { BOLT3_SPENDINGS, EXPIRY } from '../testing/bolt3-spendings.ts'
import { scriptSpendings } from '../testing/script-spendings.ts'
import { payToWitnessScript, Spender, type TestInput, testKey } from '../testing/spender.ts'
import type { BitcoinRpc } from './rpc-client.ts'
import type { Transaction } from './transaction.ts'

const bob = testKey('bob')

/** How a chain must judge scripts; run against ours and against a real bitcoind. `rpc` starts on an empty chain. */
export function spendingContract(name: string, rpc: () => BitcoinRpc): void {
  describe(`${name}: spending by script`, () => {
    const byAge = [...BOLT3_SPENDINGS, ...scriptSpendings()].toSorted((a, b) => (a.age ?? 0) - (b.age ?? 0))
    let spender: Spender
    let funding: Transaction
    let age = 0

    beforeAll(async () => {
      spender = new Spender(rpc())
      await spender.mineCoins(Number(EXPIRY))
      const outputs = byAge.map(({ script }) => ({ value: 100_000n, script: payToWitnessScript(script) }))
      funding = spender.build(
        [spender.takeCoin()],
        [...outputs, { value: 4_980_000_000n, script: spender.key.script }],
      )
      await rpc().call('sendrawtransaction', [funding.bytes.toString('hex'), 0])
      await spender.mine(1)
    })

    test.each(byAge.map((one, vout) => ({ ...one, vout })))('$rule', async (one) => {
      await spender.mine((one.age ?? 0) - age)
      age = one.age ?? 0
      const { witness, sequence, lockTime = 0 } = one
      const coin = { txid: funding.txid, vout: one.vout, ...funding.outputs[one.vout]! }
      const input: TestInput = { ...coin, witness, ...(sequence === undefined ? {} : { sequence }) }
      const output = { value: coin.value - 1_000n, script: bob.script }
      const sent = spender.send(spender.build([input], [output], { lockTime }))
      if (one.refusal === undefined) expect(await sent).toMatch(/^[0-9a-f]{64}$/)
      else
        await expect(sent).rejects.toMatchObject({ code: -26, message: expect.stringMatching(one.refusal) })
    })
  })
}
