import type { Secret } from '../../platform/secret.ts'

/** A TXT record as the API lists it; `content` is in the form of `txt-content.ts`. */
export type ApiRecord = { readonly id: string; readonly content: string; readonly ttl: number }

export type NewApiRecord = { readonly name: string; readonly content: string; readonly ttl: number }

/** What a zone needs of Cloudflare's API. Every call throws `CloudflareApiError` and nothing else of the API's. */
export type CloudflareApi = {
  /** The ids of the zones of this name that the token may see; several accounts may have begun to set one up. */
  findZones(name: string): Promise<readonly { readonly id: string; readonly active: boolean }[]>
  listTxt(zoneId: string, name: string): Promise<readonly ApiRecord[]>
  /** Every TXT record of the zone. */
  listAllTxt(zoneId: string): AsyncIterable<ApiRecord & { readonly name: string }>
  createTxt(zoneId: string, record: NewApiRecord): Promise<ApiRecord>
  updateTxt(zoneId: string, id: string, record: NewApiRecord): Promise<ApiRecord>
  deleteRecord(zoneId: string, id: string): Promise<void>
}

export type CloudflareApiOptions = {
  /** An API token with Zone:Read and DNS:Edit. */
  readonly token: Secret<string>
  /** Default: Cloudflare's own. */
  readonly baseUrl?: string | undefined
  /** For one request; default 4 s. */
  readonly timeoutMs?: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}
