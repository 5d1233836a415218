export type LnurlErrorCode =
  | 'too-long'
  /** No bech32 string, its checksum is wrong, or its padding is not zero. */
  | 'bad-bech32'
  /** Bech32, but not of an LNURL. */
  | 'bad-prefix'
  /** Not an https:// URL, nor an http:// one of a Tor onion service. */
  | 'bad-url'
  /** Not a Lightning Address of LUD-16. */
  | 'bad-address'
  /** An answer that is not a JSON object, or a field of it that the LUD does not allow. */
  | 'bad-answer'
  /** The service answered `status: "ERROR"`; `message` is its reason. */
  | 'refused'
  /** A comment or an amount that the service said it does not take. */
  | 'not-allowed'
  /** LUD-18: payer data that is no JSON object or has a malformed field. */
  | 'bad-payer-data'
  /** The invoice is not the one that was agreed on: another amount, or on another description. */
  | 'wrong-invoice'

/** The only error that the modules of this folder throw. */
export class LnurlError extends Error {
  readonly code: LnurlErrorCode
  constructor(code: LnurlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LnurlError'
    this.code = code
  }
}
