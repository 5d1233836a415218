/** A BIP-353 name in its canonical form: lower-case ASCII, non-ASCII labels as punycode. */
export type PaymentName = {
  readonly user: string
  readonly domain: string
  /** `user@domain`. */
  readonly text: string
  /** ₿`user@domain`: how a name is shown and copied. */
  readonly display: string
  /**
   * A label is punycode. Letters of other scripts can look like Latin ones: show the punycode, as `display` does, and
   * warn.
   */
  readonly hasPunycode: boolean
}

export type Bip353ErrorCode =
  /** Not exactly one `@` between a user and a domain. */
  'bad-form' | 'bad-character' | 'bad-label' | 'too-long'

/** The only error that this module throws. */
export class Bip353Error extends Error {
  readonly code: Bip353ErrorCode
  constructor(code: Bip353ErrorCode, message: string) {
    super(message)
    this.name = 'Bip353Error'
    this.code = code
  }
}

const PREFIX = '₿'
const MAX_LABEL_CHARACTERS = 63
/** RFC 1035: 255 bytes on the wire are 253 characters without the final dot. */
const MAX_NAME_CHARACTERS = 253

/**
 * Reads a name with or without ₿, in any case, and with other scripts as IDNA has them. Throws `Bip353Error`.
 * ASCII parts may hold `a-z 0-9 - _ .`, which is what a payer can put into BOLT 12's `invreq_bip_353_name`.
 */
export function parseName(text: string): PaymentName {
  if (text.length > MAX_NAME_CHARACTERS + PREFIX.length) {
    throw new Bip353Error('too-long', `the name exceeds ${MAX_NAME_CHARACTERS} characters`)
  }
  const bare = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text
  const parts = bare.split('@')
  if (parts.length !== 2 || parts[0] === '' || parts[1] === '') {
    throw new Bip353Error('bad-form', 'a name has the form user@domain')
  }
  const [user, domain] = parts.map((part) => part.split('.').map(canonicalLabel).join('.')) as [
    string,
    string,
  ]
  if (domain.split('.').some((label) => label.startsWith('-') || label.endsWith('-'))) {
    throw new Bip353Error('bad-label', 'a label of the domain begins or ends with a hyphen')
  }
  const name: PaymentName = {
    user,
    domain,
    text: `${user}@${domain}`,
    display: `${PREFIX}${user}@${domain}`,
    hasPunycode: `${user}.${domain}`.split('.').some((label) => label.startsWith('xn--')),
  }
  if (recordName(name).length > MAX_NAME_CHARACTERS) {
    throw new Bip353Error('too-long', 'the DNS name of the record exceeds 255 bytes')
  }
  return name
}

/** Where the record lives: fully qualified, without the final dot. */
export function recordName(name: { readonly user: string; readonly domain: string }): string {
  return `${name.user}.user._bitcoin-payment.${name.domain}`
}

/** The record's value. The path is empty: an on-chain address in the DNS would be reused. */
export function recordValue(offer: string): string {
  return `bitcoin:?lno=${offer}`
}

/**
 * The value of one TXT record: its character-strings "in RDATA order, without inserting separators". Each byte becomes
 * the character of its number, so that nothing is lost of records that are not ours to read.
 */
export function joinCharacterStrings(strings: readonly Uint8Array[]): string {
  return strings.map((bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).join('')
}

/**
 * Picks the payment instruction among the values of all TXT records of a name, one value a record. BIP-353: others
 * than `bitcoin:` are ignored, and with more than one "the records [are] invalid".
 */
export function selectInstruction(
  txtValues: readonly string[],
): { uri: string } | { problem: 'none' | 'ambiguous' } {
  const [uri, ...more] = txtValues.filter((value) => /^bitcoin:/i.test(value))
  if (uri === undefined) return { problem: 'none' }
  return more.length > 0 ? { problem: 'ambiguous' } : { uri }
}

function canonicalLabel(label: string): string {
  const ascii = isAscii(label) ? label.toLowerCase() : toPunycode(label)
  if (!/^[a-z0-9_-]*$/.test(ascii)) {
    throw new Bip353Error('bad-character', 'a name consists of a-z 0-9 - _ . and letters of other scripts')
  }
  if (ascii === '' || ascii.length > MAX_LABEL_CHARACTERS) {
    throw new Bip353Error('bad-label', 'a label of the name is empty or longer than 63 characters')
  }
  return ascii
}

function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text)
}

/** The URL parser of every browser and of Node applies UTS #46 to a host, which lets symbols pass that RFC 5892 forbids. */
function toPunycode(label: string): string {
  const probe = `http://${label}.invalid/`
  const host = /^[\p{L}\p{M}\p{Nd}-]+$/u.test(label) && URL.canParse(probe) ? new URL(probe).hostname : ''
  // It also turns some look-alikes into plain ASCII: what was typed is then not what would be paid.
  if (!/^xn--[^.]+\.invalid$/.test(host)) {
    throw new Bip353Error('bad-character', 'the name holds a character that domain names do not allow')
  }
  return host.slice(0, -'.invalid'.length)
}
