import type { ResourceRecord } from '../dns/message.ts'
import { canonicalName, type Name } from '../dns/names.ts'
import { type VerifySignature, verifySignature } from './algorithms.ts'
import type { AnswerSource, Sections } from './answer-source.ts'
import { Bogus } from './result.ts'
import { type Rrset, recordKey } from './rrset.ts'
import {
  type Budget,
  type SecureRrset,
  type SigningTime,
  type TrustedZone,
  verifyRrset,
} from './signature.ts'

/** BIP-353: "expiry of all RRSigs is no earlier than an hour in the past". */
export const MAX_EXPIRY_GRACE_SECONDS = 3_600

/** Generous for honest chains (a name ten zones deep with aliases needs fewer), tight for hostile ones. */
const MAX_QUERIES = 64
const MAX_VERIFICATIONS = 96

export type SessionOptions = {
  nowSeconds: number
  /** How long ago a signature may have expired; 0 unless told. */
  expiryGraceSeconds?: number | undefined
  verifySignature?: VerifySignature | undefined
}

/** @throws RangeError */
export function checkTime({ nowSeconds, expiryGraceSeconds = 0 }: SessionOptions): void {
  if (!Number.isSafeInteger(nowSeconds) || nowSeconds < 0) {
    throw new RangeError(`${nowSeconds} is no time in seconds since 1970`)
  }
  if (!(expiryGraceSeconds >= 0 && expiryGraceSeconds <= MAX_EXPIRY_GRACE_SECONDS)) {
    throw new RangeError('expired signatures may be accepted for an hour at most')
  }
}

/** One validation: asks, verifies, counts the work, and remembers what the result rests on. */
export class Session implements Budget, SigningTime {
  readonly nowSeconds: number
  readonly expiryGraceSeconds: number
  readonly verifySignature: VerifySignature
  readonly #source: AnswerSource
  readonly #answers = new Map<string, Sections>()
  readonly #proof = new Map<string, ResourceRecord>()
  #queries = 0
  #verifications = 0
  #ttlSeconds = Number.POSITIVE_INFINITY

  /** @throws RangeError for a time that is none: compared with it, every signature would be valid. */
  constructor(source: AnswerSource, options: SessionOptions) {
    checkTime(options)
    this.#source = source
    this.nowSeconds = options.nowSeconds
    this.expiryGraceSeconds = options.expiryGraceSeconds ?? 0
    this.verifySignature = options.verifySignature ?? verifySignature
  }

  get zoneCuts(): AnswerSource['zoneCuts'] {
    return this.#source.zoneCuts
  }

  /** How long everything that was relied upon may be kept. */
  get ttlSeconds(): number {
    return this.#ttlSeconds
  }

  get proof(): ResourceRecord[] {
    return [...this.#proof.values()]
  }

  /** @throws Unavailable, as the source does; Bogus when too much is asked. */
  async ask(name: Name, type: number): Promise<Sections> {
    const key = `${type} ${canonicalName(name)}`
    const known = this.#answers.get(key)
    if (known) return known
    this.#queries += 1
    if (this.#queries > MAX_QUERIES) throw new Bogus('too-much-work', 'the chain needs too many queries')
    const sections = await this.#source.ask(name, type)
    this.#answers.set(key, sections)
    return sections
  }

  spendVerification(): void {
    this.#verifications += 1
    if (this.#verifications > MAX_VERIFICATIONS) {
      throw new Bogus('too-much-work', 'the chain needs too many signature checks')
    }
  }

  /** Verifies without relying on it yet. @throws Bogus */
  verify(set: Rrset, zone: TrustedZone): SecureRrset {
    return verifyRrset(set, zone, this, this)
  }

  /** The result rests on this RRset from now on: it bounds the lifetime and belongs to the proof. */
  rely(secure: SecureRrset): void {
    this.#ttlSeconds = Math.min(this.#ttlSeconds, secure.ttlSeconds)
    for (const record of secure.proof) {
      this.#proof.set(recordKey(record), record)
    }
  }
}
