import { type KeysManager, Recipient, Result_PublicKeyNoneZ_OK } from 'lightningdevkit'
import { type Hex, type Network, NodeError } from '../../ports.ts'
import { toHex } from './bytes.ts'
import type { Store } from './store.ts'

/** The node id that follows from the seed. */
export function ownId(keys: KeysManager): Hex {
  const id = keys.as_NodeSigner().get_node_id(Recipient.LDKRecipient_Node)
  if (!(id instanceof Result_PublicKeyNoneZ_OK)) throw new Error('A KeysManager has a node id.')
  return toHex(id.res)
}

/** Writes into a new file whose it is; throws `NodeError('invalid')` when it is another node's. */
export function claimIdentity(store: Store, nodeId: Hex, network: Network, folder: string): void {
  const identity = store.get<{ node_id: Hex; network: Network }>('SELECT node_id, network FROM identity')
  if (!identity) store.run('INSERT INTO identity VALUES (1, ?, ?)', nodeId, network)
  else if (identity.node_id !== nodeId || identity.network !== network)
    throw new NodeError(
      'invalid',
      `${folder} belongs to the node ${identity.node_id} on ${identity.network}.`,
    )
}
