import { REFUSALS } from '@holdfast/core'
import { z } from 'zod'

/** At most so many of each kind are named. */
const MAX_EXAMPLES = 20

const count = z.number().int()
const examples = z.array(z.string()).describe(`At most ${MAX_EXAMPLES} of them.`)

/** What came of comparing one zone with the names in the database. */
export const reconciliationSchema = z
  .strictObject({
    domain: z.string(),
    at: count.describe('When it ended; milliseconds since 1970.'),
    records: count.describe('Payment instructions in the zone.'),
    live: count.describe('Those that are the record of a live name.'),
    busy: count.describe('Those that a change under way puts there or takes away.'),
    orphaned: z
      .strictObject({ count, names: examples })
      .describe('Records of ours that no name wants any more; they are being withdrawn.'),
    foreign: z
      .strictObject({ count, names: examples })
      .describe('Records that were not published here; they are left alone.'),
    missing: z
      .strictObject({ count, names: examples })
      .describe('Live names without their record; it is being published again.'),
    problem: z
      .strictObject({
        code: z.enum(['DNS_REFUSED', 'DNS_UNAVAILABLE']),
        title: z.string(),
        detail: z.string(),
      })
      .optional()
      .describe('Why the zone could not be listed to its end; then nothing is known to be missing.'),
  })
  .meta({ title: 'Reconciliation' })

export type Reconciliation = z.infer<typeof reconciliationSchema>

type Found = 'orphaned' | 'foreign' | 'missing'

export function newTally(domain: string): Reconciliation {
  const none = () => ({ count: 0, names: [] })
  return { domain, at: 0, records: 0, live: 0, busy: 0, orphaned: none(), foreign: none(), missing: none() }
}

export function tally(report: Reconciliation, kind: Found, name: string): void {
  report[kind].count++
  if (report[kind].names.length < MAX_EXAMPLES) report[kind].names.push(name)
}

export function problemOfListing(code: 'DNS_REFUSED' | 'DNS_UNAVAILABLE', detail: string) {
  return { code, title: REFUSALS[code].title, detail }
}

/** Whether a person should look at it. */
export function isNoteworthy({ orphaned, foreign, missing, problem }: Reconciliation): boolean {
  return problem !== undefined || orphaned.count + foreign.count + missing.count > 0
}
