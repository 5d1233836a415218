import { expect, test } from 'vitest'
import { parseName, recordName } from '../bip353.ts'
import { mutate, mutationRuns, seeded } from '../dnssec/testing/mutations.ts'
import { NOW } from '../dnssec/testing/signed-world.ts'
import { CASES, NAME, withShop } from '../dnssec/testing/validation-cases.ts'
import { makeVerifiedSignatures } from '../dnssec/verified-signatures.ts'
import { hexToBytes } from '../hex.ts'
import { decodePsbtProof } from '../psbt-proof.ts'
import { buildProof } from './build-proof.ts'
import { BIP353_PROOFS } from './testing/bip353-proofs.ts'
import { type ProofVerification, type VerifyProofOptions, verifyProof } from './verify-proof.ts'

const RUNS = mutationRuns(500)
const SEED = 20_261_121
/** For the long run; the usual one takes seconds. */
const PATIENCE_MS = 3_600_000

type Subject = {
  title: string
  proof: Uint8Array
  name: string
  options: VerifyProofOptions
  real?: Promise<ProofVerification>
}

async function crafted(title: string): Promise<Subject> {
  const { world, name = NAME } = CASES.find((one) => one.title === title) ?? { world: withShop({}) }
  const { query, anchors } = world
  const { proof } = await buildProof(name, { query, anchors, nowSeconds: NOW })
  return { title, proof: proof!, name, options: { anchors, nowSeconds: NOW } }
}

function published(which: 'simple' | 'alias', time: string): Subject {
  const { name, proof } = decodePsbtProof(hexToBytes(BIP353_PROOFS[which]))
  const nowSeconds = Date.parse(time) / 1000
  return { title: `BIP-353 ${which}`, proof, name: recordName(parseName(name)), options: { nowSeconds } }
}

const SUBJECTS: Subject[] = [
  published('simple', '2025-08-07T18:00:00Z'),
  published('alias', '2025-08-06T18:00:00Z'),
  await crafted('a signed TXT'),
  await crafted('a CNAME into another signed zone'),
  await crafted('a DNAME'),
  await crafted('a wildcard, with denial of the exact name by NSEC'),
  await crafted('a wildcard, with denial of the exact name by NSEC3'),
  await crafted('no such name, by NSEC3'),
]

/** Only what was right before is remembered, so that a run costs the signatures that a mutation touched. */
const { verify: verifySignature } = makeVerifiedSignatures()
const verify = (proof: Uint8Array, { name, options }: Subject) =>
  verifyProof(proof, name, { ...options, verifySignature })

async function expectSameOrRefused(mutant: Uint8Array, subject: Subject, what: unknown): Promise<string> {
  subject.real ??= verify(subject.proof, subject)
  const { resolution: real, window } = await subject.real
  const { resolution, window: changed } = await verify(mutant, subject)
  if (resolution.status === 'bogus') return 'bogus'
  // An RRSIG’s unsigned owner, a TTL, letter case: the same is said. A TTL can only be lowered.
  expect({ what, status: resolution.status, window: changed }).toEqual({ what, status: real.status, window })
  if (!('chain' in resolution && 'chain' in real)) throw new Error('only proofs of something are mutated')
  if ('values' in real) expect(resolution).toMatchObject({ values: real.values })
  expect(resolution.ttlSeconds).toBeLessThanOrEqual(
    Math.max(real.ttlSeconds, ...resolution.chain.map(({ ttl }) => ttl)),
  )
  return 'same'
}

test.each(SUBJECTS)(
  '$title: each byte changed, the proof says the same or nothing',
  async (subject) => {
    const random = seeded(SEED)
    // About 100 bytes of each in the usual run, every byte in the long one.
    const step = RUNS > 10_000 ? 1 : Math.ceil(subject.proof.length / 100)
    const outcomes = new Set<string>()
    for (let at = Math.floor(random() * step); at < subject.proof.length; at += step) {
      const mutant = Uint8Array.from(subject.proof)
      mutant[at]! ^= 1 + Math.floor(random() * 255)
      outcomes.add(await expectSameOrRefused(mutant, subject, at))
    }
    expect(outcomes).toContain('bogus')
  },
  PATIENCE_MS,
)

test(
  `${RUNS} random mutations never crash and never say anything else`,
  async () => {
    const random = seeded(SEED)
    const outcomes = new Set<string>()
    for (let run = 0; run < RUNS; run++) {
      const subject = SUBJECTS[Math.floor(random() * SUBJECTS.length)]!
      outcomes.add(await expectSameOrRefused(mutate(subject.proof, random), subject, run))
    }
    expect(outcomes).toEqual(new Set(['bogus', 'same']))
  },
  PATIENCE_MS,
)
