import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, refusals } from '../platform/http/problem.ts'
import { type AskNodes, connectedNode, unlessOffline } from './connected-node.ts'

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

export function makeNodesSlice(deps: AskNodes & { identity: Pick<Identity, 'authenticate'> }): NodesSlice {
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
          return describeNode(deps, owner)
        },
      )
    },
  }
}

async function describeNode(asking: AskNodes, owner: string) {
  const node = orThrow(await connectedNode(asking, owner))
  const balance = orThrow(await unlessOffline(asking, async () => (await node.funds?.balance()) ?? null))
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
}
