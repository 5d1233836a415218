import type { Hex, LightningNode } from '@holdfast/lightning'

/** Finds the Lightning node of an owner. Null: none is connected. */
export type NodeDirectory = {
  nodeOf(owner: Hex): Promise<LightningNode | null>
  /** Where nodes may be there without anybody being asked: the owner's node, or null, and then it is asked for. */
  atHand?(owner: Hex): LightningNode | null
}
