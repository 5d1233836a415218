import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  freePort,
  makeFolder,
  requiredProgram,
  startServiceIn,
} from '@holdfast/devnet/testing/service-process'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { formatTrustAnchor, type TrustAnchor } from '@holdfast/protocols/dnssec/anchors'
import { makeQuery } from '../../dns-transport.ts'

/** Where Unbound asks, and where its trust begins. */
export type Upstream = { readonly anchors: readonly TrustAnchor[] } & (
  | /** One server that answers for the whole tree. */ { readonly host: string; readonly port: number }
  /** The authoritative server, `address:port`, of each of these zones. */
  | { readonly stubs: readonly { readonly zone: string; readonly server: string }[] }
)

export type RunningUnbound = {
  /** `127.0.0.1:port`, UDP and TCP. */
  readonly server: string
  /** DNS over HTTPS, in the clear on this machine. */
  readonly doh: string
  stop(): Promise<void>
}

/** Debian's Unbound as a resolver with a cache; with `validates: false` as one that believes everything. */
export async function startUnbound(
  dns: Upstream,
  { validates }: { validates: boolean },
): Promise<RunningUnbound> {
  const program = requiredProgram('HOLDFAST_UNBOUND')
  const home = makeFolder('unbound')
  const { folder } = home
  const [port, dohPort] = [await freePort(), await freePort()]
  const file = join(folder, 'unbound.conf')
  writeFileSync(file, configuration(dns, { folder, port, dohPort, validates }))
  const server = `127.0.0.1:${port}`
  const query = makeQuery({ servers: [server], timeoutMs: 500, rounds: 1, failuresToBreak: 1_000 })
  const isReady = async () => (await query(dns.anchors[0]?.zone ?? '.', TYPE.SOA).catch(() => null)) !== null
  const { stop } = await startServiceIn(home, program, ['-d', '-c', file], isReady)
  return { server, doh: `http://127.0.0.1:${dohPort}/dns-query`, stop }
}

function configuration(
  dns: Upstream,
  options: { folder: string; port: number; dohPort: number; validates: boolean },
): string {
  const { folder, port, dohPort, validates } = options
  const anchors = dns.anchors.map((anchor) => `  trust-anchor: "${formatTrustAnchor(anchor)}"`)
  return `server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1@${port}
  interface: 127.0.0.1@${dohPort}
  https-port: ${dohPort}
  http-notls-downstream: yes
  local-zone: "test." nodefault
  do-not-query-localhost: no
  module-config: "${validates ? 'validator iterator' : 'iterator'}"
  ede: yes
${validates ? anchors.join('\n') : ''}
${upstreamOf(dns)}
`
}

function upstreamOf(dns: Upstream): string {
  if ('host' in dns) return `forward-zone:\n  name: "."\n  forward-addr: ${dns.host}@${dns.port}`
  return dns.stubs
    .map(({ zone, server }) => `stub-zone:\n  name: ${zone}\n  stub-addr: ${server.replace(':', '@')}`)
    .join('\n')
}
