import { MaxDustHTLCExposure, UserConfig } from 'lightningdevkit'
import type { Network } from '../../ports.ts'
import type { LdkNodeOptions } from '../types.ts'

const DEFAULT_FEES = { baseMsat: 1000, ppm: 1000 }

/**
 * LDK's default exposure (2.5M msat at the floor fee rate) starves small payments: they end in RouteNotFound once a
 * few are in flight.
 */
const MAX_DUST_EXPOSURE_MSAT = 5_000_000_000n
/** BOLT 2 allows no more HTLCs in one direction. */
const MOST_HTLCS = 483

export function makeUserConfig(options: LdkNodeOptions, network: Network): UserConfig {
  const config = UserConfig.constructor_default()
  const handshake = config.get_channel_handshake_config()
  handshake.set_minimum_depth(options.minimumDepth ?? (network === 'regtest' ? 1 : 6))
  handshake.set_max_inbound_htlc_value_in_flight_percent_of_channel(100)
  handshake.set_our_max_accepted_htlcs(MOST_HTLCS)
  config.set_channel_handshake_config(handshake)
  const limits = config.get_channel_handshake_limits()
  limits.set_force_announced_channel_preference(false)
  config.set_channel_handshake_limits(limits)
  const channel = config.get_channel_config()
  const fees = options.fees ?? DEFAULT_FEES
  channel.set_forwarding_fee_base_msat(fees.baseMsat)
  channel.set_forwarding_fee_proportional_millionths(fees.ppm)
  channel.set_max_dust_htlc_exposure(MaxDustHTLCExposure.constructor_fixed_limit_msat(MAX_DUST_EXPOSURE_MSAT))
  config.set_channel_config(channel)
  config.set_accept_forwards_to_priv_channels(options.forwardToPrivateChannels ?? true)
  config.set_manually_accept_inbound_channels(true)
  return config
}

/** The node's configuration with another choice about announcing one channel. */
export function withAnnouncement(config: UserConfig, announce: boolean): UserConfig {
  const own = config.clone()
  const handshake = own.get_channel_handshake_config()
  handshake.set_announce_for_forwarding(announce)
  own.set_channel_handshake_config(handshake)
  return own
}
