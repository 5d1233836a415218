import type { OpenDatabase } from '../platform/database.ts'
import { within } from '../platform/within.ts'
import type { BlockClock } from './block-clock.ts'
import type { TellEscrow } from './escrow-saga.ts'
import { endClaims, findByHashes, findOpenClaims, type OpenClaims } from './escrow-store.ts'
import { sayHold } from './hold-effects.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

const PAGE_SIZE = 200

type Deps = {
  database: Pick<OpenDatabase, 'db'>
  node: Pick<OperatorNode, 'holdInvoices'>
  tell: TellEscrow
}

/**
 * Follows what the node has claimed until nobody can undo it: looks once for each block, and after a start. Until the
 * next block nothing can be lost that was not before.
 */
export function makeFollowClaims(deps: Deps & { blocks: Pick<BlockClock, 'moment'> }): () => Promise<void> {
  let seen: number | null = null
  return async () => {
    const { height } = await deps.blocks.moment()
    if (height === seen) return
    await lookAtClaims(deps)
    seen = height
  }
}

/**
 * Asks the node about everything that it has claimed and might still lose: one question for many. Those that are final
 * are asked about no more, and the escrow hears of one that is lost, also when the event that said so was missed.
 */
async function lookAtClaims(deps: Deps): Promise<void> {
  const lost: Lost[] = []
  for (let after: OpenClaims | null = null; ; ) {
    const page: readonly OpenClaims[] = await findOpenClaims(deps.database.db, { limit: PAGE_SIZE, after })
    if (page.length > 0) lost.push(...(await endFinal(deps, page)))
    after = page.at(-1) ?? null
    if (page.length < PAGE_SIZE) break
  }
  await tellLost(deps, lost)
}

type Lost = { readonly paymentHash: string; readonly amountMsat: bigint }

/** Answers what is lost. */
async function endFinal({ database, node }: Deps, page: readonly OpenClaims[]): Promise<Lost[]> {
  const paymentHashes = page.flatMap((escrow) => escrow.paymentHashes)
  const said = await within(NODE_TIMEOUT_MS, node.holdInvoices.lookupAll(paymentHashes))
  const final = paymentHashes.filter((_, at) => {
    const hold = said[at]
    return hold?.state === 'settled' && hold.isFinal
  })
  const isFinal = new Set(final)
  const ids = page.filter((escrow) => escrow.paymentHashes.some((hash) => isFinal.has(hash)))
  if (ids.length > 0) await endClaims(database.db, { ids: ids.map(({ id }) => id), paymentHashes: final })
  return paymentHashes.flatMap((paymentHash, at) => {
    const hold = said[at]
    return hold?.state === 'lost' ? [{ paymentHash, amountMsat: hold.amountMsat }] : []
  })
}

/** An escrow that cannot hear it keeps no other from hearing. */
async function tellLost({ database, tell }: Deps, lost: readonly Lost[]): Promise<void> {
  const whose = await findByHashes(
    database.db,
    lost.map(({ paymentHash }) => paymentHash),
  )
  const faults: unknown[] = []
  for (const { paymentHash, amountMsat } of lost) {
    const about = whose.get(paymentHash)
    if (about === undefined) throw new Error('A hash that an escrow claims belongs to it.')
    const { id } = about.escrow
    try {
      await tell(id, sayHold(about.milestone, paymentHash, { state: 'lost', amountMsat }))
    } catch (cause) {
      faults.push(new Error(`${id} cannot be told that its claim is lost`, { cause }))
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} lost claims were passed over`)
}
