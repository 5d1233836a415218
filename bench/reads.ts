import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHoldfastClient } from '@holdfast/client'
import type { BenchWorld } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { runLoad } from './load/run-load.ts'
import { registerName } from './register-name.ts'
import { median, percentile } from './statistics.ts'

const WARM_UP = 500
const PER_SECOND_AT_LEAST = 500
const of = 'reads'

/** A validated name that is remembered, asked for on one connection. */
export async function benchReads(world: BenchWorld, seconds: number): Promise<Figure[]> {
  const { device } = await world.user('alice')
  const client = createHoldfastClient({ baseUrl: world.url, signer: device.signer })
  const { name } = await registerName(client, { user: 'reads', domain: world.domain })
  await client.resolve(name)

  const count = WARM_UP + Math.round(seconds * PER_SECOND_AT_LEAST)
  const read = { method: 'GET', path: `/v1/resolve/${encodeURIComponent(name)}`, headers: {} } as const
  const requests = Array.from({ length: count }, () => read)
  const timesAt = async (url: string) => {
    const answers = (await runLoad({ url, requests })).slice(WARM_UP)
    if (answers.some(({ status }) => status !== 200)) throw new Error('A cached read was not answered 200.')
    return answers.map(({ ms }) => ms)
  }
  const bare = await startBareServer()
  const bareTook = await timesAt(bare.url).finally(bare.stop)
  const took = await timesAt(world.url)
  return [
    { of, what: 'bare HTTP answer, p50', value: median(bareTook), unit: 'ms' },
    { of, what: 'bare HTTP answer, p99', value: percentile(bareTook, 0.99), unit: 'ms' },
    { of, what: 'cached GET /v1/resolve/:name, p50', value: median(took), unit: 'ms' },
    { of, what: 'cached GET /v1/resolve/:name, p99', value: percentile(took, 0.99), unit: 'ms', atMost: 1 },
  ]
}

/** What Node alone needs for an answer on this machine, beside the same world. */
async function startBareServer() {
  const server = createServer((_request, reply) => reply.end('{}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
