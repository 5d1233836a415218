// The worker that the zones' kill test kills: takes zones through their plans, in fast time, at zones that the test simulates.
import type { ZoneObservation } from '@holdfast/core/zones/zone-states'
import { openDatabase } from '@holdfast/server/platform/database'
import { startDispatch } from '@holdfast/server/platform/dispatch'
import { startWorker } from '@holdfast/server/platform/jobs'
import { makeLog } from '@holdfast/server/platform/log'
import { repeat } from '@holdfast/server/platform/repeat'
import { Secret } from '@holdfast/server/platform/secret'
import { makeTransact } from '@holdfast/server/platform/transaction'
import { makeZonesSlice } from '@holdfast/server/zones/zones-slice'
import { type FastTime, fastNow, inFastTime } from './fast-time.ts'

export type ZoneWorkerWorld = {
  readonly connectionString: string
  /** Answers `POST /observe` and `POST /act`. */
  readonly zonesUrl: string
  readonly time: FastTime
}

const { connectionString, zonesUrl, time } = JSON.parse(
  process.env.HOLDFAST_TEST_WORLD ?? '',
) as ZoneWorkerWorld
const SWEEP_EVERY_MS = 1_000
const log = makeLog({ level: 'error' })
const database = openDatabase({ connectionString: new Secret(connectionString), log })
const dispatch = startDispatch({ database, log })

const post = async (path: string, body: object): Promise<unknown> => {
  const response = await fetch(`${zonesUrl}/${path}`, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`The simulated zones answered ${response.status}.`)
  return response.json()
}

const zones = makeZonesSlice({
  transact: inFastTime(makeTransact({ database, dispatch }), time),
  database,
  identity: { mutate: () => Promise.reject(new Error('This worker takes no requests.')) },
  observe: async (domain) => (await post('observe', { domain })) as ZoneObservation,
  async act({ domain, action, ds }) {
    await post('act', { domain, action, ds })
    return 'done'
  },
  clock: () => fastNow(time),
})
await startWorker({ database, tasks: zones.tasks, concurrency: 4, log })
repeat(SWEEP_EVERY_MS, log, { zones: zones.sweep })
process.stdout.write('ready\n')
