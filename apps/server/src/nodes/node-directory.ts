import type { Hex, LightningNode } from '@holdfast/lightning'

/** Finds the Lightning node of an owner. Null: none is connected. */
export type NodeDirectory = { nodeOf(owner: Hex): Promise<LightningNode | null> }
