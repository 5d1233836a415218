import type { Balance } from '../../ports.ts'
import { listChannels } from './channels.ts'
import type { Node } from './node.ts'

export function balanceOf({ assembly, wallet, sweeps }: Node): Balance {
  const { manager, chainMonitor } = assembly
  const channels = listChannels(manager)
  // Open channels are counted to the msat above; LDK would tell them in whole satoshis.
  const closing = chainMonitor
    .get_claimable_balances(manager.list_channels())
    .reduce((sum, balance) => sum + balance.claimable_amount_satoshis(), 0n)
  return {
    lightningMsat: channels.reduce((sum, channel) => sum + channel.balanceMsat, 0n),
    sendableMsat: channels.reduce((sum, channel) => sum + (channel.ready ? channel.outboundMsat : 0n), 0n),
    receivableMsat: channels.reduce((sum, channel) => sum + (channel.ready ? channel.inboundMsat : 0n), 0n),
    onchainSat: wallet.balanceSat(),
    claimableSat: closing + sweeps.pendingSat(),
  }
}
