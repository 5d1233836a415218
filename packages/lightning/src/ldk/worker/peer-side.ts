import { randomBytes } from 'node:crypto'
import {
  IgnoringMessageHandler,
  type KeysManager,
  type Logger,
  type NetworkGraph,
  OffersMessageHandler,
  OnionMessenger,
  Option_C2Tuple_OffersMessageResponseInstructionZZ,
  Option_UtxoLookupZ,
  P2PGossipSync,
  PeerManager,
} from 'lightningdevkit'
import type { Assembly } from './assembly.ts'
import type { Guard } from './guard.ts'
import type { OfferRequests } from './offer-requests.ts'

/** What talks to peers: the gossip of the shared graph, onion messages, and the peer manager over them. */
export function makePeerSide(parts: {
  assembly: Assembly
  keys: KeysManager
  logger: Logger
  graph: NetworkGraph
  guard: Guard
  requests: OfferRequests
  now: () => number
}): { peerManager: PeerManager; onionMessenger: OnionMessenger } {
  const { assembly, keys, logger, graph, guard, requests } = parts
  const ignoring = IgnoringMessageHandler.constructor_new()
  const onionMessenger = OnionMessenger.constructor_new(
    keys.as_EntropySource(),
    keys.as_NodeSigner(),
    logger,
    assembly.manager.as_NodeIdLookUp(),
    assembly.messageRouter.as_MessageRouter(),
    OffersMessageHandler.new_impl({
      handle_message: guard.wrap(
        (message, context, responder) => requests.hear(message, context, responder),
        () => Option_C2Tuple_OffersMessageResponseInstructionZZ.constructor_none(),
      ),
      release_pending_messages: guard.wrap(
        () => requests.release(),
        () => [],
      ),
    }),
    ignoring.as_AsyncPaymentsMessageHandler(),
    ignoring.as_DNSResolverMessageHandler(),
    ignoring.as_CustomOnionMessageHandler(),
  )
  // Each node has its own gossip queue over the one graph: a shared queue would hand messages to the wrong peers.
  const gossip = P2PGossipSync.constructor_new(graph, Option_UtxoLookupZ.constructor_none(), logger)
  const peerManager = PeerManager.constructor_new(
    assembly.manager.as_ChannelMessageHandler(),
    gossip.as_RoutingMessageHandler(),
    onionMessenger.as_OnionMessageHandler(),
    ignoring.as_CustomMessageHandler(),
    Math.floor(parts.now() / 1000),
    randomBytes(32),
    logger,
    keys.as_NodeSigner(),
  )
  return { peerManager, onionMessenger }
}
