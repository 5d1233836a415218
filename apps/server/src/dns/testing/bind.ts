import { writeFileSync } from 'node:fs'
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

export type RunningBind = {
  /** `127.0.0.1:port`, primary and only server of the zone. */
  readonly server: string
  /** A key that may update the zone. */
  readonly key: TsigKey
  /** A key that the server knows and that may do nothing. */
  readonly idleKey: TsigKey
  stop(): Promise<void>
}

/** Debian's BIND with one zone, empty but for its apex, signed by BIND itself. */
export async function startBindZone(domain: string): Promise<RunningBind> {
  const program = requiredProgram('HOLDFAST_NAMED')
  const home = makeFolder('bind')
  const { folder } = home
  const port = await freePort()
  const server = `127.0.0.1:${port}`
  const newKey = (name: string): TsigKey => ({
    name,
    algorithm: 'hmac-sha256',
    secret: new Secret(crypto.getRandomValues(new Uint8Array(32))),
  })
  const [key, idleKey] = [newKey('holdfast'), newKey('idle')]
  writeFileSync(
    join(folder, 'zone'),
    `$TTL 60
@ SOA ns1 root 1 60 60 600 60
@ NS ns1
ns1 A 127.0.0.1
`,
  )
  const file = join(folder, 'named.conf')
  writeFileSync(file, configuration({ domain, folder, port, keys: [key, idleKey] }))
  const query = makeQuery({ servers: [server], timeoutMs: 500, rounds: 1, failuresToBreak: 1_000 })
  // It serves the zone before it has signed it.
  const isReady = async () => {
    const answer = await query(domain, TYPE.SOA).catch(() => null)
    return answer !== null && decodeMessage(answer).answer.some(({ type }) => type === TYPE.RRSIG)
  }
  const { stop } = await startServiceIn(home, program, ['-g', '-c', file], isReady)
  return { server, key, idleKey, stop }
}

function configuration(options: {
  domain: string
  folder: string
  port: number
  keys: readonly TsigKey[]
}): string {
  const { domain, folder, port, keys } = options
  const keyLines = keys.map(
    ({ name, algorithm, secret }) => `key "${name}" {
  algorithm ${algorithm};
  secret "${Buffer.from(secret.reveal()).toString('base64')}";
};`,
  )
  return `options {
  directory "${folder}";
  pid-file none;
  session-keyfile none;
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  notify no;
};
controls { };
${keyLines.join('\n')}
zone "${domain}" {
  type primary;
  file "${folder}/zone";
  update-policy { grant holdfast subdomain ${domain}. TXT; };
  allow-transfer { key holdfast; };
  dnssec-policy default;
};
`
}
