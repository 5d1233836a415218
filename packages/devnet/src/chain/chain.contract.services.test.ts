import { afterAll, beforeAll, describe } from 'vitest'
import { type RunningBitcoind, startBitcoind } from '../testing/bitcoind.ts'
import { makeBitcoinRpc } from './rpc-client.ts'
import { spendingContract } from './spending.contract.ts'

const contracts = [spendingContract]

describe.each(contracts)('a real bitcoind keeps %o', (contract) => {
  let bitcoind: RunningBitcoind

  beforeAll(async () => {
    bitcoind = await startBitcoind()
  })
  afterAll(() => bitcoind.stop())
  contract('bitcoind', () => makeBitcoinRpc(bitcoind.url))
})
