import { expect, test } from 'vitest'
import type { TrustAnchor } from './anchors.ts'
import { resolveTxt } from './resolve-txt.ts'
import { mutate, mutationRuns, seeded } from './testing/mutations.ts'
import { NOW } from './testing/signed-world.ts'
import { testKey } from './testing/test-keys.ts'
import { NAME, VALUE_TEXT, withShop } from './testing/validation-cases.ts'
import { makeVerifiedSignatures } from './verified-signatures.ts'

const RUNS = mutationRuns(500)
/** Only what was right before is remembered, so that a run costs the signatures that a mutation touched. */
const { verify: verifySignature } = makeVerifiedSignatures()
const SEED = 20_261_121
/** One run in so many walks down from the root; the others begin at the zone, which is several times faster. */
const WHOLE_CHAIN_EVERY = 10
const ZONE_ANCHOR: TrustAnchor = {
  zone: 'shop.test.',
  kind: 'dnskey',
  key: testKey('p256', 'shop.test.').dnskey,
}

test.each(['nsec', { iterations: 0, salt: new Uint8Array(), optOut: false }] as const)(
  `${RUNS} mutations of real answers are never accepted with other content and never crash (denial %#)`,
  async (denial) => {
    const random = seeded(SEED)
    const world = withShop({ denial })
    const real = new Map<string, Uint8Array>()
    const answerOf = async (name: string, type: number) => {
      const key = `${type} ${name}`
      const known = real.get(key) ?? (await world.query(name, type))
      real.set(key, known)
      return known
    }
    const outcomes = new Set<string>()
    for (let run = 0; run < RUNS; run++) {
      // The TXT is asked first: mostly it is mutated, else some answer on the way down.
      const anchors = run % WHOLE_CHAIN_EVERY === 0 ? world.anchors : [ZONE_ANCHOR]
      const victim = random() < 0.7 ? 0 : Math.floor(random() * (anchors === world.anchors ? 6 : 2))
      const name = random() < 0.5 ? NAME : `nobody.${NAME}`
      let asked = 0
      const query = async (queried: string, type: number) => {
        const bytes = await answerOf(queried, type)
        return asked++ === victim ? mutate(bytes, random) : bytes
      }
      const result = await resolveTxt(name, { query, anchors, nowSeconds: NOW, verifySignature })
      outcomes.add(result.status)
      if (result.status === 'secure') {
        expect({ run, name, values: result.values.map((value) => new TextDecoder().decode(value)) }).toEqual({
          run,
          name: NAME,
          values: [VALUE_TEXT],
        })
        expect(result.ttlSeconds).toBeLessThanOrEqual(120)
      }
      if (result.status === 'nxdomain' || result.status === 'nodata') {
        expect({ run, name, status: result.status }).toEqual({
          run,
          name: `nobody.${NAME}`,
          status: 'nxdomain',
        })
      }
      expect({ run, status: result.status }).not.toEqual({ run, status: 'insecure' })
    }
    expect(outcomes).toEqual(new Set(['secure', 'nxdomain', 'bogus', 'unavailable']))
  },
  // For the long run; the usual one takes seconds.
  3_600_000,
)
