import { randomInt } from 'node:crypto'
import { CLASS, OPCODE, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, type Message, NO_FLAGS } from '@holdfast/protocols/dns/message'
import { sameName } from '@holdfast/protocols/dns/names'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
} from 'cockatiel'
import { DnsExchangeError, type ExchangeLimits, exchange, exchangeTcp } from '../dns-exchange.ts'
import { makeDohExchange } from './doh-exchange.ts'
import { type AwaitedRecord, judgeAnswer, type RecordVerdict } from './record-verdict.ts'
import type { ResolverEndpoint } from './resolver-endpoint.ts'
import { decideQuorum, type QuorumDecision, type ResolverVerdict } from './resolver-quorum.ts'

export type ResolverResult = ResolverVerdict & {
  /** As it is written in the configuration. */
  readonly resolver: string
  readonly ms: number
}

export type ResolverReport = QuorumDecision & { readonly results: readonly ResolverResult[] }

/**
 * Asks every resolver once, all at the same time, and answers as soon as enough have seen the record. Never throws for
 * what a resolver does. Ask only when all authoritative servers show the record: a resolver that has to say "no such
 * name" remembers it.
 */
export type AskResolvers = (record: AwaitedRecord) => Promise<ResolverReport>

export type AskResolversOptions = {
  readonly resolvers: readonly ResolverEndpoint[]
  /** How many must see the record. */
  readonly quorum: number
  /** For one resolver, the TCP after a truncated answer included; default 2 s. */
  readonly timeoutMs?: number
  /** Consecutive failures after which a resolver is left alone; default 3. */
  readonly failuresToBreak?: number
  /** For how long the first time, doubled each time that it fails again, up to 5 min; default 1 s. */
  readonly firstBreakMs?: number
  /** Certificate authority in PEM for DNS over HTTPS; default: those of Node. */
  readonly ca?: string
}

const LONGEST_BREAK_MS = 300_000
const MAX_RESPONSE_BYTES = 65_535
/** Fits every path without fragments (DNS flag day 2020). */
const UDP_PAYLOAD_BYTES = 1232

export function makeAskResolvers(options: AskResolversOptions): { ask: AskResolvers; close(): void } {
  const { resolvers, quorum, timeoutMs = 2_000, failuresToBreak = 3, firstBreakMs = 1_000 } = options
  if (quorum < 0 || quorum > resolvers.length)
    throw new RangeError(`${quorum} of ${resolvers.length} is no quorum`)
  const limits: ExchangeLimits = { timeoutMs, maxResponseBytes: MAX_RESPONSE_BYTES }
  const all = resolvers.map((endpoint) => ({
    text: endpoint.text,
    line: lineTo(endpoint, limits, options.ca),
    breaker: circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(failuresToBreak),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: firstBreakMs,
        maxDelay: LONGEST_BREAK_MS,
      }),
    }),
  }))

  return {
    async ask(record) {
      const results: ResolverResult[] = all.map(({ text }) => ({
        resolver: text,
        verdict: 'not-awaited',
        ms: 0,
      }))
      await new Promise<void>((enough, broken) => {
        const asked = all.map(async (resolver, index) => {
          results[index] = await askOne(resolver, record)
          if (decideQuorum(results, quorum).decision === 'confirmed') enough()
        })
        Promise.all(asked).then(() => enough(), broken)
      })
      const settled = [...results]
      return { ...decideQuorum(settled, quorum), results: settled }
    },
    close() {
      for (const { line } of all) line.close()
    },
  }

  async function askOne(
    { text, line, breaker }: (typeof all)[number],
    record: AwaitedRecord,
  ): Promise<ResolverResult> {
    const began = performance.now()
    const verdict = await breaker
      .execute(() => lookAt(line, record))
      .catch((error: unknown): ResolverVerdict => {
        if (error instanceof BrokenCircuitError) return { verdict: 'left-alone' }
        if (error instanceof RefusedError) return error.verdict
        return failedExchange(error)
      })
    return { resolver: text, ...verdict, ms: Math.round(performance.now() - began) }
  }
}

type Line = { send(query: Uint8Array): Promise<Uint8Array>; idOf(): number; close(): void }

function lineTo(endpoint: ResolverEndpoint, limits: ExchangeLimits, ca: string | undefined): Line {
  if (endpoint.via === 'https') {
    const doh = makeDohExchange(endpoint.url, ca === undefined ? {} : { ca })
    // RFC 8484 §4.1: the id is 0, so that equal queries are equal for HTTP caches.
    return { send: (query) => doh.exchange(query, limits), idOf: () => 0, close: doh.close }
  }
  const send = endpoint.via === 'udp' ? exchange : exchangeTcp
  return {
    send: (query) => send(endpoint.address, query, limits),
    idOf: () => randomInt(0x1_0000),
    close: () => undefined,
  }
}

/** The resolver answers, but not for us; for the circuit breaker that is a failure. */
class RefusedError extends Error {
  readonly verdict: RecordVerdict
  constructor(verdict: RecordVerdict) {
    super(verdict.verdict)
    this.verdict = verdict
  }
}

async function lookAt(line: Line, record: AwaitedRecord): Promise<RecordVerdict> {
  const query = queryFor(line.idOf(), record.name)
  const answer = decodeMessage(await line.send(encodeMessage(query)))
  if (!answersTo(query, answer)) throw new DnsExchangeError('malformed', 'the answer is not to our question')
  const verdict = judgeAnswer(answer, record)
  if (verdict.verdict === 'refused') throw new RefusedError(verdict)
  return verdict
}

/**
 * AD asks a validating resolver to say so (RFC 6840 §5.7), without DO: we do not want the signatures here, because our
 * own validation follows. CD is not set: it is the resolver's judgement that we ask for.
 */
function queryFor(id: number, name: string): Message {
  return {
    id,
    opcode: OPCODE.QUERY,
    rcode: RCODE.NOERROR,
    flags: { ...NO_FLAGS, recursionDesired: true, authenticData: true },
    question: [{ name, type: TYPE.TXT, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
    edns: { udpPayloadSize: UDP_PAYLOAD_BYTES, version: 0, dnssecOk: false, options: [] },
  }
}

function answersTo(query: Message, answer: Message): boolean {
  const [asked] = query.question
  const [repeated] = answer.question
  return (
    answer.flags.response &&
    answer.id === query.id &&
    // An error may come without the question that it could not read.
    (repeated === undefined
      ? answer.rcode !== RCODE.NOERROR && answer.rcode !== RCODE.NXDOMAIN
      : repeated.type === asked!.type && sameName(repeated.name, asked!.name))
  )
}

function failedExchange(error: unknown): ResolverVerdict {
  if (error instanceof DnsWireError) return { verdict: 'malformed', detail: error.message }
  if (!(error instanceof DnsExchangeError)) throw error
  const verdict = error.failure === 'too-large' ? 'malformed' : error.failure
  return { verdict, detail: error.message }
}
