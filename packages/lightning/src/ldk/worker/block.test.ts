import { Transaction } from '@scure/btc-signer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBlock, txidOf, witnessOf } from './block.ts'
import { fromHex } from './bytes.ts'

/** BIP-143's signed P2WPKH example: two inputs, one of them with a witness. */
const SEGWIT =
  '01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000'

const header = new Uint8Array(80)
const blockOf = (...transactions: Uint8Array[]) =>
  Uint8Array.from(Buffer.concat([header, Uint8Array.of(transactions.length), ...transactions]))

test('a transaction with witness has the txid, inputs and outputs that btc-signer reads', () => {
  const raw = fromHex(SEGWIT)
  const reference = Transaction.fromRaw(raw, { allowUnknownOutputs: true, allowUnknownInputs: true })
  expect(txidOf(raw)).toBe(reference.id)
  const [parsed] = parseBlock(blockOf(raw))
  expect(parsed?.raw).toEqual(raw)
  expect(parsed?.spends).toHaveLength(2)
  expect(parsed?.outputs.map((output) => output.amountSat)).toEqual([112_340_000n, 223_450_000n])
})

test('its witness is told item by item, and a legacy transaction has none', () => {
  const [signature, key, ...others] = witnessOf(fromHex(SEGWIT))
  expect([signature?.length, key?.length, others]).toEqual([0x47, 0x21, []])
  const legacy = Buffer.concat([
    Uint8Array.of(1, 0, 0, 0, 1, ...new Uint8Array(36), 0, 255, 255, 255, 255, 0),
    new Uint8Array(4),
  ])
  expect(witnessOf(legacy)).toEqual([])
})

test('a legacy transaction, many scripts and counts above 252 are read', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 300 }), (scripts) => {
      const count = (n: number) => (n < 0xfd ? Uint8Array.of(n) : Uint8Array.of(0xfd, n & 0xff, n >> 8))
      const raw = Buffer.concat([
        Uint8Array.of(1, 0, 0, 0),
        Uint8Array.of(1, ...new Uint8Array(32).fill(7), 3, 0, 0, 0, 0, 255, 255, 255, 255),
        count(scripts.length),
        ...scripts.flatMap((script) => [Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0), count(script.length), script]),
        new Uint8Array(4),
      ])
      const [first, second] = parseBlock(blockOf(raw, raw))
      expect(first).toEqual(second)
      expect(first?.spends).toEqual([`${'07'.repeat(32)}:3`])
      expect(first?.outputs.map((output) => Buffer.from(output.script))).toEqual(
        scripts.map((s) => Buffer.from(s)),
      )
    }),
    { numRuns: 20 },
  )
})

test('a block that is cut short, or longer than its transactions, is refused', () => {
  const whole = blockOf(fromHex(SEGWIT))
  for (const end of [10, 81, 100, whole.length - 1])
    expect(() => parseBlock(whole.subarray(0, end))).toThrow()
  expect(() => parseBlock(Uint8Array.of(...whole, 0))).toThrow('after its last transaction')
})
