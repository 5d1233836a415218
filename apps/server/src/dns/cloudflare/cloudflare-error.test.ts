import { describe, expect, test } from 'vitest'
import { CloudflareApiError, type Meaning, meaningOf, zoneErrorOf } from './cloudflare-error.ts'

const CASES: [status: number | null, codes: number[], meaning: Meaning][] = [
  [null, [], 'unavailable'],
  [408, [], 'unavailable'],
  [409, [], 'unavailable'],
  [429, [10_000], 'unavailable'],
  [500, [81_058], 'unavailable'],
  [502, [], 'unavailable'],
  [401, [10_000], 'not-authorized'],
  [403, [10_000], 'not-authorized'],
  [403, [9_109], 'not-authorized'],
  [400, [6_003, 6_111], 'not-authorized'],
  [404, [7_003, 7_000], 'not-this-zone'],
  [400, [1_001], 'not-this-zone'],
  [400, [81_057], 'exists-already'],
  [400, [81_058], 'exists-already'],
  [400, [81_053], 'conflict'],
  [400, [81_054], 'conflict'],
  [400, [81_056], 'conflict'],
  [404, [81_044], 'not-there'],
  [400, [81_045], 'not-authorized'],
  // Refused for a reason that we do not know: trying again would be refused again.
  [400, [1_004, 9_021], 'not-authorized'],
  // A page of a proxy, not of the API.
  [403, [], 'unavailable'],
  [404, [], 'unavailable'],
]

describe('an answer of Cloudflare', () => {
  test.each(CASES)('HTTP %s with codes %j means %s', (status, codes, meaning) => {
    expect(meaningOf({ status, codes })).toBe(meaning)
  })

  test('that something is there or is not says nothing about a change, where nobody asked for it', () => {
    for (const code of [81_044, 81_058]) {
      const failure = { status: 400, codes: [code], message: 'said', retryAfterMs: null }
      const error = zoneErrorOf('shop.test', new CloudflareApiError(failure))
      expect(error).toMatchObject({ code: 'unavailable', message: 'shop.test at Cloudflare: said' })
    }
  })
})
