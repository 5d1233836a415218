import type { ChainedEntry } from '@holdfast/core'
import { type AuthEvent, readAuthEvent, type SignedFor } from '@holdfast/protocols/nip98'
import { SESSION_TTL_MS } from '@holdfast/server/identity/sessions'
import type { OpenDatabase } from '@holdfast/server/platform/database'

/** Why an entry is not proven to be the deed of who is said to have caused it. */
export type SignatureFault =
  /** A person did it, and no signed request is named although they were by then. */
  | 'unsigned'
  | 'signed-request-missing'
  /** No NIP-98 event, or its id or signature is wrong. */
  | 'signature-wrong'
  | 'signed-by-another'
  /** The event is for a request that changes nothing. */
  | 'signed-for-reading'
  /** The event was made at another time than the entry. */
  | 'signed-at-another-time'

export type SignatureCount = {
  /** Entries that name a signed request. */
  readonly signed: number
  /** Entries that people caused before there were any. */
  readonly before: number
  /** Signed requests whose signatures were verified. */
  readonly events: number
}

/** How much the clock of who signs may differ from the server's, and what a request may take. */
const TOLERANCE_MS = 60_000 + 120_000

/**
 * Tells of each entry whether the signed event that it names authorized it. Events are learnt first, each once; `since`:
 * from then on (milliseconds since 1970), and behind an entry of the same entity that names one, every entry that a
 * person caused must name one.
 */
export function makeSignatureFollower(since: number | null) {
  const events = new Map<string, SignedFor | null>()
  const proven = new Set<string>()
  const count = { signed: 0, before: 0 }
  return {
    learn(event: AuthEvent): void {
      events.set(event.id, readAuthEvent(event))
    },
    knows: (id: string): boolean => events.has(id),
    /** Null: it is so. */
    check(entry: ChainedEntry): SignatureFault | null {
      const id = signedRequestOf(entry)
      const entity = `${entry.stream} ${entry.entityId}`
      const isPerson = /^[0-9a-f]{64}$/.test(entry.actor)
      if (id === null) {
        if (!isPerson) return null
        if (proven.has(entity) || (since !== null && entry.at >= since)) return 'unsigned'
        count.before++
        return null
      }
      count.signed++
      proven.add(entity)
      const event = events.get(id)
      if (event === undefined) return 'signed-request-missing'
      if (event === null) return 'signature-wrong'
      if (isPerson && event.pubkey !== entry.actor) return 'signed-by-another'
      if (event.method === 'GET' || event.method === 'HEAD') return 'signed-for-reading'
      const sinceMs = entry.at - event.createdAt
      const isThen =
        sinceMs >= -TOLERANCE_MS && sinceMs <= (opensSession(event) ? SESSION_TTL_MS : 0) + TOLERANCE_MS
      return isThen ? null : 'signed-at-another-time'
    },
    count: (): SignatureCount => ({ ...count, events: [...events.values()].filter(Boolean).length }),
  }
}

/** A token stands for its signer as long as its session lasts. */
function opensSession({ url, method }: SignedFor): boolean {
  return method === 'POST' && /\/v1\/sessions$/.test(url)
}

/** The id of the event that an entry names; null: none. */
export function signedRequestOf({ data }: Pick<ChainedEntry, 'data'>): string | null {
  return typeof data.signedRequest === 'string' ? data.signedRequest : null
}

/** The events that entries name and that were not asked for before; those that are not kept are left out. */
export async function readSignedRequests(
  { pool }: Pick<OpenDatabase, 'pool'>,
  entries: readonly Pick<ChainedEntry, 'data'>[],
  known: (id: string) => boolean,
): Promise<AuthEvent[]> {
  const named = entries.map(signedRequestOf).filter((id) => id !== null && !known(id))
  const ids = [...new Set(named)]
  if (ids.length === 0) return []
  const { rows } = await pool.query<{ event: AuthEvent }>(
    `select event from signed_request
     where id in (select decode(named, 'hex') from unnest($1::text[]) as named where named ~ '^[0-9a-f]{64}$')`,
    [ids],
  )
  return rows.map(({ event }) => event)
}

/** When the first of them was used: from then on people's entries name one. Null: there is none. */
export async function signedSince({ pool }: Pick<OpenDatabase, 'pool'>): Promise<number | null> {
  const { rows } = await pool.query<{ since: Date | null }>(
    'select min(first_used_at) as since from signed_request',
  )
  return rows[0]?.since?.getTime() ?? null
}
