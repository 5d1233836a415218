import { NodeError } from '@holdfast/lightning'
import type { OpenDatabase } from '../platform/database.ts'
import { within } from '../platform/within.ts'
import { countHashes } from './escrow-store.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

type Deps = { database: Pick<OpenDatabase, 'db'>; node: Pick<OperatorNode, 'ownHolds'> }
type About = { readonly id: string; readonly milestone: number }

/**
 * What the operator's node derives the preimage of a coordinated hold from. `nth` counts the hashes that the milestone
 * has had before: one that was not paid for in time is funded again, on another hash.
 */
const labelOf = ({ id, milestone }: About, nth: number) => `escrow:${id}:${milestone}:${nth}`

/** The hash for the next hold of a coordinated milestone; two who ask at once are told the same, and one may take it. */
export async function nextOwnHash({ database, node }: Deps, about: About): Promise<string> {
  const nth = await countHashes(database.db, about)
  return within(NODE_TIMEOUT_MS, ownHoldsOf(node).paymentHash(labelOf(about, nth)))
}

/** Claims a coordinated hold. Throws `NodeError('not-held')` when it is over. */
export async function settleOwnHold(
  { database, node }: Deps,
  { paymentHash, ...about }: About & { readonly paymentHash: string },
): Promise<void> {
  const ownHolds = ownHoldsOf(node)
  for (let nth = (await countHashes(database.db, about)) - 1; nth >= 0; nth--) {
    const label = labelOf(about, nth)
    if ((await within(NODE_TIMEOUT_MS, ownHolds.paymentHash(label))) !== paymentHash) continue
    await within(NODE_TIMEOUT_MS, ownHolds.settle(label))
    return
  }
  throw new Error(`The hold on ${paymentHash} is not one of the operator's own.`)
}

function ownHoldsOf({ ownHolds }: Deps['node']) {
  if (ownHolds === undefined) throw new NodeError('unsupported', 'This node makes no preimages.')
  return ownHolds
}
