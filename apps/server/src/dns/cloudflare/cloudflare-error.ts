import { DnsZoneError, type DnsZoneErrorCode } from '@holdfast/core/dns-zone'

/** What one request to Cloudflare's API came to, when it did not succeed. */
export type ApiFailure = {
  /** HTTP status; null when no answer came. */
  readonly status: number | null
  /** Cloudflare's own codes, in the order of the answer. */
  readonly codes: readonly number[]
  /** Holds no secret. */
  readonly message: string
  /** How long the API asks to be left alone. */
  readonly retryAfterMs: number | null
}

export class CloudflareApiError extends Error {
  readonly failure: ApiFailure
  constructor(failure: ApiFailure, options?: ErrorOptions) {
    super(failure.message, options)
    this.name = 'CloudflareApiError'
    this.failure = failure
  }
}

export type Meaning = DnsZoneErrorCode | 'exists-already' | 'not-there'

/** Cloudflare does not publish a list: these are the codes of its documentation, its own tools and their issues. */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  // Authentication error; the token is invalid, has expired, lacks a permission or may not be used from here.
  [10_000, 'not-authorized'],
  [9_109, 'not-authorized'],
  [9_103, 'not-authorized'],
  [9_106, 'not-authorized'],
  [9_107, 'not-authorized'],
  // "Invalid request headers": the token is not of a token's form.
  [6_003, 'not-authorized'],
  [6_111, 'not-authorized'],
  // "Could not route to /zones/…, perhaps your object identifier is invalid?"; "invalid zone identifier".
  [7_000, 'not-this-zone'],
  [7_003, 'not-this-zone'],
  [1_001, 'not-this-zone'],
  // "Record already exists", "An identical record already exists".
  [81_057, 'exists-already'],
  [81_058, 'exists-already'],
  // A CNAME, an address or a delegation stands at the name.
  [81_053, 'conflict'],
  [81_054, 'conflict'],
  [81_056, 'conflict'],
  // "Record does not exist".
  [81_044, 'not-there'],
  // "Record quota exceeded": a free zone holds 200 records.
  [81_045, 'not-authorized'],
])

/**
 * Whether anything was done is unknown after a silence or an error of the server's own; everything that was refused
 * with a reason needs a person, because trying again would be refused again.
 */
export function meaningOf({ status, codes }: Pick<ApiFailure, 'status' | 'codes'>): Meaning {
  if (status === null || status === 408 || status === 409 || status === 429 || status >= 500)
    return 'unavailable'
  for (const code of codes) {
    const meaning = MEANINGS.get(code)
    if (meaning) return meaning
  }
  // An answer of something between us and the API says nothing about the zone.
  return status >= 400 && codes.length > 0 ? 'not-authorized' : 'unavailable'
}

/** `exists-already` and `not-there` are answered by those who know what they asked for. */
export function zoneErrorOf(domain: string, error: CloudflareApiError): DnsZoneError {
  const meaning = meaningOf(error.failure)
  const code = meaning === 'exists-already' || meaning === 'not-there' ? 'unavailable' : meaning
  const { retryAfterMs } = error.failure
  return new DnsZoneError(code, `${domain} at Cloudflare: ${error.message}`, { cause: error, retryAfterMs })
}
