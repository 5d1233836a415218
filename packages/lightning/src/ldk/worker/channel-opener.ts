import {
  type APIError,
  APIError_APIMisuseError,
  APIError_ChannelUnavailable,
  type ChannelId,
  type Event_ChannelPending,
  type Event_FundingGenerationReady,
  type Event_OpenChannelRequest,
  Result_ChannelIdAPIErrorZ_OK,
  Result_NoneAPIErrorZ_Err,
  type UserConfig,
} from 'lightningdevkit'
import { NodeError } from '../../ports.ts'
import type { LdkNodeOptions, OpenChannelRequest } from '../types.ts'
import { displayHash, fromHex, toHex } from './bytes.ts'
import { checkAmount, checkNodeId } from './checks.ts'
import type { NodeContext } from './context.ts'
import type { FeeRates } from './fees.ts'
import { withAnnouncement } from './user-config.ts'
import type { Wallet } from './wallet.ts'

/** 128-bit numbers are broken in the bindings (their bytes come out reversed); zero survives. */
const USER_CHANNEL_ID = 0n

type Opened = { channelId: string; fundingTxid: string }
type OpenerParts = {
  node: NodeContext
  wallet: Wallet
  fees: FeeRates
  config: UserConfig
  acceptFrom: NonNullable<LdkNodeOptions['acceptInboundChannelsFrom']>
  /** Resolves when the committed transactions were offered to the chain. */
  broadcast: () => Promise<void>
}
type Waiter = { resolve: (opened: Opened) => void; reject: (error: Error) => void }

/** Opens channels, pays for them from the node's wallet, and decides about those that others open to us. */
export class ChannelOpener {
  readonly #parts: OpenerParts
  /** By temporary channel id. Lost in a crash, as the call that waits is; LDK forgets unfunded channels too. */
  readonly #waiters = new Map<string, Waiter>()

  constructor(parts: OpenerParts) {
    this.#parts = parts
  }

  async open(request: OpenChannelRequest): Promise<Opened> {
    checkNodeId(request.peer)
    checkAmount(request.amountSat * 1000n, 'The size of a channel')
    if (this.#parts.wallet.balanceSat() < request.amountSat)
      throw new NodeError('invalid', `The wallet holds less than ${request.amountSat} sat.`)
    const created = this.#parts.node.manager.create_channel(
      fromHex(request.peer),
      request.amountSat,
      request.pushMsat ?? 0n,
      USER_CHANNEL_ID,
      null,
      withAnnouncement(this.#parts.config, request.announce ?? false),
    )
    if (!(created instanceof Result_ChannelIdAPIErrorZ_OK))
      throw new NodeError(
        'invalid',
        `LDK does not open the channel: ${describe((created as unknown as { err: APIError }).err)}`,
      )
    const temporaryId = toHex(created.res.get_a())
    const opened = await new Promise<Opened>((resolve, reject) =>
      this.#waiters.set(temporaryId, { resolve, reject }),
    )
    await this.#parts.broadcast()
    return opened
  }

  fund(event: Event_FundingGenerationReady): void {
    const { manager } = this.#parts.node
    try {
      const { raw } = this.#parts.wallet.fund(
        event.output_script,
        event.channel_value_satoshis,
        this.#parts.fees.normal,
      )
      const funded = manager.funding_transaction_generated(
        event.temporary_channel_id,
        event.counterparty_node_id,
        raw,
      )
      if (funded instanceof Result_NoneAPIErrorZ_Err) throw new NodeError('invalid', describe(funded.err))
    } catch (cause) {
      if (!(cause instanceof NodeError)) throw cause
      this.#settle(event.temporary_channel_id, (waiter) => waiter.reject(cause))
      manager.force_close_without_broadcasting_txn(
        event.temporary_channel_id,
        event.counterparty_node_id,
        'not funded',
      )
    }
  }

  decide(event: Event_OpenChannelRequest): void {
    const peer = toHex(event.counterparty_node_id)
    const from = this.#parts.acceptFrom
    const accepted = from === 'anyone' || (from !== 'nobody' && from.includes(peer))
    const { manager } = this.#parts.node
    if (accepted) {
      const answer = manager.accept_inbound_channel(
        event.temporary_channel_id,
        event.counterparty_node_id,
        USER_CHANNEL_ID,
      )
      if (answer instanceof Result_NoneAPIErrorZ_Err)
        this.#parts.node.log.warn('LDK does not accept a channel.', { peer, reason: describe(answer.err) })
    } else
      manager.force_close_without_broadcasting_txn(
        event.temporary_channel_id,
        event.counterparty_node_id,
        'not wanted',
      )
  }

  pending(event: Event_ChannelPending): void {
    const opened = {
      channelId: toHex(event.channel_id.get_a()),
      fundingTxid: displayHash(event.funding_txo.get_txid()),
    }
    this.#settle(event.former_temporary_channel_id, (waiter) => waiter.resolve(opened))
  }

  closed(channelId: string, reason: string): void {
    this.#waiters.get(channelId)?.reject(new NodeError('invalid', `The channel was not opened: ${reason}`))
    this.#waiters.delete(channelId)
  }

  stop(): void {
    for (const waiter of this.#waiters.values()) waiter.reject(new NodeError('offline', 'The node stops.'))
    this.#waiters.clear()
  }

  #settle(temporaryId: ChannelId, settle: (waiter: Waiter) => void): void {
    const key = toHex(temporaryId.get_a())
    const waiter = this.#waiters.get(key)
    if (!waiter) return
    this.#waiters.delete(key)
    settle(waiter)
  }
}

export function describe(error: APIError): string {
  if (error instanceof APIError_APIMisuseError || error instanceof APIError_ChannelUnavailable)
    return error.err
  return error.constructor.name.replace('APIError_', '')
}
