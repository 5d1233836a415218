import type { LightningNode } from '@holdfast/lightning'

/** The node that holds, pays and repays: the operator's, with everything that an escrow needs. */
export type OperatorNode = Pick<LightningNode, 'nodeId' | 'network'> & {
  readonly [Port in 'holdInvoices' | 'payer' | 'funds' | 'events']: NonNullable<LightningNode[Port]>
}

/** How high the chain is, as the operator's node sees it: what deadlines are counted in. Throws when it cannot say. */
export type ChainHeight = () => Promise<number>

/**
 * Well below the grace of the payment machine: what was asked just before a deadline has arrived, or never will, when
 * the node is asked whether it did.
 */
export const NODE_TIMEOUT_MS = 10_000
