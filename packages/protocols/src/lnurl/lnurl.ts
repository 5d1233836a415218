import { bech32 } from '@scure/base'
import { decodeUtf8, encodeUtf8 } from '../utf8.ts'
import { LnurlError } from './error.ts'

const PREFIX = 'lnurl'
/** LUD-01 names no limit; its own example decodes with 2,000. */
const MAX_CHARACTERS = 2_000
/** LUD-16: "The <username> is limited to a-z0-9-_." */
const ADDRESS_USER = /^[a-z0-9._-]{1,64}$/

/** Writes a URL as an LNURL (LUD-01), in capitals, which QR codes hold in fewer modules. Throws `LnurlError`. */
export function encodeLnurl(url: string): string {
  checkUrl(url)
  const text = bech32.encode(PREFIX, bech32.toWords(encodeUtf8(url)), MAX_CHARACTERS)
  return text.toUpperCase()
}

/** The URL of an LNURL (LUD-01), in one case throughout, with or without `lightning:`. Throws `LnurlError`. */
export function decodeLnurl(text: string): string {
  const bare = text.replace(/^lightning:/i, '')
  if (bare.length > MAX_CHARACTERS)
    throw new LnurlError('too-long', `the LNURL exceeds ${MAX_CHARACTERS} characters`)
  const { prefix, bytes } = decodeBech32(bare)
  if (prefix !== PREFIX) throw new LnurlError('bad-prefix', 'this bech32 string is no LNURL')
  const url = decodeUtf8(bytes)
  if (url === null) throw new LnurlError('bad-url', 'the LNURL does not hold UTF-8')
  checkUrl(url)
  return url
}

/** Where a Lightning Address is asked (LUD-16). Throws `LnurlError`. */
export function lightningAddressUrl({ user, domain }: { user: string; domain: string }): string {
  if (!ADDRESS_USER.test(user))
    throw new LnurlError('bad-address', 'the user part of a Lightning Address holds only a-z 0-9 - _ .')
  const url = `${isOnion(domain) ? 'http' : 'https'}://${domain}/.well-known/lnurlp/${user}`
  const { host, pathname } = checkUrl(url)
  // A `/`, `#` or `@` in the domain would make it a part of something else.
  if (host !== domain || pathname !== `/.well-known/lnurlp/${user}`)
    throw new LnurlError('bad-address', 'the domain is not a host in lower case')
  return url
}

/** LUD-01: "either an https:// clearnet link … or an http:// v2/v3 onion link". */
export function checkUrl(text: string): URL {
  // The URL parser drops white space and control characters: what it read would not be what was written.
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text))
    throw new LnurlError('bad-url', 'this is not an absolute URL in ASCII')
  const url = new URL(text)
  const allowed = isOnion(url.hostname) ? ['http:', 'https:'] : ['https:']
  if (!allowed.includes(url.protocol))
    throw new LnurlError('bad-url', 'only https:// is allowed, and http:// for onion services')
  if (url.username !== '' || url.password !== '')
    throw new LnurlError('bad-url', 'the URL holds a user or a password')
  return url
}

function isOnion(host: string): boolean {
  return host.replace(/:\d+$/, '').endsWith('.onion')
}

function decodeBech32(text: string): { prefix: string; bytes: Uint8Array } {
  try {
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, false)
    // Strict: at most 4 bits are left over, all of them zero.
    return { prefix, bytes: bech32.fromWords(words) }
  } catch (error) {
    throw new LnurlError('bad-bech32', 'this is no bech32 string, or its checksum or padding is wrong', {
      cause: error,
    })
  }
}
