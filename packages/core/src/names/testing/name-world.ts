import { isRefusal } from '../../refusals.ts'
import type { NameEffect, NameReport, NameRequest, PendingEffect } from '../name-commands.ts'
import { decideName, hearName, type NameDecision } from '../name-machine.ts'
import type { NameState, ReadyOffer } from '../name-states.ts'
import { doneOf, pendingEffects } from '../pending-effects.ts'

/** How an effect goes wrong: not carried out, carried out but not answered, or refused for good. */
export type Fault = 'none' | 'before' | 'answer-lost' | 'refused'
/** What becomes of the report; `lost`: the worker died, and the job is run again. */
export type Delivery = 'now' | 'late' | 'lost' | 'twice'

type Unasked<T> = T extends { kind: NameRequest['kind'] } ? Omit<T, 'jobId' | 'deadlineAt'> : never
export type Wish = Unasked<Exclude<NameRequest, { kind: 'register' }>>

export const YEAR_MS = 365 * 86_400_000

/**
 * A model of the world: one name, a zone, the nodes of its owners, and workers that run jobs in any order, begin one
 * before and end it after another, die before they report, and report late or twice.
 */
export class NameWorld {
  state: NameState
  now = 0
  jobs: NameEffect[] = []
  /** Jobs whose effect was still wanted when they began, and that have not reached the world yet. */
  begun: PendingEffect[] = []
  late: NameReport[] = []
  /** The offer of the record in the zone. */
  record: string | null = null
  /** `owner offer-number` of the offers that nodes answer for. */
  readonly enabled = new Set<string>()
  readonly #expiring: boolean
  #count = 0

  /** `expiring`: the name's first offer expires after a year. */
  constructor({ brought, expiring }: { brought: boolean; expiring: boolean }) {
    this.#expiring = expiring
    const decision = decideName(
      null,
      {
        kind: 'register',
        jobId: 'id',
        by: 'alice',
        user: 'shop',
        domain: 'shop.test',
        skeleton: 'shop',
        quarantineMs: 1_000,
        deadlineAt: 1_000,
        ...(brought && { offer: { ...this.bring(), ...(expiring && { expiresAt: YEAR_MS }) } }),
      },
      0,
    )
    if (isRefusal(decision)) throw new Error(decision.refused)
    this.state = decision.state
    this.jobs.push(...decision.effects)
  }

  /** An offer from the owner's device, new each time. */
  bring(): ReadyOffer {
    return { offer: `brought ${this.#count++}` }
  }

  keep({ state, effects }: NameDecision): void {
    this.state = state
    this.jobs.push(...effects)
  }

  hear(report: NameReport): void {
    this.keep(hearName(this.state, report, this.now))
  }

  /** Asks for it; answers whether it was accepted. */
  ask(wish: Wish): boolean {
    const request = { ...wish, jobId: `job ${this.#count++}`, deadlineAt: this.now + 1_000 } as NameRequest
    const decision = decideName(this.state, request, this.now)
    if (!isRefusal(decision)) this.keep(decision)
    return !isRefusal(decision)
  }

  /** What the watcher would find now. */
  watch(): void {
    const { state, record } = this
    if (!('live' in state) || state.live === null) return
    const { offer } = state.live
    if (record === offer) this.hear({ kind: 'healthy', offer })
    else if (record === null) this.hear({ kind: 'unhealthy', offer, reason: 'not-found' })
    else this.hear({ kind: 'unhealthy', offer, reason: 'content-changed', found: record })
  }

  begin(pick: number): void {
    const [job] = this.jobs.splice(pick % (this.jobs.length || 1), 1)
    if (job === undefined) return
    if (job.kind === 'wake') this.hear({ kind: 'time-passed' })
    else if (pendingEffects(this.state).some(({ serial }) => serial === job.serial)) this.begun.push(job)
    else if (job.kind === 'make-offer' || job.kind === 'publish-record' || job.kind === 'settle-record') {
      this.hear({ kind: 'outcome-unknown', effect: doneOf(job) })
    }
  }

  beginEffect(): void {
    const next = this.jobs.findIndex((job) => job.kind !== 'wake')
    if (next >= 0) this.begin(next)
  }

  finish(pick: number, fault: Fault, delivery: Delivery): void {
    const [job] = this.begun.splice(pick % (this.begun.length || 1), 1)
    if (job === undefined) return
    const report = this.#perform(job, fault)
    if (delivery === 'lost') this.jobs.push(job)
    if (delivery === 'late' || delivery === 'twice') this.late.push(report)
    if (delivery === 'now' || delivery === 'twice') this.hear(report)
  }

  /** From now on nothing fails: whatever is due, begun or on its way comes to its end. */
  settle(begunFirst = false): void {
    for (let turn = 0; this.jobs.length + this.begun.length + this.late.length > 0; turn++) {
      if (turn > 2_000) throw new Error(`no end: ${this.state.phase}`)
      if (begunFirst || this.jobs.length === 0) this.finish(0, 'none', 'now')
      for (const report of this.late.splice(0)) this.hear(report)
      this.jobs.sort((one, other) => one.at - other.at)
      this.now = Math.max(this.now, this.jobs[0]?.at ?? 0)
      const before = this.begun.length
      this.begin(0)
      // Undoing what was begun later comes to its end before what was begun earlier.
      if (this.begun.length > before) this.finish(this.begun.length - 1, 'none', 'now')
    }
  }

  #perform(effect: PendingEffect, fault: Fault): NameReport {
    const failed = (kind: 'unavailable' | 'refused' | 'occupied'): NameReport => {
      return { kind: 'effect-failed', effect: doneOf(effect), failure: { code: 'DNS_UNAVAILABLE', kind } }
    }
    if (fault === 'before') return failed('unavailable')
    if (fault === 'refused') return failed('refused')
    const report = this.#carryOut(effect)
    if (report === 'unavailable' || report === 'occupied') return failed(report)
    return fault === 'answer-lost' ? failed('unavailable') : report
  }

  #carryOut(effect: PendingEffect): NameReport | 'unavailable' | 'occupied' {
    const { serial } = effect
    switch (effect.kind) {
      case 'make-offer': {
        const { no, owner } = effect
        this.enabled.add(`${owner} ${no}`)
        const offer = `made ${no}`
        const ready = no === 0 && this.#expiring ? { offer, expiresAt: YEAR_MS } : { offer }
        return { kind: 'offer-made', serial, no, owner, ready }
      }
      case 'publish-record': {
        const { offer } = effect
        return this.#publish(offer, effect.replaces)
          ? { kind: 'record-published', serial, offer }
          : 'occupied'
      }
      case 'check-authoritative':
        return this.record === effect.offer ? { kind: 'record-seen', serial } : 'unavailable'
      case 'validate-chain':
        return this.record === effect.offer ? { kind: 'chain-validated', serial } : 'unavailable'
      case 'settle-record': {
        const { wanted, unwanted, strays = [] } = effect
        const settled: NameReport = { kind: 'record-settled', serial, wanted }
        if (wanted !== null) return this.#publish(wanted, [...unwanted, ...strays]) ? settled : 'occupied'
        if (this.record !== null && unwanted.includes(this.record)) this.record = null
        return settled
      }
      case 'disable-offer':
        if (inUse(this.state).includes(effect.no)) throw new Error(`offer ${effect.no} is in use`)
        this.enabled.delete(`${effect.owner} ${effect.no}`)
        return { kind: 'offer-disabled', serial, no: effect.no }
    }
  }

  /** As `DnsZone.publish`: in the place of nothing, itself, or what it replaces. */
  #publish(offer: string, replaces: readonly string[]): boolean {
    const isFree = this.record === null || this.record === offer || replaces.includes(this.record)
    if (isFree) this.record = offer
    return isFree
  }
}

/** The numbers of the offers that somebody may pay, now or when the name is resumed. */
function inUse(state: NameState): number[] {
  const offers = [
    'live' in state ? state.live : null,
    'next' in state ? state.next : null,
    'keep' in state ? state.keep : null,
  ]
  return offers.flatMap((offer) => offer?.no ?? [])
}
