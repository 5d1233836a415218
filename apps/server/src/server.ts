import { availableParallelism } from 'node:os'
import { API_INFO, addRestRoutes } from './describe-api.ts'
import type { Edges } from './edges.ts'
import { makeEscrowFeed } from './escrow/graphql/escrow-feed.ts'
import { addGraphqlRoutes } from './escrow/graphql/graphql.routes.ts'
import { makeIdentity } from './identity/identity.ts'
import type { Config } from './platform/config.ts'
import { openDatabase, pingDatabase } from './platform/database.ts'
import { startDispatch } from './platform/dispatch.ts'
import { makeHttpApp } from './platform/http/app.ts'
import { makeMemoryRateLimiter } from './platform/http/rate-limiter.ts'
import { startIdleCollection } from './platform/idle-collection.ts'
import { makeHeads } from './platform/journal/heads.ts'
import { startJournal } from './platform/journal/journal.ts'
import type { Log } from './platform/log.ts'
import { makeRightOfWay } from './platform/right-of-way.ts'
import type { Secret } from './platform/secret.ts'
import type { Shutdown } from './platform/shutdown.ts'
import { makeTransact } from './platform/transaction.ts'
import { makeSlices } from './slices.ts'
import { startWork } from './start-work.ts'
import { addWelcomePage } from './welcome.ts'

/** Jobs may wait for each other, but a request must not wait behind them: each side has connections of its own. */
const CONNECTIONS_FOR_REQUESTS = 10
/**
 * Of those, to a PostgreSQL on this machine. More of them at work at once only take the processors from each other and
 * from us, and each has plans of its own to make before it is quick: a rush after a rest began with ten cold ones.
 */
const CONNECTIONS_ON_THIS_MACHINE = Math.min(CONNECTIONS_FOR_REQUESTS, 2 * availableParallelism() + 1)
const CONNECTIONS_FOR_JOBS = 6
/** Priority of jobs that requests add: what was begun is ended before something else is begun. */
const NEWCOMERS = 10
/** Less than the whole end may take. */
const LAST_ANSWERS_MS = 12_000

/** Puts the slices together on a migrated database and serves them at `url`. What it starts, `shutdown` ends. */
export async function startServer(options: {
  config: Config
  /** Where this server is reached and for which clients sign. */
  url: string
  port: number
  connectionString: Secret<string>
  edges: Edges
  log: Log
  shutdown: Shutdown
}): Promise<void> {
  const { config, url, edges, log, shutdown } = options
  const closing = new AbortController()
  const open = (maxConnections: number) =>
    openDatabase({ connectionString: options.connectionString, log, maxConnections })
  const database = open(config.databaseUrl === null ? CONNECTIONS_ON_THIS_MACHINE : CONNECTIONS_FOR_REQUESTS)
  shutdown.add('database', () => database.close())
  const jobsDatabase = open(CONNECTIONS_FOR_JOBS)
  shutdown.add('database of the jobs', () => jobsDatabase.close())
  // One process alone has the data folder, and with it the embedded PostgreSQL.
  const dispatch = startDispatch({ database: jobsDatabase, log, isAlone: config.databaseUrl === null })
  shutdown.add('dispatch', () => dispatch.stop())
  const { atOnce, ownCommits } = dispatch
  const heads = makeHeads()
  const transact = makeTransact({ database: jobsDatabase, dispatch, atOnce, heads })
  const rightOfWay = makeRightOfWay()

  const identity = makeIdentity({
    transact: makeTransact({ database, dispatch, atOnce, jobPriority: NEWCOMERS, rightOfWay, heads }),
    database,
    clock: Date.now,
    publicUrl: url,
    ...(config.rateLimit > 0 && {
      rateLimiter: makeMemoryRateLimiter({ points: config.rateLimit, seconds: 60 }),
    }),
  })
  const slices = await makeSlices({
    ...{ config, url, edges, identity, database, transact },
    closing: closing.signal,
  })
  await startWork(slices, { edges, identity, database, rightOfWay, atOnce, log, shutdown })

  const app = await makeHttpApp({
    config: { ...config, publicUrl: url },
    log,
    readiness: [
      { name: 'postgres', check: async () => void (await pingDatabase(database)) as undefined },
      ...edges.readiness,
    ],
    openapi: API_INFO,
  })
  await addRestRoutes(app, { identity, slices })
  if (slices.escrow) {
    const journal = await startJournal({ database, transact, log, ownCommits })
    shutdown.add('journal', () => journal.stop())
    const feed = makeEscrowFeed({ journal, log })
    shutdown.add('escrow feed', async () => feed.stop())
    await addGraphqlRoutes(app, { identity, database, escrows: slices.escrow, feed, closing: closing.signal })
  }
  addWelcomePage(app, { domains: config.domains })
  // What is wrong with a key or a token is said now, not to the first who needs it.
  for (const { name, essential = true, check } of edges.readiness) {
    if (essential) continue
    check(closing.signal).catch((error) =>
      log.error({ err: error, dependency: name }, 'not ready; see /ready'),
    )
  }
  await app.listen({ host: config.host, port: options.port })
  // Such as a connection that the system cannot accept: without a listener Node would end the process.
  app.server.on('error', (error) => log.error({ err: error }, 'the listening socket failed; it goes on'))
  const idleCollection = startIdleCollection(app.server)
  shutdown.add('http', async () => {
    idleCollection.stop()
    closing.abort()
    // A client that never lets go of its answer must not cost the parts that end after this one their time.
    const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS)
    await app.close().finally(() => clearTimeout(cut))
  })
}
