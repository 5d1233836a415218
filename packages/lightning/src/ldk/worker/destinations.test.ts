import { Bolt11Invoice, Offer } from 'lightningdevkit'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Destinations } from './destinations.ts'
import { loadWasm } from './wasm.ts'

const INVOICE =
  'lnbcrt10n1p04uyqqdqdd3hkueeqv9nk7np4qf7lqwcm7e8fg4aay624g35ptjc69avdhvjcd0cgkururuefjw59zpp5s80sjus57wjfrmwm343t64rhskdaey0j4znkz3jlrurfp6m6xykqsp5cusp8f8xz6qeqsfz05jxv82ntnvtese6sgmumj2m8cgqs52jy7gq9qyysgqcqpcxqrrssnvr766xxdmhm4tspx7w3h2zka3vq42zzypzda27yc8pyd024rmdy7lqe3shtqaz8l07m92gjxnkdk7q5n2duvjewuumc380n07l7f0cql6fnqc'
/** BOLT 12's example: an offer with nothing but an issuer. */
const OFFER = 'lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese'

describe('Destinations', () => {
  let readings: string[]
  beforeAll(() => loadWasm())
  afterEach(() => vi.restoreAllMocks())

  const watched = () => {
    readings = []
    for (const kind of [Bolt11Invoice, Offer]) {
      const read = kind.constructor_from_str as (text: string) => never
      vi.spyOn(kind, 'constructor_from_str').mockImplementation((text) => {
        readings.push(text.slice(0, 4))
        return read(text)
      })
    }
    return new Destinations()
  }

  test('what was read is not read again, and is what LDK and we read', () => {
    const destinations = watched()
    const invoice = destinations.invoice(INVOICE)
    expect(invoice.ours.amountMsat).toBe(1_000n)
    expect(invoice.ldk.to_str()).toBe(INVOICE)
    expect(destinations.invoice(INVOICE)).toBe(invoice)
    const offer = destinations.offer(OFFER)
    expect(offer.ours.text).toBe(OFFER)
    expect(destinations.offer(OFFER)).toBe(offer)
    expect(readings).toEqual(['lnbc', 'lno1'])
  })

  test('what cannot be read is refused each time, by our rules or by those of LDK', () => {
    const destinations = watched()
    const invalid = expect.objectContaining({ code: 'invalid' })
    for (let time = 0; time < 2; time++) {
      expect(() => destinations.invoice(INVOICE.replace('lnbcrt10n', 'lnbcrt20n'))).toThrow(invalid)
      expect(() => destinations.offer(`${OFFER}e`)).toThrow(invalid)
    }
    vi.spyOn(Bolt11Invoice, 'constructor_from_str').mockReturnValue({} as never)
    vi.spyOn(Offer, 'constructor_from_str').mockReturnValue({} as never)
    expect(() => destinations.invoice(INVOICE)).toThrow('LDK cannot read the invoice.')
    expect(() => destinations.offer(OFFER)).toThrow('LDK cannot read the offer.')
  })

  test('only the last hundred are kept', () => {
    const destinations = watched()
    const first = destinations.offer(OFFER)
    // Bech32 without a checksum: BOLT 12 lets an offer be cut anywhere, so each of these is the same offer.
    for (let at = 5; at < 5 + 99; at++)
      destinations.offer(`${OFFER.slice(0, 5)}+${' '.repeat(at)}${OFFER.slice(5)}`)
    expect(destinations.offer(OFFER)).toBe(first)
    for (let at = 200; at < 300; at++)
      destinations.offer(`${OFFER.slice(0, 5)}+${' '.repeat(at)}${OFFER.slice(5)}`)
    expect(destinations.offer(OFFER)).not.toBe(first)
  })
})
