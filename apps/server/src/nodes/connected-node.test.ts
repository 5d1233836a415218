import { isRefusal } from '@holdfast/core'
import { NodeError } from '@holdfast/lightning'
import { afterEach, describe, expect, test } from 'vitest'
import type { Identity } from '../identity/identity.ts'
import { DEFAULT_RULES } from '../names/name-rules.ts'
import { registerName } from '../names/register-name.ts'
import { requestPayment } from '../payments/request-payment.ts'
import { type App, makeHttpApp } from '../platform/http/app.ts'
import { makeLog } from '../platform/log.ts'
import type { Transaction } from '../platform/transaction.ts'
import type { NodeDirectory } from './node-directory.ts'
import { makeNodesSlice } from './nodes-slice.ts'
import { makeTestNode } from './testing/test-node.ts'

const NODE_TIMEOUT_MS = 20
const never = () => new Promise<never>(() => undefined)
const offline = async () => {
  throw new NodeError('offline', 'the tunnel is down')
}
const broken = async () => {
  throw new Error('a fault')
}

let app: App | undefined
afterEach(() => app?.close())

async function getNode(nodeOf: NodeDirectory['nodeOf']) {
  app = await makeHttpApp({
    config: { publicUrl: null, rateLimit: 0, trustedProxies: [] },
    log: makeLog({ level: 'silent' }),
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  const identity: Pick<Identity, 'authenticate'> = { authenticate: async () => 'ab'.repeat(32) }
  makeNodesSlice({ nodes: { nodeOf }, identity, nodeTimeoutMs: NODE_TIMEOUT_MS }).routes(app)
  return (await app.inject('/v1/node')).json()
}

const untouched = {} as Transaction
const common = {
  clock: Date.now,
  deadlineMs: 1000,
  nodeTimeoutMs: NODE_TIMEOUT_MS,
  resolver: { remembered: () => null },
}

/** Everything that asks for the owner's node while somebody waits for the answer. */
const ASKED_BY: Record<string, (nodeOf: NodeDirectory['nodeOf']) => Promise<string>> = {
  'GET /v1/node': async (nodeOf) => (await getNode(nodeOf)).code,
  'a registration': async (nodeOf) => {
    const deps = {
      zones: new Map([['shop.test', {} as never]]),
      network: 'regtest',
      rules: DEFAULT_RULES,
    } as const
    const wish = { user: 'alice', domain: 'shop.test' }
    return codeOf(
      await registerName({ ...common, ...deps, nodes: { nodeOf } }, untouched, 'ab'.repeat(32), wish),
    )
  },
  'a payment': async (nodeOf) => {
    const wish = { to: 'bob@shop.test', amountMsat: '1' }
    return codeOf(await requestPayment({ ...common, nodes: { nodeOf } }, untouched, 'ab'.repeat(32), wish))
  },
}

const codeOf = (answer: object) => (isRefusal(answer) ? answer.refused : 'accepted')

describe.each(Object.entries(ASKED_BY))('%s', (_, ask) => {
  test.each([
    ['is not connected', async () => null, 'NODE_NOT_CONNECTED'],
    ['is offline', offline, 'NODE_OFFLINE'],
    ['does not answer', never, 'NODE_OFFLINE'],
  ])('says so when the node %s', async (_, nodeOf, code) => {
    expect(await ask(nodeOf)).toBe(code)
  })

  test('does not take a fault for a node that is offline', async () => {
    expect(await ask(broken).catch((error: Error) => error.message)).toMatch(/^(INTERNAL|a fault)$/)
  })
})

test('a balance that never comes is a node that is offline', async () => {
  expect(await getNode(async () => makeTestNode({ funds: { balance: never } }))).toMatchObject({
    code: 'NODE_OFFLINE',
  })
})
