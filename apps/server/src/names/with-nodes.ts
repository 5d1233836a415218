import type { Hex } from '@holdfast/lightning'
import type { Answer, PreparedWork, Work } from '../identity/identity.ts'
import { type AskNodes, askedBefore, directoryAtHand } from '../nodes/connected-node.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { Transaction } from '../platform/transaction.ts'
import type { OfferWish } from './change-name.ts'

/**
 * A mutation that gives a name an offer. Where none is brought the node of whoever asks has to make it: one that is not at
 * hand is looked for before the transaction, which costs a round trip more and holds nothing while it is waited for.
 */
export function withNodes(
  asking: AskNodes,
  { offer }: OfferWish,
  work: (tx: Transaction, by: Hex, nodes: NodeDirectory) => ReturnType<Work>,
): PreparedWork<NodeDirectory, Answer> {
  return {
    atHand: (by) => (offer === undefined ? directoryAtHand(asking, by) : asking.nodes),
    prepare: (by) => askedBefore(asking, by),
    work,
  }
}
