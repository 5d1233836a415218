import { type DnsZone, DnsZoneError, type DnsZoneErrorCode, type TxtRecord } from '@holdfast/core/dns-zone'
import { RCODE, rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import { canonicalName } from '@holdfast/protocols/dns/names'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { type AskServer, authoritativeAnswer, joinedText } from './authoritative-answer.ts'
import { DnsExchangeError, exchangeTcp } from './dns-exchange.ts'
import { DnsUnavailableError } from './dns-transport.ts'
import { parseServerAddress } from './server-address.ts'
import { signRequest, type TsigFailure, type TsigKey, verifyResponse } from './tsig.ts'
import { addTxt, deleteTxt, encodeUpdate, nameIsFree, txtIs } from './update-message.ts'
import { transferZone } from './zone-transfer.ts'

export type Rfc2136ZoneOptions = {
  /** The zone's apex, e.g. `shop.example`. */
  readonly domain: string
  /** `address:port` of the server that takes updates. */
  readonly primary: string
  readonly key: TsigKey
  /** `address:port` of every authoritative server; see `authoritative-servers.ts`. */
  readonly authoritativeServers: () => Promise<readonly string[]>
  /** Milliseconds since 1970; TSIG compares it with the server's clock. */
  readonly now: () => number
  /** For one exchange with one server; default 3 s. */
  readonly timeoutMs?: number
}

/** How often an update whose outcome is unknown is sent again before we give up. */
const TRIES = 2
const MAX_UPDATE_RESPONSE_BYTES = 65_535

/** A zone that is changed by RFC 2136 updates signed with TSIG (RFC 8945), as Knot, BIND and PowerDNS take them. */
export function makeRfc2136Zone(options: Rfc2136ZoneOptions): DnsZone {
  const { domain, key, now, timeoutMs = 3_000 } = options
  const primary = parseServerAddress(options.primary)
  const ask: AskServer = { timeoutMs }

  return {
    domain,
    publish: (record, options) => settled(() => publish(record, options?.replaces)),
    withdraw: ({ name, value }) => settled(() => withdraw(name, value)),
    async authoritative(name) {
      const servers = await options.authoritativeServers().catch(unavailable)
      return Promise.all(servers.map((server) => authoritativeAnswer(server, name, ask)))
    },
    async *list() {
      for await (const { name, type, rdata } of transferZone(domain, {
        server: primary,
        key,
        now,
        timeoutMs,
      })) {
        if (type === TYPE.TXT) yield { name: canonicalName(name).slice(0, -1), value: joinedText(rdata) }
      }
    },
  }

  /** RFC 2136 tests and writes in one step, so that two publishers never overwrite each other. */
  async function publish({ name, value, ttlSeconds }: TxtRecord, replaces?: string): Promise<void> {
    const record = addTxt(name, value, ttlSeconds)
    if (replaces !== undefined && replaces !== value) {
      const updates = [deleteTxt(name, replaces), record]
      if ((await update({ prerequisites: [txtIs(name, replaces)], updates })) === RCODE.NOERROR) return
    }
    const claimed = await update({ prerequisites: [nameIsFree(name)], updates: [record] })
    if (claimed === RCODE.NOERROR) return
    // The name is in use: with our value that is success, and the answer to a first try that got lost.
    const confirmed = await update({ prerequisites: [txtIs(name, value)], updates: [record] })
    if (confirmed === RCODE.NOERROR) return
    throw new DnsZoneError('conflict', `${name} holds something else`)
  }

  async function withdraw(name: string, value: string): Promise<void> {
    await update({ updates: [deleteTxt(name, value)] })
  }

  /** Sends one update; resolves with NOERROR or the code of a prerequisite that did not hold. */
  async function update(parts: Parameters<typeof encodeUpdate>[1]): Promise<number> {
    const request = signRequest(encodeUpdate(domain, parts), key, now())
    const limits = { timeoutMs, maxResponseBytes: MAX_UPDATE_RESPONSE_BYTES }
    // Over TCP: a lost datagram would leave the outcome unknown, and a long TXT does not fit into 512 bytes.
    const response = await exchangeTcp(primary, request.wire, limits).catch(unavailable)
    const rcode = response[3]! & 0x0f
    const verdict = verify(response, request)
    if (!verdict.ok) throw unproven(verdict, rcode)
    return signedOutcome(rcode)
  }

  function verify(response: Uint8Array, request: ReturnType<typeof signRequest>) {
    try {
      return verifyResponse(response, request, key, now())
    } catch (error) {
      if (!(error instanceof DnsWireError)) throw error
      throw new DnsZoneError('unavailable', `the answer cannot be read: ${error.message}`, { cause: error })
    }
  }

  function unproven(verdict: { failure: TsigFailure; detail: string }, rcode: number): DnsZoneError {
    const code = unprovenCode(verdict.failure, rcode)
    return new DnsZoneError(code, `${domain}: ${rcodeName(rcode)}, ${verdict.detail}`)
  }

  function signedOutcome(rcode: number): number {
    const meaning = meaningOf(rcode)
    if (meaning === 'done' || meaning === 'prerequisite-failed') return rcode
    throw new DnsZoneError(meaning, `${domain}: the update was answered with ${rcodeName(rcode)}`)
  }
}

/** What the rcode of an answer with a good MAC means for an update (RFC 2136 §2.2, §3). */
export function meaningOf(rcode: number): 'done' | 'prerequisite-failed' | DnsZoneErrorCode {
  switch (rcode) {
    case RCODE.NOERROR:
      return 'done'
    case RCODE.YXDOMAIN:
    case RCODE.YXRRSET:
    case RCODE.NXRRSET:
    case RCODE.NXDOMAIN:
      return 'prerequisite-failed'
    case RCODE.NOTAUTH:
    case RCODE.NOTZONE:
      return 'not-this-zone'
    case RCODE.REFUSED:
    case RCODE.NOTIMP:
    case RCODE.FORMERR:
      return 'not-authorized'
    default:
      return 'unavailable'
  }
}

/** An answer that proves nothing is never success or conflict; it may still tell a person what to mend. */
export function unprovenCode(failure: TsigFailure, rcode: number): Exclude<DnsZoneErrorCode, 'conflict'> {
  switch (failure) {
    case 'BADKEY':
    case 'BADSIG':
    case 'BADTIME':
    case 'stale':
    case 'other':
      return 'not-authorized'
    case 'bad-mac':
      return 'unavailable'
    case 'unsigned': {
      const meaning = meaningOf(rcode)
      // Knot does not sign the NOTAUTH for a zone that it does not hold.
      return meaning === 'not-authorized' || meaning === 'not-this-zone' ? meaning : 'unavailable'
    }
  }
}

/** What was tried with an unknown outcome is tried again: both changes ask for their own effect first. */
async function settled(change: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change()
    } catch (error) {
      const unknown = error instanceof DnsZoneError && error.code === 'unavailable'
      if (!unknown || attempt === TRIES) throw error
    }
  }
}

function unavailable(error: unknown): never {
  if (!(error instanceof DnsExchangeError || error instanceof DnsUnavailableError)) throw error
  throw new DnsZoneError('unavailable', error.message, { cause: error })
}
