import { setTimeout as sleep } from 'node:timers/promises'
import { NodeError } from '@holdfast/lightning'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { expect, test } from 'vitest'
import type { BitcoinRpc } from '../chain/rpc-client.ts'
import { openMissingChannels } from './channels.ts'
import { WorldError } from './world-error.ts'

const rpc = {} as BitcoinRpc
const listening = { host: '127.0.0.1', port: 9 }
const node = (nodeId: string, members: Partial<LdkNode> = {}) =>
  ({ nodeId, listening, ...members }) as LdkNode
const peers = [{ node: node('operator'), announce: true }]
const refuseAtOnce = async () => {
  throw new NodeError('offline', 'The node is down.')
}

test('who waits for a node that refuses at once lets everything else in the process go on', async () => {
  let isBusy = true
  const channel = { peer: 'operator', confirmations: 6, usable: true }
  const hub = node('hub', {
    connect: async () => (isBusy ? refuseAtOnce() : undefined),
    listChannels: async () => [channel] as never,
  })
  const opened = openMissingChannels(rpc, hub, peers, () => [])
  await sleep(50)
  isBusy = false
  await opened
})

test.each(['hub', 'operator'])('the %s that went down is not waited for', async (nodeId) => {
  const reason = 'Its file failed: database or disk is full'
  const opened = openMissingChannels(rpc, node('hub', { connect: refuseAtOnce }), peers, () => [
    { nodeId, reason },
  ])
  await expect(opened).rejects.toThrow(WorldError)
  await expect(opened).rejects.toThrow(
    `The Lightning node ${nodeId} of the devnet went down: ${reason}. Mend that and start again.`,
  )
})
