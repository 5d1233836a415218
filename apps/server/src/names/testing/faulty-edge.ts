import { setTimeout as sleep } from 'node:timers/promises'
import { DnsZoneError } from '@holdfast/core/dns-zone'
import { NodeError } from '@holdfast/lightning'
import type { TestNode } from '../../nodes/testing/test-node.ts'
import type { TestZone } from './test-zone.ts'

/**
 * How a call at an edge goes wrong: `before` it has done anything, `after` it has done all, or without ever an answer,
 * nothing done (`silent`), all done (`silent-done`), or done when nobody waits for it any more (`late`).
 */
export const FAULTS = ['before', 'after', 'silent', 'silent-done', 'late'] as const
export type Fault = (typeof FAULTS)[number]

/** Longer than anybody waits for a zone or a node. */
const LATE_MS = 10_500

/** Counts the calls of one story at its edges, and lets one of them go wrong. */
export class FaultyCalls {
  /** What was called since it was armed, in this order. */
  readonly calls: string[] = []
  /** What comes late, until it has come. */
  readonly late: Promise<unknown>[] = []
  #armed: { call: number; fault: Fault } | null = null

  /** `call` counts from 0; null only counts. */
  arm(fault: { call: number; fault: Fault } | null): void {
    this.calls.length = 0
    this.#armed = fault
  }

  async run<T>(name: string, unavailable: () => Error, work: () => Promise<T>): Promise<T> {
    const number = this.calls.push(name) - 1
    if (this.#armed?.call !== number) return work()
    switch (this.#armed.fault) {
      case 'before':
        throw unavailable()
      case 'after':
        await work()
        throw unavailable()
      case 'silent-done':
        await work()
        return new Promise<never>(() => undefined)
      case 'silent':
        return new Promise<never>(() => undefined)
      case 'late':
        // What it would have answered is nobody's business any more.
        this.late.push(sleep(LATE_MS).then(() => work().catch(() => undefined)))
        return new Promise<never>(() => undefined)
    }
  }
}

/** The zone with faults in the calls for one name. */
export function spoilZone(zone: TestZone, name: string, faulty: FaultyCalls): void {
  const { publish, withdraw, authoritative } = zone
  const down = () => new DnsZoneError('unavailable', 'as the test asked')
  const spoil = <A extends unknown[], T>(
    what: string,
    method: (...args: A) => Promise<T>,
    nameOf: (...args: A) => string,
  ) => {
    return (...args: A): Promise<T> =>
      nameOf(...args) === name ? faulty.run(what, down, () => method(...args)) : method(...args)
  }
  zone.publish = spoil('publish', publish, (record) => record.name)
  zone.withdraw = spoil('withdraw', withdraw, (record) => record.name)
  zone.authoritative = spoil('authoritative', authoritative, (asked) => asked)
}

export function spoilNode(node: TestNode, faulty: FaultyCalls): TestNode {
  const { create, list, disable } = node.offers!
  const down = () => new NodeError('offline', 'as the test asked')
  return Object.assign(node, {
    offers: {
      create: (request) => faulty.run('create', down, () => create(request)),
      list: () => faulty.run('list', down, () => list()),
      disable: (offerId) => faulty.run('disable', down, () => disable(offerId)),
    } satisfies TestNode['offers'],
  })
}
