import { isRefusal } from '@holdfast/core'
import { encodeOffer, type OfferFields } from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'
import { publicKey } from '@holdfast/protocols/testing/points'
import { describe, expect, test } from 'vitest'
import { checkOffer } from './check-offer.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY_SECONDS = 24 * 3600
const inDays = (days: number) => BigInt(NOW / 1000 + days * DAY_SECONDS)

const offer = (parts: Partial<OfferFields> = {}) =>
  encodeOffer({ chains: [chainHashOf('regtest')], issuerId: publicKey(7), description: 'x', ...parts }).text

const check = (text: string) => checkOffer(text, { network: 'regtest', now: NOW })

describe('an offer that is published under a name', () => {
  test.each<[string, () => string, string]>([
    ['is no offer', () => 'lno1qqqq', 'OFFER_INVALID'],
    ['is for another chain', () => offer({ chains: [chainHashOf('bitcoin')] }), 'OFFER_FOREIGN_CHAIN'],
    ['has expired', () => offer({ absoluteExpirySeconds: inDays(0) }), 'OFFER_EXPIRED'],
    ['ends within a month', () => offer({ absoluteExpirySeconds: inDays(29) }), 'OFFER_EXPIRES_SOON'],
    ['makes answers too long', () => offer({ description: 'x'.repeat(1_500) }), 'OFFER_TOO_LONG'],
    ['asks in euros', () => offer({ amount: { currency: 'EUR', minorUnits: 5n } }), 'OFFER_UNSUPPORTED'],
    [
      'asks for more than there is',
      () => offer({ amount: { msat: 2_100_000_000_000_000_001n } }),
      'OFFER_UNSUPPORTED',
    ],
    ['is sold by the piece', () => offer({ quantityMax: 5n }), 'OFFER_UNSUPPORTED'],
  ])('may not be one that %s', (_, text, code) => {
    expect(check(text())).toMatchObject({ refused: code })
  })

  test.each<[string, bigint | undefined, number | undefined]>([
    ['never', undefined, undefined],
    ['after a month', inDays(31), Number(inDays(31)) * 1000],
    ['beyond the end of dates', 8_640_000_000_001n, undefined],
  ])('may end %s', (_, absoluteExpirySeconds, expiresAt) => {
    const ready = check(offer(absoluteExpirySeconds === undefined ? {} : { absoluteExpirySeconds }))
    if (isRefusal(ready)) throw new Error(ready.refused)
    expect(ready.expiresAt).toBe(expiresAt)
  })
})
