import { randomInt } from 'node:crypto'
import { RCODE, rcodeName, typeName } from '@holdfast/protocols/dns/codes'
import { dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
} from 'cockatiel'
import { DnsExchangeError, exchange } from './dns-exchange.ts'
import { parseServerAddress, type ServerAddress } from './server-address.ts'

/** The DNS is down, as far as we can see: no server gave an answer. It says nothing about the name. */
export class DnsUnavailableError extends Error {
  /** One line for each try. */
  readonly failures: readonly string[]
  constructor(question: string, failures: readonly string[]) {
    super(`no DNS server answered ${question}: ${failures.join('; ')}`)
    this.name = 'DnsUnavailableError'
    this.failures = failures
  }
}

/** Asks for one record set; resolves with the raw answer, whether it holds records or denies them. */
export type DnsQuery = (name: string, type: number) => Promise<Uint8Array>

export type DnsQueryOptions = {
  /** `address` or `address:port` of recursive resolvers (or authoritative servers), tried in this order. */
  readonly servers: readonly string[]
  /** For one try at one server. */
  readonly timeoutMs: number
  /** How often the list is gone through; default 2. */
  readonly rounds?: number
  /** Default 16 KiB: the largest honest DNSSEC answers are a few. */
  readonly maxResponseBytes?: number
  /** Consecutive failures after which a server is left alone for `breakMs`; default 5. */
  readonly failuresToBreak?: number
  /** Default 10 s. */
  readonly breakMs?: number
}

/**
 * Makes the `query` that the validator asks with. The question carries DO and CD (RFC 4035 §3.2): we want the
 * signatures and judge them ourselves. Throws `DnsUnavailableError`; a denial is an answer, not an error.
 */
export function makeQuery(options: DnsQueryOptions): DnsQuery {
  const { timeoutMs, rounds = 2, maxResponseBytes = 16_384, failuresToBreak = 5, breakMs = 10_000 } = options
  if (options.servers.length === 0) throw new TypeError('at least one DNS server is needed')
  const servers = options.servers.map((text) => ({
    text,
    address: parseServerAddress(text),
    breaker: circuitBreaker(handleAll, {
      halfOpenAfter: breakMs,
      breaker: new ConsecutiveBreaker(failuresToBreak),
    }),
  }))

  return async (name, type) => {
    const failures: string[] = []
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) {
        const answer = await tryServer(server, name, type)
        if (answer instanceof Uint8Array) return answer
        failures.push(answer.failure)
      }
    }
    throw new DnsUnavailableError(`${name} ${typeName(type)}`, failures)
  }

  async function tryServer(
    server: { text: string; address: ServerAddress; breaker: CircuitBreakerPolicy },
    name: string,
    type: number,
  ): Promise<Uint8Array | { failure: string }> {
    try {
      return await server.breaker.execute(async () => {
        const answer = await exchange(server.address, encodeQuery(name, type), {
          timeoutMs,
          maxResponseBytes,
        })
        return usable(answer, server.text)
      })
    } catch (error) {
      if (error instanceof BrokenCircuitError) return { failure: `${server.text}: left alone after failures` }
      if (error instanceof DnsExchangeError || error instanceof UselessAnswer)
        return { failure: error.message }
      throw error
    }
  }
}

/** The server answered, but with an error of its own (SERVFAIL, REFUSED, …): another server may do better. */
class UselessAnswer extends Error {}

function usable(answer: Uint8Array, server: string): Uint8Array {
  const rcode = answer[3]! & 0x0f
  if (rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN) return answer
  throw new UselessAnswer(`${server}: ${rcodeName(rcode)}`)
}

/** A query with a random id, EDNS(0), DO and CD; `recursion: false` is for authoritative servers. */
export function encodeQuery(name: string, type: number, { recursion = true } = {}): Uint8Array {
  const query = dnssecQuery(randomInt(0x1_0000), name, type)
  return encodeMessage({ ...query, flags: { ...query.flags, recursionDesired: recursion } })
}
