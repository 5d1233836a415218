import type { NameState } from '@holdfast/core/names/name-states'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { within } from '../platform/within.ts'
import { type Failed, failureOfNode, unavailable } from './effect-outcome.ts'
import { offerIdOf } from './make-offer.ts'

const NODE_TIMEOUT_MS = 10_000

export async function disableOffer(
  { nodes }: { nodes: NodeDirectory },
  { id }: NameState,
  { no, owner }: { readonly no: number; readonly owner: string },
): Promise<'done' | Failed> {
  try {
    const node = await within(NODE_TIMEOUT_MS, nodes.nodeOf(owner))
    if (node === null) return unavailable('NODE_NOT_CONNECTED')
    // A node that knows no offers made none.
    if (node.offers === undefined) return 'done'
    await within(NODE_TIMEOUT_MS, node.offers.disable(offerIdOf(id, no)))
    return 'done'
  } catch (error) {
    return failureOfNode(error)
  }
}
