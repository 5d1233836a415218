import { type Refusal, refuse } from '@holdfast/core'
import { type Hex, type LightningNode, NodeError } from '@holdfast/lightning'
import { TimedOutError, within } from '../platform/within.ts'
import type { NodeDirectory } from './node-directory.ts'

export type AskNodes = {
  nodes: NodeDirectory
  /** How long a request waits for a node. Default 5 s. */
  nodeTimeoutMs?: number
}

const NODE_TIMEOUT_MS = 5_000

/** The owner's node, or why there is none to ask; for requests, whose sender waits. */
export async function connectedNode(asking: AskNodes, owner: Hex): Promise<LightningNode | Refusal> {
  const found = await unlessOffline(asking, () => asking.nodes.nodeOf(owner))
  return found ?? refuse('NODE_NOT_CONNECTED')
}

/** The directory as it answers about this owner where their node is at hand. */
export function directoryAtHand({ nodes }: AskNodes, owner: Hex): NodeDirectory | null {
  const node = nodes.atHand?.(owner) ?? null
  return node && { nodeOf: async (other) => (other === owner ? node : nodes.nodeOf(other)) }
}

/**
 * The directory as it answers about this owner now, which may take a while; asked again, as in a transaction, it answers
 * the same at once.
 */
export async function askedBefore(
  { nodes, nodeTimeoutMs = NODE_TIMEOUT_MS }: AskNodes,
  owner: Hex,
): Promise<NodeDirectory> {
  const asked = within(nodeTimeoutMs, nodes.nodeOf(owner))
  await Promise.allSettled([asked])
  return { nodeOf: (other) => (other === owner ? asked : nodes.nodeOf(other)) }
}

/** What the node answers; a node that is offline or does not answer in time is the refusal NODE_OFFLINE. */
export async function unlessOffline<T>(
  { nodeTimeoutMs = NODE_TIMEOUT_MS }: AskNodes,
  ask: () => Promise<T>,
): Promise<T | Refusal> {
  try {
    return await within(nodeTimeoutMs, ask())
  } catch (error) {
    if (error instanceof TimedOutError || (error instanceof NodeError && error.code === 'offline')) {
      return refuse('NODE_OFFLINE')
    }
    throw error
  }
}
