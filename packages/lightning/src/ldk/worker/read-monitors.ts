import {
  BroadcasterInterface,
  type ChannelMonitor,
  ChannelMonitorUpdate,
  type EntropySource,
  type FeeEstimator,
  type Logger,
  Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK,
  Result_ChannelMonitorUpdateDecodeErrorZ_OK,
  type SignerProvider,
  UtilMethods,
} from 'lightningdevkit'
import { NodeError } from '../../ports.ts'
import type { Store } from './store.ts'

type Readers = {
  readonly entropy: EntropySource
  readonly signers: SignerProvider
  readonly feeEstimator: FeeEstimator
  readonly logger: Logger
}

/**
 * The monitors on disk, each with the updates that were written since. @throws NodeError `invalid` when one cannot be
 * read: then nothing may be done with any channel.
 */
export function readMonitors(
  store: Store,
  { entropy, signers, feeEstimator, logger }: Readers,
): ChannelMonitor[] {
  // What an update made LDK broadcast stands in the store since then, and is sent again from there.
  const deaf = BroadcasterInterface.new_impl({ broadcast_transactions: () => undefined })
  return store
    .all<{ outpoint: string; bytes: Uint8Array }>('SELECT outpoint, bytes FROM monitors WHERE archived = 0')
    .map(({ outpoint, bytes }) => {
      const read = UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelMonitorZ_read(bytes, entropy, signers)
      if (!(read instanceof Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK)) throw unreadable()
      const monitor = read.res.get_b()
      // LDK panics unless they come one after the other, none twice.
      for (const update of updatesOf(store, outpoint))
        if (!monitor.update_monitor(update, deaf, feeEstimator, logger).is_ok()) throw unreadable()
      return monitor
    })
}

function updatesOf(store: Store, outpoint: string): ChannelMonitorUpdate[] {
  return store
    .all<{ bytes: Uint8Array }>('SELECT bytes FROM monitor_updates WHERE outpoint = ? ORDER BY id', outpoint)
    .map(({ bytes }) => {
      const read = ChannelMonitorUpdate.constructor_read(bytes)
      if (!(read instanceof Result_ChannelMonitorUpdateDecodeErrorZ_OK)) throw unreadable()
      return read.res
    })
}

function unreadable(): NodeError {
  return new NodeError('invalid', 'A channel monitor on disk cannot be read. Do not delete anything.')
}
