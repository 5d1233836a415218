import { decodeUtf8, encodeUtf8 } from './utf8.ts'

/** A BIP-321 URI. At least one of `address`, `offers`, `invoices` and `others` is not empty. */
export type BitcoinUri = {
  /** The body as it stands, not checked; empty when there is no on-chain address. */
  readonly address: string
  /** At least 1. Absent: the payer chooses. */
  readonly amountMsat?: bigint
  readonly label?: string
  readonly message?: string
  /** Values of `lno`: BOLT 12 offers, not parsed. */
  readonly offers: readonly string[]
  /** Values of `lightning`: BOLT 11 invoices, not parsed. */
  readonly invoices: readonly string[]
  /** All other keys, in lower case, with their values: `sp`, `pay`, `bc`, `tb`, and what nobody has heard of yet. */
  readonly others: readonly { readonly key: string; readonly value: string }[]
}

export type Bip321ErrorCode =
  | 'too-long'
  | 'bad-scheme'
  | 'bad-address'
  /** A character that RFC 3986 does not allow in a query. */
  | 'bad-character'
  | 'bad-percent-encoding'
  | 'empty-key'
  | 'duplicate-key'
  | 'bad-amount'
  /** A `req-` key that we do not implement. */
  | 'unknown-required-key'
  /** An address of another network than its key says. */
  | 'wrong-network'
  | 'no-instruction'
  /** Only when writing: the value would be read back as another one. */
  | 'not-faithful'

/** The only error that this module throws. */
export class Bip321Error extends Error {
  readonly code: Bip321ErrorCode
  constructor(code: Bip321ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Bip321Error'
    this.code = code
  }
}

const MAX_CHARACTERS = 16_384
/** RFC 3986 §3.4. `&` has separated the parameters before; `=` is accepted in values, as in the BIP's own examples. */
const QUERY_CHARACTERS = /^[A-Za-z0-9\-._~!$'()*+,;=:@/?%]*$/
/** "MUST NOT be included" twice: label, message, pop; by the BIP's examples of invalid URIs amount neither. */
const AT_MOST_ONCE = new Set(['amount', 'label', 'message', 'pop'])
const MSAT_DECIMALS = 11
const MSAT_PER_BITCOIN = 10n ** BigInt(MSAT_DECIMALS)
const SUPPLY_MSAT = 21_000_000n * MSAT_PER_BITCOIN

/** Reads a `bitcoin:` URI strictly (BIP-321). Throws `Bip321Error`. */
export function parseBitcoinUri(text: string): BitcoinUri {
  if (text.length > MAX_CHARACTERS)
    throw new Bip321Error('too-long', `the URI exceeds ${MAX_CHARACTERS} characters`)
  const [, address, query = ''] = /^bitcoin:([^?]*)(?:\?(.*))?$/is.exec(text) ?? []
  if (address === undefined) throw new Bip321Error('bad-scheme', 'the URI does not begin with bitcoin:')
  // base58, bech32 and bech32m consist of letters and digits.
  if (!/^[0-9A-Za-z]*$/.test(address))
    throw new Bip321Error('bad-address', 'the address has other characters than 0-9 a-z')

  const parameters = readParameters(query)
  const single = (name: string) => parameters.find(({ key }) => key === name)?.value
  const all = (name: string) => parameters.filter(({ key }) => key === name).map(({ value }) => value)
  const amount = single('amount')
  const label = single('label')
  const message = single('message')
  const uri: BitcoinUri = {
    address,
    ...(amount !== undefined && { amountMsat: readAmount(amount) }),
    ...(label !== undefined && { label }),
    ...(message !== undefined && { message }),
    offers: all('lno'),
    invoices: all('lightning'),
    others: parameters.filter(({ key }) => !AT_MOST_ONCE.has(key) && key !== 'lno' && key !== 'lightning'),
  }
  // The address "MAY be left empty if there is at least one payment instruction provided in a query parameter".
  if (address === '' && uri.offers.length + uri.invoices.length + uri.others.length === 0) {
    throw new Bip321Error('no-instruction', 'the URI says nowhere to pay to')
  }
  return uri
}

/** Writes a URI that `parseBitcoinUri` reads back as the same value, or throws `Bip321Error`. */
export function formatBitcoinUri(uri: BitcoinUri): string {
  if (uri.amountMsat !== undefined && uri.amountMsat <= 0n) {
    throw new Bip321Error('bad-amount', 'the amount is not positive')
  }
  const text = writeUri(uri)
  if (fingerprint(parseBitcoinUri(text)) !== fingerprint(uri)) {
    throw new Bip321Error('not-faithful', 'a part of the URI would be read back as another one')
  }
  return text
}

/** One URI for whoever pays: over Lightning by the offer, or by the invoice if a wallet knows none; nothing on-chain. */
export function unifiedUri(parts: {
  readonly offer?: string
  readonly invoice?: string
  readonly amountMsat?: bigint
  readonly label?: string
  readonly message?: string
}): string {
  const { offer, invoice, ...said } = parts
  return formatBitcoinUri({
    ...said,
    address: '',
    offers: offer === undefined ? [] : [offer],
    invoices: invoice === undefined ? [] : [invoice],
    others: [],
  })
}

/**
 * The same URI with capitals wherever nothing depends on case, which QR codes hold in fewer modules: the scheme, the
 * keys ("case-insensitive"), and what is bech32 or BOLT 12 in one case ("all lowercase, or all uppercase"). Labels,
 * messages and the values of keys that we do not know stay as they are. Throws `Bip321Error`.
 */
export function uriForQr(text: string): string {
  const uri = parseBitcoinUri(text)
  const [path = '', query] = formatBitcoinUri(uri).split('?')
  const written = (query ?? '').split('&').map((parameter) => {
    const [key = '', value = ''] = parameter.split('=')
    // A value in mixed case is not valid; in capitals it would be.
    const caseless = CASELESS.has(key) && value === value.toLowerCase()
    return `${key.toUpperCase()}=${caseless ? value.toUpperCase() : value}`
  })
  const address = isCaselessAddress(uri.address) ? uri.address.toUpperCase() : uri.address
  const head = `${path.slice(0, path.length - uri.address.length).toUpperCase()}${address}`
  return query === undefined ? head : `${head}?${written.join('&')}`
}

/** Offers, invoices, silent payment codes, segwit addresses: all bech32. */
const CASELESS = new Set(['lno', 'lightning', 'sp', 'bc', 'tb'])

/** BIP-173: an address in bech32 or bech32m, in one case throughout. */
function isCaselessAddress(text: string): boolean {
  return /^(bc|tb|bcrt)1[0-9a-z]+$/.test(text)
}

/** Equal for equal values. */
function fingerprint({ address, amountMsat, label, message, offers, invoices, others }: BitcoinUri): string {
  const pairs = others.map(({ key, value }) => [key, value])
  return JSON.stringify([address, `${amountMsat}`, label ?? null, message ?? null, offers, invoices, pairs])
}

function writeUri(uri: BitcoinUri): string {
  const parameters: (readonly [key: string, value: string])[] = []
  if (uri.amountMsat !== undefined) parameters.push(['amount', writeAmount(uri.amountMsat)])
  if (uri.label !== undefined) parameters.push(['label', uri.label])
  if (uri.message !== undefined) parameters.push(['message', uri.message])
  for (const offer of uri.offers) parameters.push(['lno', offer])
  for (const invoice of uri.invoices) parameters.push(['lightning', invoice])
  for (const { key, value } of uri.others) parameters.push([key, value])
  const query = parameters.map(([key, value]) => `${percentEncode(key)}=${percentEncode(value)}`).join('&')
  return `bitcoin:${uri.address}${query === '' ? '' : `?${query}`}`
}

function readParameters(query: string): { key: string; value: string }[] {
  const parameters: { key: string; value: string }[] = []
  const seen = new Set<string>()
  // The grammar allows empty parameters, as in `?a=1&&b=2`.
  for (const part of query.split('&').filter((part) => part !== '')) {
    if (!QUERY_CHARACTERS.test(part))
      throw new Bip321Error('bad-character', 'a parameter holds a character that must be encoded')
    const [, rawKey, rawValue = ''] = /^([^=]*)=?(.*)$/s.exec(part)!
    // "The query parameter keys are also case-insensitive."
    const key = percentDecode(rawKey!).toLowerCase()
    if (key === '') throw new Bip321Error('empty-key', 'a parameter has no key')
    // "If a client does not implement handling a query parameter which has a key prefixed with req-, it MUST consider
    // the entire URI invalid." We open no `pop` URIs, so `req-pop` is among them.
    if (key.startsWith('req-')) {
      throw new Bip321Error(
        'unknown-required-key',
        `the URI requires ${key.slice(0, 40)}, which we do not know`,
      )
    }
    if (AT_MOST_ONCE.has(key) && seen.has(key)) throw new Bip321Error('duplicate-key', `${key} stands twice`)
    seen.add(key)
    const value = percentDecode(rawValue)
    // "A testnet segwit addresses must be included in the tb parameter, not the bc parameter."
    if ((key === 'bc' || key === 'tb') && !value.toLowerCase().startsWith(`${key}1`)) {
      throw new Bip321Error('wrong-network', `the value of ${key} does not begin with ${key}1`)
    }
    parameters.push({ key, value })
  }
  return parameters
}

/** "it MUST be specified in decimal BTC ... no commas and use a period". */
function readAmount(text: string): bigint {
  const [, whole, fraction = ''] = /^([0-9]{0,8})(?:\.([0-9]{0,11}))?$/.exec(text) ?? []
  if (whole === undefined || whole + fraction === '') {
    throw new Bip321Error('bad-amount', 'the amount is no decimal number of bitcoin with at most 11 decimals')
  }
  const msat = BigInt(whole) * MSAT_PER_BITCOIN + BigInt(fraction.padEnd(MSAT_DECIMALS, '0'))
  if (msat === 0n || msat > SUPPLY_MSAT)
    throw new Bip321Error('bad-amount', 'the amount is 0 or exceeds the supply')
  return msat
}

function writeAmount(msat: bigint): string {
  const fraction = (msat % MSAT_PER_BITCOIN).toString().padStart(MSAT_DECIMALS, '0').replace(/0+$/, '')
  return `${msat / MSAT_PER_BITCOIN}${fraction === '' ? '' : `.${fraction}`}`
}

function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  // Latin-1 stands for bytes here: the text is ASCII and each escape becomes one character below 256.
  const latin1 = text.replace(/%([0-9A-Fa-f]{2})|%/g, (_, hex: string | undefined) => {
    if (hex === undefined)
      throw new Bip321Error('bad-percent-encoding', 'a % is not followed by two hex digits')
    return String.fromCharCode(Number.parseInt(hex, 16))
  })
  const decoded = decodeUtf8(Uint8Array.from(latin1, (char) => char.charCodeAt(0)))
  if (decoded === null) throw new Bip321Error('bad-percent-encoding', 'the encoded bytes are not UTF-8')
  return decoded
}

/** Encodes every byte but RFC 3986's unreserved characters. */
function percentEncode(text: string): string {
  let encoded = ''
  for (const byte of encodeUtf8(text)) {
    const char = String.fromCharCode(byte)
    encoded += /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
