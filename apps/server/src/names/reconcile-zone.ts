import { createHash } from 'node:crypto'
import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import type { NameIn, NameState } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import type { OpenDatabase } from '../platform/database.ts'
import type { TellName } from './name-saga.ts'
import { findClaims, findPublisher, listActive } from './reconcile-store.ts'
import { newTally, problemOfListing, type Reconciliation, tally } from './reconciliation.ts'

/** The domains of merchants whose names stand in this zone, and what follows `user._bitcoin-payment.` there. */
export type HostedDomains = (
  zone: string,
) => Promise<readonly { readonly below: string; readonly domain: string }[]>

type Listed = { readonly at: string; readonly user: string; readonly domain: string; readonly value: string }

const BATCH = 200
const RECORD_NAME = /^(?<user>.+)\.user\._bitcoin-payment\.(?<below>.+)$/
const INSTRUCTION = /^bitcoin:/i

/**
 * Compares a zone with the names in the database, in both directions. Nothing is written here: a name is told what was
 * found, decides by its state of now whether that is right, and has it mended by the loop. So it does not matter that
 * names change while the zone is listed.
 */
export async function reconcileZone(
  deps: {
    database: Pick<OpenDatabase, 'db'>
    tell: TellName
    clock: () => number
    hostedDomains: HostedDomains
  },
  zone: DnsZone,
): Promise<Reconciliation> {
  const { tell, clock } = deps
  const { db } = deps.database
  const begunAt = clock()
  const report = newTally(zone.domain)
  const hosted = await deps.hostedDomains(zone.domain)
  const domainOf = new Map([
    [zone.domain, zone.domain],
    ...hosted.map(({ below, domain }) => [below, domain] as const),
  ])
  const seen = new Set<number>()
  const strange = new Set<string>()

  let batch: Listed[] = []
  try {
    for await (const { name, value } of zone.list()) {
      const { user, below = '' } = RECORD_NAME.exec(name)?.groups ?? {}
      if (user === undefined || !INSTRUCTION.test(value)) continue
      report.records++
      const domain = domainOf.get(below)
      if (domain === undefined) tally(report, 'foreign', name)
      else batch.push({ at: name, user, domain, value })
      if (batch.length === BATCH) {
        await compare(batch)
        batch = []
      }
    }
  } catch (error) {
    if (!(error instanceof DnsZoneError)) throw error
    const code = error.code === 'unavailable' ? 'DNS_UNAVAILABLE' : 'DNS_REFUSED'
    report.problem = problemOfListing(code, error.message)
  }
  await compare(batch)
  if (!report.problem) await findMissing([...domainOf.values()])
  return { ...report, at: clock() }

  async function compare(batch: readonly Listed[]): Promise<void> {
    const claims = await findClaims(db, batch)
    for (const listed of batch) {
      const { user, domain, value } = listed
      const claim = claims.get(`${user}@${domain}`)
      if (claim && isLive(claim, value)) {
        report.live++
        seen.add(fingerprint(recordName(claim), value))
      } else if (claim && isBusyWith(claim, value, begunAt)) report.busy++
      else await judgeStranger(listed)
    }
  }

  async function judgeStranger({ at, user, domain, value }: Listed): Promise<void> {
    const offer = offerOf(value)
    const publisher = offer === null ? null : await findPublisher(db, { user, domain }, offer)
    if (publisher === null) {
      tally(report, 'foreign', at)
      strange.add(`${user}@${domain}`)
      return
    }
    tally(report, 'orphaned', at)
    await tell(publisher, { kind: 'record-found', offer })
  }

  async function findMissing(domains: readonly string[]): Promise<void> {
    for (let after: string | null = null; ; ) {
      const page: NameIn<'active'>[] = await listActive(db, { domains, limit: BATCH, after })
      for (const state of page) {
        const isThere = seen.has(fingerprint(recordName(state), recordValue(state.live.offer)))
        const name = `${state.user}@${state.domain}`
        // Where something else stands a new record would be refused: that is for the watcher to find.
        if (hasMoved(state, begunAt) || isThere || state.cleaning !== null || strange.has(name)) continue
        tally(report, 'missing', name)
        await tell(state.id, { kind: 'record-found', offer: null })
      }
      after = page.at(-1)?.id ?? null
      if (page.length < BATCH) return
    }
  }
}

function isLive(claim: NameState, value: string): boolean {
  return claim.phase === 'active' && recordValue(claim.live.offer) === value
}

/** A name that was changed since the listing began may have been listed as it was before. */
function isBusyWith(claim: NameState, value: string, since: number): boolean {
  return hasMoved(claim, since) || knownOffers(claim).some((offer) => recordValue(offer) === value)
}

function hasMoved({ job }: NameState, since: number): boolean {
  return (job.stepsDone.at(-1)?.at ?? since) >= since
}

/** Offers of which the state knows that their record may be in the zone, or will be. */
function knownOffers(state: NameState): string[] {
  const offers = [
    'live' in state ? state.live : null,
    'next' in state && 'offer' in state.next ? state.next : null,
    ...('drop' in state ? state.drop : []),
    'keep' in state && state.phase === 'withdrawing' ? state.keep : null,
  ]
  return [...offers.flatMap((known) => known?.offer ?? []), ...(state.cleaning?.offers ?? [])]
}

/** The offer of a record as we write it; null for one of another form. */
function offerOf(value: string): string | null {
  const offer = value.slice(recordValue('').length)
  return recordValue(offer) === value ? offer : null
}

/** Of a million records 48 bits each fit into memory; that two are alike hides one missing record for a day. */
function fingerprint(name: string, value: string): number {
  return createHash('sha256').update(`${name} ${value}`).digest().readUIntBE(0, 6)
}
