import type { Ds } from '@holdfast/core/zones/zone-states'
import Cloudflare, { APIError } from 'cloudflare'
import { z } from 'zod'
import type { CloudflareApi, CloudflareApiOptions, DnssecStatus, NewApiRecord } from './cloudflare-api.ts'
import { CloudflareApiError } from './cloudflare-error.ts'

export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4'

const TIMEOUT_MS = 4_000
/** Cloudflare blocks all calls for five minutes after the limit, also when it does not say for how long. */
const BLOCKED_MS = 300_000
const LONGEST_BLOCK_MS = 3_600_000
/** Above what fits one name: 8,192 characters in all its records of a type. */
const RECORDS_PER_PAGE = 1_000
/** Above what a zone of any plan but Enterprise may hold (3,500 records): such a zone is listed in one piece. */
const RECORDS_PER_LISTED_PAGE = 5_000
const LISTED_PAGE_TIMEOUT_MS = 30_000

/**
 * Cloudflare's API through its official SDK (~45 MB of memory and ~1 s to load, so load this module only when a
 * domain is there). Nothing is tried again here, because only the caller knows what a lost answer may have done.
 */
export function makeCloudflareApi(options: CloudflareApiOptions): CloudflareApi {
  const { timeoutMs = TIMEOUT_MS, now } = options
  const client = new Cloudflare({
    apiToken: options.token.reveal(),
    baseURL: options.baseUrl ?? CLOUDFLARE_API,
    // The SDK would else take these from the environment, and log requests when CLOUDFLARE_LOG says so.
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    logLevel: 'off',
    maxRetries: 0,
    timeout: timeoutMs,
    // The token goes to one place only.
    fetchOptions: { redirect: 'error' },
  })
  let blockedUntil = 0

  return {
    async findZones(name) {
      const { result } = await ask(zoneList, (request) =>
        client.get('/zones', { query: { name, per_page: 50 }, ...request }),
      )
      return result
        .filter((zone) => zone.name === name)
        .map(({ id, status }) => ({ id, active: status === 'active' }))
    },
    async listTxt(zoneId, name) {
      const query = { 'name.exact': name, type: 'TXT', per_page: RECORDS_PER_PAGE }
      const { result } = await ask(recordList, (request) =>
        client.get(`/zones/${zoneId}/dns_records`, { query, ...request }),
      )
      return result.filter((record) => record.name === name && record.type === 'TXT')
    },
    async *listAllTxt(zoneId) {
      let count: number | null = null
      for (let page = 1, pages = 1; page <= pages; page++) {
        const query = {
          type: 'TXT',
          order: 'name',
          direction: 'asc',
          per_page: RECORDS_PER_LISTED_PAGE,
          page,
        } as const
        const { result, result_info } = await ask(
          recordPage,
          (request) => client.get(`/zones/${zoneId}/dns_records`, { query, ...request }),
          LISTED_PAGE_TIMEOUT_MS,
        )
        yield* result.filter(({ type }) => type === 'TXT')
        // What comes or goes moves the later pages: records that were there all the time would be on none of them.
        count ??= result_info.total_count
        if (result_info.total_count !== count) throw unreadable('the zone has changed while it was listed')
        pages = result_info.total_pages
      }
    },
    createTxt: (zoneId, record) =>
      ask(recordSchema, (request) => client.dns.records.create({ zone_id: zoneId, ...txt(record) }, request)),
    updateTxt: (zoneId, id, record) =>
      ask(recordSchema, (request) =>
        client.dns.records.edit(id, { zone_id: zoneId, ...txt(record) }, request),
      ),
    async listDs(zoneId, name) {
      const query = { 'name.exact': name, type: 'DS', per_page: RECORDS_PER_PAGE }
      const { result } = await ask(dsList, (request) =>
        client.get(`/zones/${zoneId}/dns_records`, { query, ...request }),
      )
      return result
        .filter((record) => record.name === name && record.type === 'DS')
        .map(({ id, data }) => ({ id, ...dsOf(data) }))
    },
    async createDs(zoneId, { name, ttl, keyTag, algorithm, digestType, digest }) {
      const data = { key_tag: keyTag, algorithm, digest_type: digestType, digest }
      await ask(z.object({ id: identifier }), (request) =>
        client.dns.records.create({ zone_id: zoneId, type: 'DS', name, ttl, data }, request),
      )
    },
    async readDnssec(zoneId) {
      return statusOf(
        await ask(dnssecSchema, (request) => client.dns.dnssec.get({ zone_id: zoneId }, request)),
      )
    },
    async switchDnssec(zoneId, on) {
      const body = { zone_id: zoneId, status: on ? 'active' : 'disabled' } as const
      return statusOf(await ask(dnssecSchema, (request) => client.dns.dnssec.edit(body, request)))
    },
    async deleteDnssec(zoneId) {
      await ask(z.unknown(), (request) => client.dns.dnssec.delete({ zone_id: zoneId }, request))
    },
    async deleteRecord(zoneId, id) {
      await ask(z.object({ id: identifier }), (request) =>
        client.dns.records.delete(id, { zone_id: zoneId }, request),
      )
    },
  }

  async function ask<T>(
    schema: z.ZodType<T>,
    call: (request: { signal: AbortSignal; timeout: number }) => Promise<unknown>,
    timeout = timeoutMs,
  ): Promise<T> {
    const wait = blockedUntil - now()
    if (wait > 0) throw tooMany('not asked, because of the rate limit', wait)
    // The SDK's own timeout ends with the headers; the body must come in time, too.
    const signal = AbortSignal.timeout(timeout)
    const answer = await call({ signal, timeout }).catch((error: unknown) => {
      const failed = failureOf(error, signal, now())
      if (failed.failure.status === 429) blockedUntil = now() + (failed.failure.retryAfterMs ?? 0)
      throw failed
    })
    const parsed = schema.safeParse(answer)
    if (parsed.success) return parsed.data
    throw unreadable(`an answer of another form: ${z.prettifyError(parsed.error)}`)
  }
}

const identifier = z.string().regex(/^[0-9a-zA-Z]{1,32}$/)
const zoneList = z.object({
  success: z.literal(true),
  result: z.array(z.object({ id: identifier, name: z.string(), status: z.string().optional() })),
})
const recordSchema = z.object({
  id: identifier,
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.number(),
})
/** The SDK's own pages take an answer without a result for an empty list: a record that is there would seem gone. */
const recordList = z.object({ success: z.literal(true), result: z.array(recordSchema) })

const recordPage = recordList.extend({
  result_info: z.object({
    total_pages: z.number().int().min(0).max(100_000),
    total_count: z.number().int().min(0),
  }),
})

const dsList = z.object({
  success: z.literal(true),
  result: z.array(
    z.object({
      id: identifier,
      name: z.string(),
      type: z.string(),
      data: z.object({
        key_tag: z.number(),
        algorithm: z.number(),
        digest_type: z.number(),
        digest: z.string(),
      }),
    }),
  ),
})

function dsOf(data: z.infer<typeof dsList>['result'][number]['data']): Ds {
  const { key_tag: keyTag, algorithm, digest_type: digestType, digest } = data
  return { keyTag, algorithm, digestType, digest: digest.toLowerCase() }
}

const dnssecSchema = z.object({
  status: z.enum(['active', 'pending', 'disabled', 'pending-disabled', 'error']),
  modified_on: z.string().nullable().optional(),
})

/** A zone that was never signed, or is not any more, is disabled and was never changed. */
function statusOf({ status, modified_on }: z.infer<typeof dnssecSchema>): DnssecStatus | null {
  return status === 'disabled' && !modified_on ? null : status
}

const txt = ({ name, content, ttl }: NewApiRecord) => ({ type: 'TXT', name, content, ttl }) as const

function failureOf(error: unknown, signal: AbortSignal, now: number): CloudflareApiError {
  if (!(error instanceof APIError)) {
    if (signal.aborted) return unreadable('no answer in time', error)
    // The body broke off or is no JSON; the SDK wraps only what comes before it.
    if (error instanceof SyntaxError || error instanceof TypeError) return unreadable(error.message, error)
    throw error
  }
  if (error.status === undefined) {
    const cause = error.cause instanceof Error ? error.cause : error
    return unreadable(signal.aborted ? 'no answer in time' : describe(cause), error)
  }
  const { status } = error
  const codes = readErrors(error.error)
  if (status === 429) return tooMany('429 Too Many Requests', retryAfterMs(error.headers, now), error)
  const said = codes.map(({ code, message }) => `${code} ${message}`).join(', ')
  return new CloudflareApiError(
    {
      status,
      codes: codes.map(({ code }) => code),
      message: said === '' ? `HTTP ${status}` : said,
      retryAfterMs: null,
    },
    { cause: error },
  )
}

/** Cloudflare puts the true reason of "DNS Validation Error" into a chain below it. */
const apiErrors = z.object({
  errors: z.array(
    z.object({
      code: z.number(),
      message: z.string().default(''),
      error_chain: z.array(z.object({ code: z.number(), message: z.string().default('') })).default([]),
    }),
  ),
})

function readErrors(body: unknown): { code: number; message: string }[] {
  const parsed = apiErrors.safeParse(body)
  return parsed.success
    ? parsed.data.errors.flatMap(({ error_chain, ...error }) => [error, ...error_chain])
    : []
}

/** RFC 9110 §10.2.3: seconds or a date. */
function retryAfterMs(headers: Headers | undefined, now: number): number {
  const text = headers?.get('retry-after') ?? ''
  if (/^[0-9]{1,9}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_BLOCK_MS)
  const ms = /GMT$/.test(text) ? Date.parse(text) - now : Number.NaN
  return Number.isNaN(ms) ? BLOCKED_MS : Math.min(Math.max(ms, 0), LONGEST_BLOCK_MS)
}

function tooMany(what: string, waitMs: number, cause?: unknown): CloudflareApiError {
  const message = `${what}: may be asked again in ${Math.ceil(waitMs / 1000)} s`
  return new CloudflareApiError({ status: 429, codes: [], message, retryAfterMs: waitMs }, { cause })
}

function unreadable(message: string, cause?: unknown): CloudflareApiError {
  return new CloudflareApiError({ status: null, codes: [], message, retryAfterMs: null }, { cause })
}

/** Undici says "fetch failed" and puts the reason below. */
function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
