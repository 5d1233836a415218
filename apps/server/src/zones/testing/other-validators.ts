import { delvVerdict } from '@holdfast/devnet/dns/testing/delv'
import { serveWorld } from '@holdfast/devnet/dns/testing/serve-world'
import { RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { NAME, type OtherVerdict, type ValidationCase } from '@holdfast/protocols/dnssec/testing/crafted-case'
import { DnsExchangeError, exchange } from '../../dns/dns-exchange.ts'
import { startUnbound } from '../../dns/resolvers/testing/unbound.ts'
import { parseServerAddress } from '../../dns/server-address.ts'

export type Judged = { readonly delv: OtherVerdict; readonly unbound: OtherVerdict }

/** Serves a crafted world and has delv, and an Unbound of its own that has no memory, judge it. */
export async function judge({ world, name = NAME }: ValidationCase): Promise<Judged> {
  const server = await serveWorld(world)
  try {
    return {
      delv: await delvVerdict(world.anchors, server.port, name),
      unbound: await unboundVerdict(world.anchors, server.port, name),
    }
  } finally {
    await server.close()
  }
}

async function unboundVerdict(
  anchors: readonly TrustAnchor[],
  port: number,
  name: string,
): Promise<OtherVerdict> {
  const unbound = await startUnbound({ anchors, host: '127.0.0.1', port }, { validates: true })
  try {
    return await verdictOf(unbound.server, name)
  } finally {
    await unbound.stop()
  }
}

/** The AD bit is Unbound's word for what it has validated (RFC 4035 §3.2.3); SERVFAIL is its refusal. */
async function verdictOf(server: string, name: string): Promise<OtherVerdict> {
  const { flags, ...query } = dnssecQuery(1, name, TYPE.TXT)
  const wire = encodeMessage({ ...query, flags: { ...flags, checkingDisabled: false } })
  const limits = { timeoutMs: PATIENCE_MS, maxResponseBytes: 65_535 }
  const bytes = await exchange(parseServerAddress(server), wire, limits).catch(silence)
  if (bytes === null) return 'refused'
  const { rcode, flags: answered, answer } = decodeMessage(bytes)
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return 'refused'
  if (!answered.authenticData) return 'insecure'
  return answer.some(({ type }) => type === TYPE.TXT) ? 'secure' : 'denied'
}

/** Unbound asks on for long where a denial does not fit; nobody who asks it waits longer. */
const PATIENCE_MS = 10_000

function silence(error: unknown): null {
  if (error instanceof DnsExchangeError && error.failure === 'timeout') return null
  throw error
}
