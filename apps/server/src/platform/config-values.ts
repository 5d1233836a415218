import { resolve } from 'node:path'
import { z } from 'zod'
import { readSecretKey } from '../nostr/secret-key.ts'
import { DOMAIN } from './config-dns-values.ts'
import { Secret } from './secret.ts'

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))

export const url = (...protocols: string[]) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), { abort: true })

/** As browsers write it: without a path and without the scheme's own port. */
export const origin = url('http:', 'https:').refine((text) => new URL(text).origin === text)

export const list = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).min(1))

export type DomainKey = { domain: string; pubkey: string }

export const domainKey = z.string().transform((text, context): DomainKey => {
  const [domain = '', pubkey = '', ...more] = text.split('=')
  if (DOMAIN.test(domain) && /^[0-9a-f]{64}$/.test(pubkey) && more.length === 0) return { domain, pubkey }
  context.addIssue({ code: 'custom', message: 'not a domain and its key' })
  return z.NEVER
})

export const nostrSecretKey = z.string().transform((text, context): Secret<string> => {
  const key = readSecretKey(text)
  if (key !== null) return new Secret(key)
  context.addIssue({ code: 'custom', message: 'no secret key' })
  return z.NEVER
})

export const secretUrl = (...protocols: string[]) => url(...protocols).transform((text) => new Secret(text))
/** Its credentials are sent decoded. */
export const bitcoindUrl = url('http:', 'https:')
  .refine(hasCredentialsToDecode)
  .transform((text) => new Secret(text))
export const onOff = z.enum(['on', 'off']).transform((text) => text === 'on')
export const path = z.string().transform((text) => resolve(text))

function hasCredentialsToDecode(text: string): boolean {
  const { username, password } = new URL(text)
  try {
    decodeURIComponent(`${username}:${password}`)
    return true
  } catch {
    return false
  }
}
