import { isRefusal } from '@holdfast/core'
import { chainHashOf } from '@holdfast/protocols/network'
import { publicKey } from '@holdfast/protocols/testing/points'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDestination } from './parse-destination.ts'
import { invoiceOf, offerOf } from './testing/payments-world.ts'

const NOW = 1_790_000_000_000
const NODE = { network: 'regtest', nodeId: publicKey(7) } as const
const read = (text: string) => parseDestination(text, NODE, NOW)

const offer = offerOf()
const priced = offerOf({ amount: { msat: 5_000n } })
const foreignOffer = offerOf({ chains: [chainHashOf('bitcoin')] })
const invoice = invoiceOf({ createdAt: NOW })
const pricedInvoice = invoiceOf({ createdAt: NOW, amountMsat: 7_000n })
const foreignInvoice = invoiceOf({ createdAt: NOW, network: 'bitcoin' })

describe('a destination is', () => {
  test.each<[string, string, object]>([
    ['a name', 'alice@shop.test', { kind: 'name', name: 'alice@shop.test' }],
    ['a name with ₿', '₿alice@shop.test', { kind: 'name', name: 'alice@shop.test' }],
    ['a name in capitals', 'ALICE@Shop.TEST', { kind: 'name', name: 'alice@shop.test' }],
    ['a name that begins like an invoice', 'lnbc1@shop.test', { kind: 'name', name: 'lnbc1@shop.test' }],
    ['a name that begins like an offer', 'lno1@shop.test', { kind: 'name', name: 'lno1@shop.test' }],
    ['an offer', offer, { kind: 'bolt12', offer, asksMsat: null }],
    ['an offer with an amount', priced, { kind: 'bolt12', offer: priced, asksMsat: 5_000n }],
    ['an offer in capitals', offer.toUpperCase(), { kind: 'bolt12', offer, asksMsat: null }],
    [
      'an offer in two lines',
      `${offer.slice(0, 20)}+\n  ${offer.slice(20)}`,
      { kind: 'bolt12', offer, asksMsat: null },
    ],
    ['an offer cut in its prefix', `ln+${offer.slice(2)}`, { kind: 'bolt12', offer, asksMsat: null }],
    [
      'an offer that expires later',
      offerOf({ absoluteExpirySeconds: BigInt(NOW / 1000 + 1) }),
      { kind: 'bolt12', asksMsat: null },
    ],
    [
      'an offer for several chains',
      offerOf({ chains: [chainHashOf('bitcoin'), chainHashOf('regtest')] }),
      { kind: 'bolt12', asksMsat: null },
    ],
    ['an invoice', invoice, { kind: 'bolt11', invoice, asksMsat: null }],
    ['an invoice with an amount', pricedInvoice, { kind: 'bolt11', asksMsat: 7_000n }],
    ['an invoice in capitals', invoice.toUpperCase(), { kind: 'bolt11', invoice }],
    ['an invoice with its old scheme', `LIGHTNING:${invoice}`, { kind: 'bolt11', invoice }],
    ['an invoice with white space around', ` ${invoice}\n`, { kind: 'bolt11', invoice }],
    ['a URI with an offer', `bitcoin:?lno=${offer}`, { kind: 'bolt12', offer, asksMsat: null }],
    ['a URI with both: the offer', `bitcoin:?lightning=${invoice}&lno=${offer}`, { kind: 'bolt12', offer }],
    [
      'a URI whose first offer is not for us: the second',
      `bitcoin:?lno=${foreignOffer}&lno=${offer}`,
      { kind: 'bolt12', offer },
    ],
    [
      'a URI whose offer is broken: its invoice',
      `bitcoin:?lno=lno1qqqq&lightning=${invoice}`,
      { kind: 'bolt11', invoice },
    ],
    [
      'a URI in capitals with an address',
      `BITCOIN:BCRT1QQQ?LIGHTNING=${invoice.toUpperCase()}`,
      { kind: 'bolt11', invoice },
    ],
    ['a URI with an amount', `bitcoin:?amount=0.00000002&lno=${offer}`, { offer, asksMsat: 2_000n }],
    [
      'a URI with the same amount as its offer',
      `bitcoin:?amount=0.00000005&lno=${priced}`,
      { offer: priced, asksMsat: 5_000n },
    ],
  ])('%s', (_what, text, destination) => {
    expect(read(text)).toMatchObject(destination)
  })
})

describe('refused as a destination:', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'DESTINATION_INVALID'],
    ['a word', 'alice', 'DESTINATION_INVALID'],
    ['an address', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'DESTINATION_INVALID'],
    ['an LNURL', 'lnurl1dp68gurn8ghj7um9wfmxjcm99e3k7mf0v9cxj0m385ekvcenxc6r2c35', 'DESTINATION_INVALID'],
    ['a BOLT 12 invoice', 'lni1qqqq', 'DESTINATION_INVALID'],
    ['a name with a blank', 'a b@shop.test', 'NAME_INVALID'],
    ['a name without a user', '@shop.test', 'NAME_INVALID'],
    ['a name with two @', 'a@b@shop.test', 'NAME_INVALID'],
    ['a broken offer', 'lno1qqqq', 'OFFER_INVALID'],
    ['a cut-off offer', offer.slice(0, -4), 'OFFER_INVALID'],
    ['an offer of another chain', foreignOffer, 'OFFER_FOREIGN_CHAIN'],
    ['an offer without chain: Bitcoin’s', offerOf({ chains: undefined as never }), 'OFFER_FOREIGN_CHAIN'],
    ['an offer that expires now', offerOf({ absoluteExpirySeconds: BigInt(NOW / 1000) }), 'OFFER_EXPIRED'],
    ['an offer in euros', offerOf({ amount: { currency: 'EUR', minorUnits: 5n } }), 'OFFER_UNSUPPORTED'],
    ['an offer by the piece', offerOf({ quantityMax: 0n }), 'OFFER_UNSUPPORTED'],
    ['a cut-off invoice', invoice.slice(0, -1), 'INVOICE_INVALID'],
    [
      'an invoice with another character',
      invoice.replace(/.$/, (c) => (c === 'q' ? 'p' : 'q')),
      'INVOICE_INVALID',
    ],
    ['an invoice of another chain', foreignInvoice, 'INVOICE_FOREIGN_CHAIN'],
    ['an invoice that expires now', invoiceOf({ createdAt: NOW - 3_600_000 }), 'INVOICE_EXPIRED'],
    ['our own invoice', invoiceOf({ createdAt: NOW, payee: 7 }), 'PAYMENT_TO_SELF'],
    ['a URI that requires something', `bitcoin:?req-x=1&lno=${offer}`, 'URI_INVALID'],
    ['a URI without anything', 'bitcoin:', 'URI_INVALID'],
    ['a URI with an address only', 'bitcoin:bcrt1qqq', 'URI_NOT_PAYABLE'],
    ['a URI with something we cannot pay', 'bitcoin:?sp=sp1qq', 'URI_NOT_PAYABLE'],
    ['a URI whose amounts differ', `bitcoin:?amount=1&lno=${priced}`, 'URI_INVALID'],
    ['a URI whose only offer is not for us', `bitcoin:?lno=${foreignOffer}`, 'OFFER_FOREIGN_CHAIN'],
    [
      'a URI of which nothing is for us: by its first',
      `bitcoin:?lno=${foreignOffer}&lightning=${foreignInvoice}`,
      'OFFER_FOREIGN_CHAIN',
    ],
  ])('%s', (_what, text, code) => {
    expect(read(text)).toMatchObject({ refused: code })
  })

  test('whatever else, and never a fault', () => {
    const pieces = fc.constantFrom(
      offer,
      invoice,
      'bitcoin:?',
      'lno1',
      'lnbcrt1',
      'lightning:',
      '@',
      '₿',
      '+',
      '&',
      '=',
      '%',
    )
    const texts = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 6 })
    fc.assert(
      fc.property(texts, (parts) => {
        const destination = read(parts.join(''))
        expect(isRefusal(destination) || 'kind' in destination).toBe(true)
      }),
      // Each invoice that is read costs a signature check.
      { numRuns: 40 },
    )
  })
})
