import { onDevnetChain } from './testing/nodes-story.ts'
import { describeEscrowsOnChain } from './testing/stories-on-chain.ts'

describeEscrowsOnChain(onDevnetChain)
