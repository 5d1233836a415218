import { randomBytes } from 'node:crypto'
import {
  IgnoringMessageHandler,
  type InvoiceRequest,
  type KeysManager,
  type Logger,
  type NetworkGraph,
  OffersMessage_InvoiceRequest,
  OffersMessageHandler,
  OnionMessenger,
  Option_C2Tuple_OffersMessageResponseInstructionZZ,
  Option_UtxoLookupZ,
  P2PGossipSync,
  PeerManager,
} from 'lightningdevkit'
import type { Assembly } from './assembly.ts'
import { toHex } from './bytes.ts'
import { isNull } from './channels.ts'
import type { Guard } from './guard.ts'
import type { Offers } from './offers.ts'

/** What talks to peers: the gossip of the shared graph, onion messages, and the peer manager over them. */
export function makePeerSide(parts: {
  assembly: Assembly
  keys: KeysManager
  logger: Logger
  graph: NetworkGraph
  guard: Guard
  offers: Offers
  now: () => number
}): { peerManager: PeerManager; onionMessenger: OnionMessenger } {
  const { assembly, keys, logger, graph, guard, offers } = parts
  const ignoring = IgnoringMessageHandler.constructor_new()
  const onionMessenger = OnionMessenger.constructor_new(
    keys.as_EntropySource(),
    keys.as_NodeSigner(),
    logger,
    assembly.manager.as_NodeIdLookUp(),
    assembly.messageRouter.as_MessageRouter(),
    silentAboutSome(assembly, guard, offers),
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

/** LDK answers for every offer it ever derived keys for; some requests are silenced before LDK sees them. */
function silentAboutSome(assembly: Assembly, guard: Guard, offers: Offers): OffersMessageHandler {
  const answering = assembly.manager.as_OffersMessageHandler()
  const silence = () => Option_C2Tuple_OffersMessageResponseInstructionZZ.constructor_none()
  return OffersMessageHandler.new_impl({
    handle_message: guard.wrap((message, context, responder) => {
      if (message instanceof OffersMessage_InvoiceRequest) {
        const issuer = message.invoice_request.issuer_signing_pubkey()
        if (!offers.answers(toHex(issuer)) || hasLongNote(message.invoice_request)) return silence()
      }
      return answering.handle_message(message, context, responder)
    }, silence),
    release_pending_messages: guard.wrap(
      () => answering.release_pending_messages(),
      () => [],
    ),
  })
}

/** LDK before 0.1.3 cuts a longer payer note at this byte, and panics when that is in the middle of a character. */
const PAYER_NOTE_BYTES = 512

function hasLongNote(request: InvoiceRequest): boolean {
  const note = request.payer_note()
  return !isNull(note) && Buffer.byteLength(note.get_a()) > PAYER_NOTE_BYTES
}
