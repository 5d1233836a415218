import { isRefusal } from '@holdfast/core'
import { WILDCARD } from '@holdfast/core/names/name'
import type { NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { within } from '../platform/within.ts'
import { checkOffer } from './check-offer.ts'
import { type Failed, failureOfNode, refused, unavailable } from './effect-outcome.ts'

const NODE_TIMEOUT_MS = 10_000

type Planned = { readonly no: number; readonly owner: string }

/** The id of a name's offer at the node that makes it. */
export function offerIdOf(nameId: string, no: number): string {
  return no === 0 ? nameId : `${nameId}-${no}`
}

/** Makes the name's offer at the owner's node; its number makes it the same offer every time. */
export async function makeOffer(
  { nodes, clock }: { nodes: NodeDirectory; clock: () => number },
  { id, user, domain }: NameState,
  { no, owner }: Planned,
): Promise<ReadyOffer | Failed> {
  try {
    const node = await within(NODE_TIMEOUT_MS, nodes.nodeOf(owner))
    if (node === null) return unavailable('NODE_NOT_CONNECTED')
    if (node.offers === undefined) return refused('NODE_CANNOT')
    const whom =
      user === WILDCARD ? { description: domain, payeeDomain: domain } : { description: `${user}@${domain}` }
    if ('payeeDomain' in whom && !node.capabilities.has('payees')) return refused('NODE_CANNOT')
    const { offer } = await within(
      NODE_TIMEOUT_MS,
      node.offers.create({ offerId: offerIdOf(id, no), ...whom }),
    )
    const checked = checkOffer(offer, { network: node.network, now: clock() })
    return isRefusal(checked) ? refused(checked.refused) : checked
  } catch (error) {
    return failureOfNode(error)
  }
}
