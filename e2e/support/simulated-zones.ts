import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { DS_TTL_SECONDS, SimulatedZone, TTL_SECONDS } from '@holdfast/core/zones/testing/simulated-zone'
import type { Ds, ZoneAction } from '@holdfast/core/zones/zone-states'
import { type FastTime, fastNow } from './fast-time.ts'
import type { Random } from './seeded-random.ts'

/** Simulated zones, which outlive the worker that asks them over HTTP. */
export type SimulatedZones = {
  readonly url: string
  readonly ttls: { readonly maxTtlSeconds: number; readonly assumedDsTtlSeconds: number }
  /** Resolves when the next action is done, which is never answered; answers the domain. */
  nextAct(): Promise<string>
  /** When some resolver had to refuse a zone. */
  refusals(): { domain: string; at: number }[]
  stop(): Promise<void>
}

const SERVERS = 4
const SLOWEST_SERVER_MS = 30_000

export async function startSimulatedZones(
  domains: readonly string[],
  time: FastTime,
  random: Random,
): Promise<SimulatedZones> {
  const zones = new Map(domains.map((domain) => [domain, new SimulatedZone()]))
  let awaited: ((domain: string) => void) | null = null
  const act = ({ domain, action, ds }: Asked) => {
    const delays = Array.from({ length: SERVERS }, () => random.below(SLOWEST_SERVER_MS))
    zones.get(domain)!.act(action, ds, fastNow(time), delays)
  }
  const observe = ({ domain }: Asked) => {
    const silent = Array.from({ length: SERVERS }, () => random.chance(0.02))
    return zones.get(domain)!.observe(fastNow(time), silent)
  }
  const server = createServer(async (request, response) => {
    const asked = (await json(request)) as Asked
    const isAct = request.url === '/act'
    const answer = isAct ? act(asked) : observe(asked)
    if (isAct && awaited) {
      awaited(asked.domain)
      awaited = null
    } else response.end(JSON.stringify(answer ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ttls: { maxTtlSeconds: TTL_SECONDS, assumedDsTtlSeconds: DS_TTL_SECONDS },
    nextAct: () =>
      new Promise((resolve) => {
        awaited = resolve
      }),
    refusals: () =>
      [...zones].flatMap(([domain, zone]) =>
        zone.refusals(time.since - 1, fastNow(time)).map((at) => ({ domain, at })),
      ),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Asked = { readonly domain: string; readonly action: ZoneAction; readonly ds: readonly Ds[] }
