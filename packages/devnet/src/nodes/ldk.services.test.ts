import { describeNode } from '@holdfast/lightning/contract/node.contract'
import { startBitcoind } from '../testing/bitcoind.ts'
import { describeLdkLife } from './ldk-life.contract.ts'
import { makeLdkWorld } from './ldk-world.ts'

describeNode(
  'the ldk backend on bitcoind',
  () => makeLdkWorld({ startChain: () => startBitcoind() }),
  describeLdkLife,
)
