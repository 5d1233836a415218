import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { type RunningChain, startChain } from './chain-server.ts'
import { rpcContract } from './rpc.contract.ts'
import { makeBitcoinRpc } from './rpc-client.ts'
import { spendingContract } from './spending.contract.ts'
import { transactionRulesContract } from './transaction-rules.contract.ts'

const contracts = { rpcContract, spendingContract, transactionRulesContract }

describe.each(Object.entries(contracts))('the embedded chain keeps %s', (_, contract) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chain-'))
  let chain: RunningChain

  beforeAll(async () => {
    chain = await startChain({ folder })
  })
  afterAll(async () => {
    await chain.stop()
    rmSync(folder, { recursive: true })
  })
  contract(
    'embedded chain',
    () => makeBitcoinRpc(chain.url),
    () => chain.url,
  )
})
