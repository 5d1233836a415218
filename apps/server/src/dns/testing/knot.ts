import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  freePort,
  makeFolder,
  requiredProgram,
  startServiceIn,
} from '@holdfast/devnet/testing/service-process'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { Secret } from '../../platform/secret.ts'
import { makeQuery } from '../dns-transport.ts'
import type { TsigKey } from '../tsig.ts'

export type RunningKnot = {
  /** `127.0.0.1:port`, primary and only server of the zone. */
  readonly server: string
  /** A key that may update the zone. */
  readonly key: TsigKey
  /** A key that the server knows and that may do nothing. */
  readonly idleKey: TsigKey
  stop(): Promise<void>
}

/** Debian's Knot with one zone, empty but for its apex, signed by Knot itself with algorithm 13. */
export async function startKnotZone(
  domain: string,
  algorithm: TsigKey['algorithm'],
  ttlSeconds = 60,
): Promise<RunningKnot> {
  const program = requiredProgram('HOLDFAST_KNOTD')
  const home = makeFolder('knot')
  const { folder } = home
  const port = await freePort()
  const key: TsigKey = { name: 'holdfast', algorithm, secret: newSecret() }
  const idleKey: TsigKey = { ...key, name: 'idle', secret: newSecret() }
  mkdirSync(join(folder, 'db'))
  writeFileSync(join(folder, 'zone'), zoneFile(domain, ttlSeconds))
  writeFileSync(
    join(folder, 'knot.conf'),
    configuration({ domain, folder, port, ttlSeconds, keys: [key, idleKey] }),
  )
  const query = makeQuery({
    servers: [`127.0.0.1:${port}`],
    timeoutMs: 500,
    rounds: 1,
    failuresToBreak: 1_000,
  })
  const isReady = async () => {
    const answer = await query(domain, TYPE.DNSKEY).catch(() => null)
    return answer !== null && decodeMessage(answer).answer.length > 0
  }
  const { stop } = await startServiceIn(home, program, ['-c', join(folder, 'knot.conf')], isReady)
  return { server: `127.0.0.1:${port}`, key, idleKey, stop }
}

function newSecret(): Secret<Uint8Array> {
  return new Secret(crypto.getRandomValues(new Uint8Array(64)))
}

function zoneFile(domain: string, ttl: number): string {
  return `${domain}. ${ttl} SOA ns1.${domain}. root.${domain}. 1 60 60 600 ${ttl}
${domain}. ${ttl} NS ns1.${domain}.
ns1.${domain}. ${ttl} A 127.0.0.1
`
}

function configuration(options: {
  domain: string
  folder: string
  port: number
  ttlSeconds: number
  keys: readonly TsigKey[]
}): string {
  const { domain, folder, port, ttlSeconds, keys } = options
  const keyLines = keys.map(
    ({ name, algorithm, secret }) => `  - id: ${name}.
    algorithm: ${algorithm}
    secret: ${Buffer.from(secret.reveal()).toString('base64')}`,
  )
  return `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
database:
    storage: "${folder}/db"
log:
  - target: stderr
    any: info
key:
${keyLines.join('\n')}
acl:
  - id: update
    key: ${keys[0]!.name}.
    action: [update, transfer]
policy:
  - id: holdfast
    algorithm: ecdsap256sha256
    dnskey-ttl: ${ttlSeconds}
zone:
  - domain: ${domain}
    storage: "${folder}"
    file: zone
    acl: update
    dnssec-signing: on
    dnssec-policy: holdfast
    zonefile-load: difference-no-serial
    journal-content: all
`
}
