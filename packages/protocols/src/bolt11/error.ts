export type Bolt11ErrorCode =
  | 'too-long'
  /** Not well-formed bech32, or the checksum is wrong: most often a typing error. */
  | 'bad-bech32'
  | 'unknown-network'
  | 'bad-amount'
  /** Too short for a timestamp and a signature, or a field runs over the end. */
  | 'truncated'
  /** More than 4 bits left over in a field, or one that is not zero. */
  | 'bad-padding'
  /** A number with leading zeros. */
  | 'not-minimal'
  | 'number-too-large'
  /** A second field of a kind that may stand only once. */
  | 'duplicate-field'
  | 'bad-utf8'
  | 'bad-payee'
  | 'bad-fallback'
  | 'bad-route-hint'
  | 'missing-payment-hash'
  | 'missing-payment-secret'
  | 'missing-description'
  /** Both a description and a description hash. */
  | 'two-descriptions'
  | 'unknown-even-feature'
  | 'missing-feature-dependency'
  | 'bad-signature'

/** The only error that the BOLT 11 reader throws for bad input. */
export class Bolt11Error extends Error {
  readonly code: Bolt11ErrorCode
  constructor(code: Bolt11ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Bolt11Error'
    this.code = code
  }
}
