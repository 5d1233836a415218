import { CLASS, OPCODE, RCODE, rcodeName, TYPE, typeName } from '../dns/codes.ts'
import { decodeMessage, type Message, type ResourceRecord } from '../dns/message.ts'
import { canonicalName, type Name, sameName } from '../dns/names.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import { type VerifySignature, verifySignature } from './algorithms.ts'
import { Bogus, Unavailable } from './result.ts'
import { type Rrset, rrsetsOf } from './rrset.ts'
import { type Budget, type SecureRrset, type TrustedZone, verifyRrset } from './signature.ts'

/**
 * Sends one question and gives back the whole response message. It may ask an authoritative server, a resolver or a
 * DoH service; it must set DO, should set CD and must retry over TCP by itself when the answer is truncated (a response
 * that has TC set counts as no answer). A rejected promise means that the DNS is not reachable.
 */
export type DnsQuery = (name: Name, type: number) => Promise<Uint8Array>

/** Generous for honest chains (a name ten zones deep with aliases needs fewer), tight for hostile ones. */
const MAX_QUERIES = 64
const MAX_VERIFICATIONS = 96

/** One validation: asks, verifies, counts the work, and remembers what the result rests on. */
export class Session implements Budget {
  readonly nowSeconds: number
  readonly verifySignature: VerifySignature
  readonly #query: DnsQuery
  readonly #answers = new Map<string, Sections>()
  readonly #proof = new Map<string, ResourceRecord>()
  #queries = 0
  #verifications = 0
  #ttlSeconds = Number.POSITIVE_INFINITY

  constructor(query: DnsQuery, nowSeconds: number, verify: VerifySignature = verifySignature) {
    this.#query = query
    this.nowSeconds = nowSeconds
    this.verifySignature = verify
  }

  /** How long everything that was relied upon may be kept. */
  get ttlSeconds(): number {
    return this.#ttlSeconds
  }

  get proof(): ResourceRecord[] {
    return [...this.#proof.values()]
  }

  /** @throws Unavailable unless the response is a complete answer to this very question. */
  async ask(name: Name, type: number): Promise<Sections> {
    const key = `${type} ${canonicalName(name)}`
    const known = this.#answers.get(key)
    if (known) return known
    this.#queries += 1
    if (this.#queries > MAX_QUERIES) throw new Bogus('too-much-work', 'the chain needs too many queries')
    const sections = await this.#exchange(name, type)
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
    return verifyRrset(set, zone, this.nowSeconds, this)
  }

  /** The result rests on this RRset from now on: it bounds the lifetime and belongs to the proof. */
  rely(secure: SecureRrset): void {
    this.#ttlSeconds = Math.min(this.#ttlSeconds, secure.ttlSeconds)
    for (const record of secure.proof) {
      this.#proof.set(`${canonicalName(record.name)} ${record.type} ${record.rdata.join()}`, record)
    }
  }

  async #exchange(name: Name, type: number): Promise<Sections> {
    const question = `${typeName(type)} ${name}`
    let bytes: Uint8Array
    try {
      bytes = await this.#query(name, type)
    } catch (cause) {
      throw new Unavailable(`no answer to ${question}`, { cause })
    }
    let message: Message
    let sections: Sections
    try {
      message = decodeMessage(bytes)
      sections = { answer: rrsetsOf(message.answer), authority: rrsetsOf(message.authority) }
    } catch (cause) {
      if (!(cause instanceof DnsWireError)) throw cause
      throw new Unavailable(`the answer to ${question} is malformed: ${cause.message}`, { cause })
    }
    checkIsAnswer(message, name, type, question)
    return sections
  }
}

export type Sections = { answer: Rrset[]; authority: Rrset[] }

function checkIsAnswer(message: Message, name: Name, type: number, question: string): void {
  const [asked] = message.question
  const answersUs =
    message.flags.response &&
    message.opcode === OPCODE.QUERY &&
    message.question.length === 1 &&
    asked?.type === type &&
    asked.class === CLASS.IN &&
    sameName(asked.name, name)
  if (!answersUs) throw new Unavailable(`the response does not belong to the question ${question}`)
  if (message.flags.truncated) throw new Unavailable(`the answer to ${question} is truncated`)
  if (message.rcode !== RCODE.NOERROR && message.rcode !== RCODE.NXDOMAIN) {
    throw new Unavailable(`the server answers ${rcodeName(message.rcode)} to ${question}`)
  }
  if (isReferral(message)) throw new Unavailable(`the server answers ${question} with a referral`)
}

/** RFC 1034 §4.3.2 step 3b: a server that knows only whom to ask next; we ask no further ourselves. */
function isReferral({ flags, answer, authority }: Message): boolean {
  const has = (type: number) => authority.some((record) => record.type === type)
  return !flags.authoritative && answer.length === 0 && has(TYPE.NS) && !has(TYPE.SOA)
}
