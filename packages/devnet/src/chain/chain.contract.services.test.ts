import { afterAll, beforeAll, describe } from 'vitest'
import { type RunningBitcoind, startBitcoind } from '../testing/bitcoind.ts'
import { rpcContract } from './rpc.contract.ts'
import { makeBitcoinRpc } from './rpc-client.ts'
import { spendingContract } from './spending.contract.ts'
import { transactionRulesContract } from './transaction-rules.contract.ts'

const contracts = { rpcContract, spendingContract, transactionRulesContract }

describe.each(Object.entries(contracts))('a real bitcoind keeps %s', (_, contract) => {
  let bitcoind: RunningBitcoind

  beforeAll(async () => {
    bitcoind = await startBitcoind()
  })
  afterAll(() => bitcoind.stop())
  contract(
    'bitcoind',
    () => makeBitcoinRpc(bitcoind.url),
    () => bitcoind.url,
  )
})
