import {
  BestBlock,
  BroadcasterInterface,
  ChainMonitor,
  ChainParameters,
  type ChannelManager,
  ChannelManager as ChannelManagers,
  type ChannelMonitor,
  DefaultMessageRouter,
  DefaultRouter,
  ErrorAction,
  FeeEstimator,
  type KeysManager,
  Network as LdkNetwork,
  LightningError,
  type Logger,
  type MessageContext,
  MessageContext_Offers,
  MessageRouter,
  MultiThreadedLockableScore,
  type NetworkGraph,
  OffersContext_OutboundPayment,
  Option_FilterZ,
  ProbabilisticScorer,
  ProbabilisticScoringDecayParameters,
  ProbabilisticScoringFeeParameters,
  Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK,
  Result_CVec_BlindedMessagePathZNoneZ,
  Result_CVec_BlindedPaymentPathZNoneZ,
  Result_OnionMessagePathNoneZ,
  Result_RouteLightningErrorZ,
  Result_RouteLightningErrorZ_OK,
  Router,
  type UserConfig,
  UtilMethods,
} from 'lightningdevkit'
import { type Network, NodeError } from '../../ports.ts'
import { internalHash, toHex } from './bytes.ts'
import type { FeeRates } from './fees.ts'
import type { Guard } from './guard.ts'
import type { MonitorPersister } from './monitor-persister.ts'
import { readMonitors } from './read-monitors.ts'
import { spreadExpiries } from './route-expiries.ts'
import type { Store } from './store.ts'

export const LDK_NETWORK: Record<Network, LdkNetwork> = {
  bitcoin: LdkNetwork.LDKNetwork_Bitcoin,
  testnet: LdkNetwork.LDKNetwork_Testnet,
  signet: LdkNetwork.LDKNetwork_Signet,
  regtest: LdkNetwork.LDKNetwork_Regtest,
}

export type AssemblyParts = {
  store: Store
  guard: Guard
  keys: KeysManager
  logger: Logger
  graph: NetworkGraph
  fees: FeeRates
  persister: MonitorPersister
  network: Network
  config: UserConfig
  broadcast: (raw: Uint8Array) => void
  maxTotalCltv: (paymentId: string) => number
  mayBeSent: (paymentId: string) => boolean
  /** Of our best block. */
  height: () => number
  /** A route was found and is sent: its fees for all paths together. */
  routeFound: (paymentId: string, feeMsat: bigint) => void
  /** An invoice is asked for, under a key that follows from this nonce. */
  invoiceRequested: (paymentId: string, nonce: Uint8Array) => void
  now: () => number
}

export type Assembly = {
  chainMonitor: ChainMonitor
  manager: ChannelManager
  messageRouter: DefaultMessageRouter
  broadcaster: BroadcasterInterface
  feeEstimator: FeeEstimator
  /** What was on disk; to be brought to the manager's block, then given to `watch_channel`. Empty for a new node. */
  monitors: ChannelMonitor[]
  created: boolean
}

/** Builds LDK's objects from what the store holds, or anew at `tip`. */
export function assemble(parts: AssemblyParts, tip: { hash: string; height: number }): Assembly {
  const { store, guard, keys, logger, graph, fees, persister, network, config } = parts
  const feeEstimator = FeeEstimator.new_impl({
    get_est_sat_per_1000_weight: guard.wrap(
      (target) => fees.for(target),
      () => fees.normal,
    ),
  })
  const broadcaster = BroadcasterInterface.new_impl({
    broadcast_transactions: guard.wrap(
      (transactions) => {
        for (const raw of transactions) parts.broadcast(raw)
      },
      () => undefined,
    ),
  })
  const entropy = keys.as_EntropySource()
  const signers = keys.as_SignerProvider()
  const chainMonitor = ChainMonitor.constructor_new(
    Option_FilterZ.constructor_none(),
    broadcaster,
    logger,
    feeEstimator,
    persister.persist,
  )
  const router = routeOfPayments(makeRouter(graph, logger, keys), guard, parts)
  const messageRouter = DefaultMessageRouter.constructor_new(graph, entropy)
  const routerOfReplies = routeOfReplies(messageRouter.as_MessageRouter(), guard, parts)
  const shared = { chainMonitor, messageRouter, broadcaster, feeEstimator }

  const saved = store.get<{ bytes: Uint8Array }>('SELECT bytes FROM manager')
  if (!saved) {
    const best = BestBlock.constructor_new(internalHash(tip.hash), tip.height)
    const manager = ChannelManagers.constructor_new(
      feeEstimator,
      chainMonitor.as_Watch(),
      broadcaster,
      router,
      routerOfReplies,
      logger,
      entropy,
      keys.as_NodeSigner(),
      signers,
      config,
      ChainParameters.constructor_new(LDK_NETWORK[network], best),
      Math.floor(parts.now() / 1000),
    )
    return { ...shared, manager, monitors: [], created: true }
  }

  const monitors = readMonitors(store, { entropy, signers, feeEstimator, logger })
  const read = UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelManagerZ_read(
    saved.bytes,
    entropy,
    keys.as_NodeSigner(),
    signers,
    feeEstimator,
    chainMonitor.as_Watch(),
    broadcaster,
    router,
    routerOfReplies,
    logger,
    config,
    monitors,
  )
  if (!(read instanceof Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK))
    throw new NodeError('invalid', 'The channel manager on disk cannot be read. Do not delete anything.')
  return { ...shared, manager: read.res.get_b(), monitors, created: false }
}

function makeRouter(graph: NetworkGraph, logger: Logger, keys: KeysManager): Router {
  const decay = ProbabilisticScoringDecayParameters.constructor_default()
  const scorer = ProbabilisticScorer.constructor_new(decay, graph, logger)
  const lockable = MultiThreadedLockableScore.constructor_new(scorer.as_Score())
  return DefaultRouter.constructor_new(
    graph,
    logger,
    keys.as_EntropySource(),
    lockable.as_LockableScore(),
    ProbabilisticScoringFeeParameters.constructor_default(),
  ).as_Router()
}

/**
 * `pay_for_offer` takes no CLTV cap, so the router sets it for every payment, retries included; it finds none for what may
 * not be sent any more, gives HTLCs to one peer different expiries, and tells what each route costs.
 */
function routeOfPayments(
  router: Router,
  guard: Guard,
  parts: Pick<AssemblyParts, 'maxTotalCltv' | 'mayBeSent' | 'height' | 'routeFound'>,
): Router {
  const noRoute = () =>
    Result_RouteLightningErrorZ.constructor_err(
      LightningError.constructor_new('no route', ErrorAction.constructor_ignore_error()),
    )
  return Router.new_impl({
    find_route: guard.wrap(
      (payer, parameters, firstHops, inFlight) => router.find_route(payer, parameters, firstHops, inFlight),
      noRoute,
    ),
    find_route_with_id: guard.wrap((payer, parameters, firstHops, inFlight, hash, paymentId) => {
      if (!parts.mayBeSent(toHex(paymentId))) return noRoute()
      const payment = parameters.get_payment_params()
      payment.set_max_total_cltv_expiry_delta(parts.maxTotalCltv(toHex(paymentId)))
      parameters.set_payment_params(payment)
      const found = router.find_route_with_id(payer, parameters, firstHops, inFlight, hash, paymentId)
      if (found instanceof Result_RouteLightningErrorZ_OK) {
        const paths = found.res.get_paths()
        if (!spreadExpiries(paths, payment, firstHops, parts.height())) return noRoute()
        const fees = paths.map((path) => path.fee_msat())
        parts.routeFound(
          toHex(paymentId),
          fees.reduce((sum, fee) => sum + fee, 0n),
        )
      }
      return found
    }, noRoute),
    create_blinded_payment_paths: guard.wrap(
      (recipient, firstHops, tlvs, amountMsat) =>
        router.create_blinded_payment_paths(recipient, firstHops, tlvs, amountMsat),
      () => Result_CVec_BlindedPaymentPathZNoneZ.constructor_err(),
    ),
  })
}

/** Tells what LDK writes into the path by which the answer to an invoice request comes back. */
function routeOfReplies(
  router: MessageRouter,
  guard: Guard,
  { invoiceRequested }: Pick<AssemblyParts, 'invoiceRequested'>,
): MessageRouter {
  const hear = (context: MessageContext) => {
    if (context instanceof MessageContext_Offers && context.offers instanceof OffersContext_OutboundPayment)
      invoiceRequested(toHex(context.offers.payment_id), context.offers.nonce.as_slice())
  }
  const noPaths = () => Result_CVec_BlindedMessagePathZNoneZ.constructor_err()
  return MessageRouter.new_impl({
    find_path: guard.wrap(
      (sender, peers, destination) => router.find_path(sender, peers, destination),
      () => Result_OnionMessagePathNoneZ.constructor_err(),
    ),
    create_blinded_paths: guard.wrap((recipient, context, peers) => {
      hear(context)
      return router.create_blinded_paths(recipient, context, peers)
    }, noPaths),
    create_compact_blinded_paths: guard.wrap((recipient, context, peers) => {
      hear(context)
      return router.create_compact_blinded_paths(recipient, context, peers)
    }, noPaths),
  })
}
