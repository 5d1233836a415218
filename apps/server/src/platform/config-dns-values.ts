import { isIP } from 'node:net'
import { z } from 'zod'
import { parseResolverEndpoint, type ResolverEndpoint } from '../dns/resolvers/resolver-endpoint.ts'
import type { TsigAlgorithm } from '../dns/tsig.ts'
import { parseSafeUrl } from './safe-url.ts'
import { Secret } from './secret.ts'

/** How the DNS is written in the configuration, in environment variables and in the file of domains alike. */

/** RFC 1123 labels, at least two, lower case, without the final dot. */
export const DOMAIN =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

export type ServerAddress = { host: string; port: number }

/** `ipv4`, `ipv4:port`, `[ipv6]` or `[ipv6]:port`. */
const ADDRESS = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<v4>[0-9.]+))(?::(?<port>[0-9]{1,5}))?$/i
export const ADDRESS_FORM = 'an IP address, with :port if it is not 53, IPv6 in brackets'

/** A DNS server, by its address: to look its name up would need another one. */
export const dnsServer = z.string().transform((text, context): ServerAddress => {
  const { v4 = '', v6 = '', port = '53' } = ADDRESS.exec(text)?.groups ?? {}
  const number = Number(port)
  if ((isIP(v4) === 4 || isIP(v6) === 6) && number >= 1 && number <= 65_535)
    return { host: v4 || v6, port: number }
  context.addIssue({ code: 'custom', message: 'not an address' })
  return z.NEVER
})

/** A TSIG key of RFC 8945; `secret` is the raw key. */
export type TsigKeyConfig = { name: string; algorithm: TsigAlgorithm; secret: Uint8Array }

export const TSIG_KEY_FORM = 'name:algorithm:base64, algorithm hmac-sha256, hmac-sha384 or hmac-sha512'

export const tsigKey = z
  .string()
  .regex(/^[a-zA-Z0-9._-]+:hmac-sha(256|384|512):[A-Za-z0-9+/]{16,}={0,2}$/)
  .transform((text) => {
    const [name = '', algorithm = '', secret = ''] = text.split(':')
    return new Secret<TsigKeyConfig>({
      name: name.toLowerCase(),
      algorithm: algorithm as TsigAlgorithm,
      secret: new Uint8Array(Buffer.from(secret, 'base64')),
    })
  })

export const TOKEN_FORM = 'an API token with Zone:Read and DNS:Edit, 20 characters or more'

export const cloudflareToken = z
  .string()
  .regex(/^[A-Za-z0-9_-]{20,200}$/)
  .transform((text) => new Secret(text))

export const API_FORM = 'an https:// URL, or http:// on this machine'

/** The token is sent there: in the clear only within this machine. */
export const cloudflareApi = z.string().refine((text) => parseSafeUrl(text) !== null)

export const RESOLVER_FORM = 'addresses, udp:// or tcp://address, or https:// URLs, separated by commas'

export const resolverEndpoint = z.string().transform((text, context): ResolverEndpoint => {
  try {
    return parseResolverEndpoint(text)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})
