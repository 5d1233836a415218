import { isRefusal } from '@holdfast/core'
import type { NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { within } from '../platform/within.ts'
import { checkOffer } from './check-offer.ts'
import { type Failed, failureOfNode, refused, unavailable } from './effect-outcome.ts'

const NODE_TIMEOUT_MS = 10_000

/** Makes the name's offer at the owner's node; the registration's id makes it the same offer every time. */
export async function makeOffer(
  { nodes, clock }: { nodes: NodeDirectory; clock: () => number },
  { id, owner, user, domain }: NameState,
): Promise<ReadyOffer | Failed> {
  try {
    const node = await within(NODE_TIMEOUT_MS, nodes.nodeOf(owner))
    if (node === null) return unavailable('NODE_NOT_CONNECTED')
    if (node.offers === undefined) return refused('NODE_CANNOT')
    const { offer } = await within(
      NODE_TIMEOUT_MS,
      node.offers.create({ offerId: id, description: `${user}@${domain}` }),
    )
    const checked = checkOffer(offer, { network: node.network, now: clock() })
    return isRefusal(checked) ? refused(checked.refused) : checked
  } catch (error) {
    return failureOfNode(error)
  }
}
