/** A TXT record set with one TXT RR, as BIP-353 asks: `value` is the joined string, chunked by the zone. */
export type TxtRecord = {
  /** Fully qualified, lower case, without the final dot. */
  readonly name: string
  readonly value: string
  readonly ttlSeconds: number
}

/**
 * One zone that we may write to. All calls are idempotent: publishing what is there and withdrawing what is not
 * there succeed.
 */
export interface DnsZone {
  /** The zone's apex, e.g. `shop.example`. */
  readonly domain: string
  /**
   * Makes this the one TXT RR at its name, with its TTL; resolves when the primary server has durably accepted it. It
   * takes the place of nothing, of itself, and of the value `replaces`, in one step: at no moment are both served, or
   * neither. Over anything else it throws `DnsZoneError('conflict')` and changes nothing.
   */
  publish(record: TxtRecord, options?: { readonly replaces?: string }): Promise<void>
  /**
   * Removes the TXT RR with exactly this value, as `publish` wrote it; resolves when it is durably gone. Whatever else
   * stands at the name stays, so that a withdrawal that comes late takes nobody else's record.
   */
  withdraw(record: Pick<TxtRecord, 'name' | 'value'>): Promise<void>
  /** What each authoritative server of the zone answers for TXT at `name` now; empty `values` means no record. */
  authoritative(name: string): Promise<AuthoritativeAnswer[]>
  /**
   * Every TXT RR that the primary server holds in the zone, in no order; what changes meanwhile may be there or not.
   * Throws `DnsZoneError` at any time, then what came before is no whole list; `not-authorized` says that our key may
   * not list.
   */
  list(): AsyncIterable<Pick<TxtRecord, 'name' | 'value'>>
}

export type AuthoritativeAnswer = {
  /** `address:port` of the server. */
  readonly server: string
} & ({ readonly values: readonly string[]; readonly signed: boolean } | { readonly failure: string })

export type DnsZoneErrorCode =
  /** Another value is published at this name. */
  | 'conflict'
  /** Wrong key, or the server refuses our updates: a person must act. */
  | 'not-authorized'
  /** The server does not hold this zone. */
  | 'not-this-zone'
  /** No usable answer: whether the change was made is unknown; ask or try again. */
  | 'unavailable'

export class DnsZoneError extends Error {
  readonly code: DnsZoneErrorCode
  /** With `unavailable`: how long the provider asks to be left alone, because of its rate limit. */
  readonly retryAfterMs: number | null
  constructor(
    code: DnsZoneErrorCode,
    message: string,
    options: ErrorOptions & { retryAfterMs?: number | null } = {},
  ) {
    super(message, options)
    this.name = 'DnsZoneError'
    this.code = code
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}
