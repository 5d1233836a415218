/** The codes of `DnsZoneError` in core, so that a zone of the devnet is a `DnsZone`. */
export type SignedDnsErrorCode = 'conflict' | 'not-authorized' | 'not-this-zone' | 'unavailable'

export class SignedDnsError extends Error {
  readonly code: SignedDnsErrorCode
  constructor(code: SignedDnsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SignedDnsError'
    this.code = code
  }
}
