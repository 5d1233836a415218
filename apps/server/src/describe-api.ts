import { addAliases } from './aliases.ts'
import type { Edges } from './edges.ts'
import { describeCredentials } from './identity/describe-credentials.ts'
import { type Identity, makeIdentity } from './identity/identity.ts'
import { readConfig } from './platform/config.ts'
import { openDatabase } from './platform/database.ts'
import { type App, makeHttpApp } from './platform/http/app.ts'
import type { OpenApiInfo } from './platform/http/openapi.ts'
import { makeLog } from './platform/log.ts'
import { Secret } from './platform/secret.ts'
import { makeSlices, type Slices } from './slices.ts'

export const API_INFO: OpenApiInfo = {
  title: 'Holdfast',
  version: '0.1.0',
  description:
    'Non-custodial Lightning for marketplaces: names and payments. Tasks and escrow are GraphQL, at /graphql.',
  describe: describeCredentials,
}

/** Everything that answers by REST. */
export async function addRestRoutes(
  app: App,
  { identity, slices }: { identity: Identity; slices: Pick<Slices, 'routed'> },
): Promise<void> {
  addAliases(app)
  await identity.install(app)
  for (const slice of slices.routed) slice.routes(app)
}

/** What `/openapi.json` says of no server in particular: routes are only described, so nothing is connected to. */
export async function openApiText(): Promise<string> {
  const log = makeLog({ level: 'silent' })
  const nowhere = new Secret('postgres://127.0.0.1:1/nowhere')
  const config = readConfig({ DATABASE_URL: nowhere.reveal() })
  const database = openDatabase({ connectionString: nowhere, log, maxConnections: 1 })
  const url = 'http://127.0.0.1'
  const identity = makeIdentity({ transact: notAsked, database, clock: Date.now, publicUrl: url })
  const closing = AbortSignal.abort()
  const slices = await makeSlices({
    ...{ config, url, edges: NO_EDGES, identity, database, closing },
    transact: notAsked,
  })
  const app = await makeHttpApp({
    config: { publicUrl: null, rateLimit: 0, trustedProxies: [] },
    log,
    readiness: [],
    openapi: API_INFO,
  })
  await addRestRoutes(app, { identity, slices })
  const { body } = await app.inject('/openapi.json')
  await app.close()
  await database.close()
  return `${JSON.stringify(JSON.parse(body), null, 2)}\n`
}

const notAsked = (): never => {
  throw new Error('Routes are only described.')
}

const NO_EDGES: Edges = {
  network: 'regtest',
  zones: new Map(),
  nodes: { nodeOf: notAsked },
  operator: null,
  resolveTxt: notAsked,
  anchors: [],
  askResolvers: notAsked,
  zoneServers: notAsked,
  actOnZone: notAsked,
  readiness: [],
}
