import { describeNode } from '@holdfast/lightning/contract/node.contract'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { startChain } from '../chain/chain-server.ts'
import { describeLdkLife } from './ldk-life.contract.ts'
import { makeLdkWorld } from './ldk-world.ts'

describeNode(
  'the ldk backend on the embedded chain',
  () => makeLdkWorld({ startLink: startInProcess, startChain: (folder) => startChain({ folder }) }),
  describeLdkLife,
)
