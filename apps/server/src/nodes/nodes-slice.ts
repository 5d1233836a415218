import { refuse } from '@holdfast/core'
import { NodeError } from '@holdfast/lightning'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { App } from '../platform/http/app.ts'
import { RefusalError, refusals } from '../platform/http/problem.ts'
import type { NodeDirectory } from './node-directory.ts'

const msat = z.string().describe('Millisatoshi as a decimal string.')
const sat = z.string().describe('Satoshi as a decimal string.')

const nodeSchema = z
  .strictObject({
    nodeId: z.string(),
    network: z.string(),
    capabilities: z.array(z.string()),
    balance: z
      .strictObject({ lightningMsat: msat, receivableMsat: msat, onchainSat: sat, claimableSat: sat })
      .nullable()
      .describe('Null when the node does not tell.'),
  })
  .meta({ title: 'Node' })

export type NodesSlice = { routes(app: App): void }

export function makeNodesSlice(deps: {
  nodes: NodeDirectory
  identity: Pick<Identity, 'authenticate'>
}): NodesSlice {
  return {
    routes(app) {
      app.get(
        '/v1/node',
        {
          schema: {
            summary: 'Your Lightning node: what it can do and what it holds.',
            tags: ['nodes'],
            response: {
              200: nodeSchema,
              ...refusals('AUTH_REQUIRED', 'NODE_NOT_CONNECTED', 'NODE_OFFLINE'),
            },
          },
        },
        async (request) => {
          const owner = await deps.identity.authenticate(request)
          return describeNode(deps.nodes, owner)
        },
      )
    },
  }
}

async function describeNode(nodes: NodeDirectory, owner: string) {
  try {
    const node = await nodes.nodeOf(owner)
    if (node === null) throw new RefusalError(refuse('NODE_NOT_CONNECTED'))
    const balance = (await node.funds?.balance()) ?? null
    return {
      nodeId: node.nodeId,
      network: node.network,
      capabilities: [...node.capabilities].sort(),
      balance: balance && {
        lightningMsat: `${balance.lightningMsat}`,
        receivableMsat: `${balance.receivableMsat}`,
        onchainSat: `${balance.onchainSat}`,
        claimableSat: `${balance.claimableSat}`,
      },
    }
  } catch (error) {
    if (error instanceof NodeError && error.code === 'offline') {
      throw new RefusalError(refuse('NODE_OFFLINE'), { cause: error })
    }
    throw error
  }
}
