import type { Custody } from '@holdfast/core/escrow/milestone-states'
import type { LightningNode } from '@holdfast/lightning'

/** The node that holds, pays and repays: the operator's, with everything that an escrow needs. */
export type OperatorNode = Pick<LightningNode, 'nodeId' | 'network' | 'capabilities' | 'ownHolds'> & {
  readonly [Port in 'holdInvoices' | 'payer' | 'funds' | 'events']: NonNullable<LightningNode[Port]>
}

/** How high the chain is, as the operator's node sees it: what deadlines are counted in. Throws when it cannot say. */
export type ChainHeight = () => Promise<number>

/**
 * Well below the grace of the payment machine: what was asked just before a deadline has arrived, or never will, when
 * the node is asked whether it did.
 */
export const NODE_TIMEOUT_MS = 10_000

/**
 * The custody labels that a node can give. Without `bought-holds` the worker could be paid on the hash of a hold that the
 * server, away just then, does not claim: nothing is hash-locked there.
 */
export function custodiesOf({ capabilities }: Pick<LightningNode, 'capabilities'>): readonly Custody[] {
  const custodies: Custody[] = []
  if (capabilities.has('bought-holds')) custodies.push('hash-locked')
  if (capabilities.has('own-holds')) custodies.push('coordinated')
  return custodies
}
