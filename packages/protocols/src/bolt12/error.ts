export type Bolt12ErrorCode =
  // the string
  | 'too-long'
  | 'mixed-case'
  /** A `+` that does not stand between two bech32 characters. */
  | 'bad-continuation'
  | 'bad-prefix'
  | 'bad-character'
  /** More than 4 bits left over, or one that is not zero. */
  | 'bad-padding'
  // the TLV stream
  | 'truncated'
  /** A BigSize or tu64 with a shorter form. */
  | 'not-minimal'
  /** Fields out of order, or one of them twice. */
  | 'not-ascending'
  | 'type-out-of-range'
  | 'unknown-even-type'
  // the fields
  | 'bad-length'
  | 'bad-utf8'
  | 'empty-chains'
  | 'bad-currency'
  | 'zero-amount'
  | 'unknown-even-feature'
  | 'bad-point'
  | 'bad-introduction-node'
  | 'empty-paths'
  | 'empty-path'
  // the offer as a whole
  | 'empty-offer'
  | 'amount-without-description'
  | 'currency-without-amount'
  | 'no-issuer-id-and-no-paths'
  /** Only when encoding: a number outside of its field, or malformed hex. */
  | 'bad-value'

/** The only error that the BOLT 12 codec throws for bad input. */
export class Bolt12Error extends Error {
  readonly code: Bolt12ErrorCode
  constructor(code: Bolt12ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Bolt12Error'
    this.code = code
  }
}
