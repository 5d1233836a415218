import { onBitcoind } from './testing/nodes-story.ts'
import { describeEscrowsOnNodes } from './testing/stories-on-nodes.ts'

describeEscrowsOnNodes(onBitcoind)
