/** Why bytes are no DNS message, or why a value cannot be written as one. */
export type DnsWireErrorCode =
  /** The bytes end inside a field. */
  | 'truncated'
  /** Bytes are left over after the last counted record. */
  | 'trailing-bytes'
  /** A message above 65,535 bytes, or above the limit that the caller gave. */
  | 'message-too-long'
  /** A label above 63 octets, an empty label inside a name, or an unknown label type. */
  | 'bad-label'
  /** A name above 255 octets on the wire. */
  | 'name-too-long'
  /** A compression pointer that does not point backwards, one where none is allowed, or too many of them. */
  | 'bad-pointer'
  /** The text of a name has a broken escape or a character outside of ASCII. */
  | 'bad-name-text'
  /** The RDATA does not have the form of its type. */
  | 'bad-rdata'
  /** Two OPT records, an OPT not at the root or outside of the additional section. */
  | 'bad-opt'
  /** A TSIG that is not the very last record. */
  | 'bad-tsig'
  /** A number outside of its field. */
  | 'out-of-range'

/** The only error that the DNS codec throws for bad input. */
export class DnsWireError extends Error {
  readonly code: DnsWireErrorCode
  constructor(code: DnsWireErrorCode, message: string) {
    super(message)
    this.name = 'DnsWireError'
    this.code = code
  }
}
