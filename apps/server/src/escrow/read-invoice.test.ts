import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { publicKey, secretKey } from '@holdfast/protocols/testing/points'
import { describe, expect, test } from 'vitest'
import { readInvoice } from './read-invoice.ts'

const OWN = publicKey(7)
const node = { network: 'regtest', nodeId: OWN } as const

const hop = (nodeId: string, cltvExpiryDelta: number) => ({
  nodeId,
  shortChannelId: 1n,
  feeBaseMsat: 1,
  feeProportionalMillionths: 1,
  cltvExpiryDelta,
})
type Hop = ReturnType<typeof hop>

function invoiceWith(hints: readonly (readonly Hop[])[], more: { network?: 'bitcoin' } = {}): string {
  return encodeInvoice({
    ...more,
    amountMsat: 1_000_000n,
    createdAt: 1_800_000_000_000,
    fields: [
      fieldOf.hex('p', '11'.repeat(32)),
      fieldOf.hex('s', '22'.repeat(32)),
      fieldOf.description('work'),
      fieldOf.number('c', 40),
      ...hints.map((hops) => fieldOf.routeHint(hops)),
    ],
    secretKey: secretKey(9),
  })
}

describe('the blocks that an invoice needs', () => {
  test.each<[string, Hop[][], number]>([
    ['its own, without hints', [], 40],
    ['those of a hint’s hop on top', [[hop(publicKey(2), 80)]], 120],
    ['those of all hops of a hint', [[hop(publicKey(2), 80), hop(publicKey(3), 34)]], 154],
    ['of the shortest hint', [[hop(publicKey(2), 144)], [hop(publicKey(3), 18)]], 58],
    ['none of a hop that leaves our own node', [[hop(OWN, 144)]], 40],
    ['nor of those before it', [[hop(publicKey(2), 144), hop(OWN, 144), hop(publicKey(3), 9)]], 49],
  ])('%s', (_what, hints, finalCltv) => {
    expect(readInvoice(invoiceWith(hints), node)).toMatchObject({ finalCltv })
  })
})

describe('what is read in an invoice', () => {
  test('is who is paid, how much, on which hash, and whether on our network', () => {
    expect(readInvoice(` lightning:${invoiceWith([])}\n`, node)).toEqual({
      invoice: invoiceWith([]),
      paymentHash: '11'.repeat(32),
      payee: publicKey(9),
      rightNetwork: true,
      amountMsat: 1_000_000n,
      expiresAt: 1_800_000_000_000 + 3_600_000,
      finalCltv: 40,
      hashIsNew: true,
    })
    expect(readInvoice(invoiceWith([], { network: 'bitcoin' }), node)).toMatchObject({ rightNetwork: false })
  })

  test('is nothing before its signature and form are right', () => {
    const good = invoiceWith([])
    const forged = `${good.slice(0, -1)}${good.endsWith('q') ? 'p' : 'q'}`
    for (const bad of ['', 'lnbcrt1', forged, good.toUpperCase().replace('L', 'l')])
      expect(readInvoice(bad, node)).toMatchObject({ refused: 'INVOICE_INVALID' })
  })
})
