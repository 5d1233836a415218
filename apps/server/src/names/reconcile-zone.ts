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

/** The merchant's domain whose names have lived there, if its claim has ended; null: no other claim ever has the place. */
export type EndedDomain = (zone: string, below: string) => Promise<string | null>

type Listed = { readonly at: string; readonly user: string; readonly domain: string; readonly value: string }

const BATCH = 200
const RECORD_NAME = /^(?<user>.+)\.user\._bitcoin-payment\.(?<below>.+)$/
const INSTRUCTION = /^bitcoin:/i
/** What a look at a merchant's domain publishes for a moment, where nobody can register a name. */
const PROBE = { user: /^_holdfast-\d$/, value: /^holdfast-challenge=/ }

/**
 * Compares a zone with the names in the database, in both directions. Nothing is written here: a name is told what was
 * found, decides by its state of now whether that is right, and has it mended by the loop. So it does not matter that
 * names change while the zone is listed. Only what has been left of a merchant's domain whose claim has ended is withdrawn
 * here, because no name has a zone there any more.
 */
export async function reconcileZone(
  deps: {
    database: Pick<OpenDatabase, 'db'>
    tell: TellName
    clock: () => number
    hostedDomains: HostedDomains
    endedDomain: EndedDomain
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
  /** Ours, of domains whose claims may have ended. */
  const leftovers: { name: string; value: string; below: string }[] = []
  const seen = new Set<number>()
  const strange = new Set<string>()
  /** The offers of records that were left behind, by name. */
  const orphans = new Map<string, string>()

  let batch: Listed[] = []
  try {
    for await (const { name, value } of zone.list()) {
      const { user, below = '' } = RECORD_NAME.exec(name)?.groups ?? {}
      if (user === undefined) continue
      if (PROBE.user.test(user) && PROBE.value.test(value) && below.endsWith(`.${zone.domain}`))
        leftovers.push({ name, value, below })
      if (!INSTRUCTION.test(value)) continue
      report.records++
      const domain = domainOf.get(below)
      if (domain === undefined) await judgeLeftover({ at: name, user, value, below })
      else batch.push({ at: name, user, domain, value })
      if (batch.length === BATCH) {
        await compare(batch)
        batch = []
      }
    }
    await withdrawLeftovers()
  } catch (error) {
    if (!(error instanceof DnsZoneError)) throw error
    const code = error.code === 'unavailable' ? 'DNS_UNAVAILABLE' : 'DNS_REFUSED'
    report.problem = problemOfListing(code, error.message)
  }
  await compare(batch)
  if (!report.problem) await findMissing([...domainOf.values()])
  return { ...report, at: clock() }

  async function judgeLeftover({ at, user, value, below }: Omit<Listed, 'domain'> & { below: string }) {
    const domain = await deps.endedDomain(zone.domain, below)
    const offer = offerOf(value)
    if (domain !== null && offer !== null && (await findPublisher(db, { user, domain }, offer)) !== null)
      leftovers.push({ name: at, value, below })
    else tally(report, 'foreign', at)
  }

  async function withdrawLeftovers(): Promise<void> {
    const ended = leftovers.filter(({ below }) => !domainOf.has(below))
    if (ended.length === 0) return
    // A claim may have begun since we asked.
    const now = new Set((await deps.hostedDomains(zone.domain)).map(({ below }) => below))
    for (const { name, value, below } of ended) {
      if (now.has(below)) continue
      tally(report, 'orphaned', name)
      await zone.withdraw({ name, value })
    }
  }

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
    if (offer === null || publisher === null) {
      tally(report, 'foreign', at)
      strange.add(`${user}@${domain}`)
      return
    }
    tally(report, 'orphaned', at)
    orphans.set(`${user}@${domain}`, offer)
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
        // It takes the place of what a former owner has left: it need not wait until that is gone.
        await tell(state.id, { kind: 'record-found', offer: orphans.get(name) ?? null })
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
