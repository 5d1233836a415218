import { once } from 'node:events'
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, makeFolder, requiredProgram, startService } from '@holdfast/devnet/testing/service-process'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { DnsExchangeError, exchange } from '../../dns/dns-exchange.ts'
import { encodeQuery } from '../../dns/dns-transport.ts'
import { parseServerAddress } from '../../dns/server-address.ts'
import type { TsigKey } from '../../dns/tsig.ts'
import { Secret } from '../../platform/secret.ts'

export const DOMAIN = 'shop.test'
const LONGEST_LOAD_MS = 3_600_000

/** One TXT record of BIP-353 with an offer of about 500 characters, as LDK makes them with one blinded path. */
export function recordOf(n: number): { name: string; value: string } {
  const offer = `lno1${n.toString(36).padStart(8, 'q')}${'qp0zry9x8gf2tvdw'.repeat(31)}`
  return { name: `user${n}.user._bitcoin-payment.${DOMAIN}`, value: `bitcoin:?lno=${offer}` }
}

/** Debian's Knot with that many names in one zone, not yet signed when it starts; by whose key it may be changed and listed. */
export async function startLargeKnotZone(names: number) {
  const { folder, remove } = makeFolder('large-knot')
  const port = await freePort()
  const server = `127.0.0.1:${port}`
  const key: TsigKey = {
    name: 'holdfast',
    algorithm: 'hmac-sha256',
    secret: new Secret(crypto.getRandomValues(new Uint8Array(64))),
  }
  mkdirSync(join(folder, 'db'))
  const configure = (load: ZoneFileLoad) =>
    writeFileSync(join(folder, 'knot.conf'), configuration({ folder, port, key, load }))
  configure('difference-no-serial')
  await writeZone(join(folder, 'zone'), names)
  const answers = async () => (await ask(server, DOMAIN, TYPE.SOA)) !== null
  const start = () =>
    startService(requiredProgram('HOLDFAST_KNOTD'), ['-c', join(folder, 'knot.conf')], {
      cwd: folder,
      isReady: answers,
    })
  let began = performance.now()
  let service = await start().catch((fault) => {
    remove()
    throw fault
  })
  return {
    server,
    key,
    folder,
    /** Resolves with the milliseconds since the start when the zone's last name is served with its signature. */
    async loaded(): Promise<number> {
      const { name } = recordOf(names - 1)
      while ((await signedAnswers(server, name)) === 0) {
        if (performance.now() - began > LONGEST_LOAD_MS) throw new Error('the zone is not there in an hour')
        await sleep(20)
      }
      return performance.now() - began
    },
    /** From then on the journal is all that Knot knows: the file, read again, would undo every update. */
    async restart(): Promise<void> {
      configure('none')
      await service.stop()
      began = performance.now()
      service = await start()
    },
    /** Of the process, resident, in bytes. */
    memory: () => residentBytes(service.pid),
    /** What Knot says of the whole zone that it has sent last: `5004 messages, 84424192 bytes`. */
    lastTransfer(): { messages: number; bytes: number } {
      const log = readFileSync(join(folder, 'output.log'), 'utf8')
      const [, messages, bytes] = [...log.matchAll(/AXFR, outgoing.*, (\d+) messages, (\d+) bytes/g)].at(-1)!
      return { messages: Number(messages), bytes: Number(bytes) }
    },
    async stop() {
      await service.stop()
      remove()
    },
  }
}

/** How many answer records came, if RRSIGs are among them; else 0. */
async function signedAnswers(server: string, name: string): Promise<number> {
  const bytes = await ask(server, name, TYPE.TXT)
  const count = bytes === null ? 0 : (bytes[6]! << 8) | bytes[7]!
  return count > 1 ? count : 0
}

async function ask(server: string, name: string, type: number): Promise<Uint8Array | null> {
  const limits = { timeoutMs: 1_000, maxResponseBytes: 65_535 }
  try {
    return await exchange(parseServerAddress(server), encodeQuery(name, type, { recursion: false }), limits)
  } catch (error) {
    if (error instanceof DnsExchangeError) return null
    throw error
  }
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) * 1024
}

async function writeZone(file: string, names: number): Promise<void> {
  const out = createWriteStream(file)
  out.write(`$ORIGIN ${DOMAIN}.
@ 60 SOA ns1 root 1 60 60 600 60
@ 60 NS ns1
ns1 60 A 127.0.0.1
`)
  for (let n = 0; n < names; n++) {
    const { name, value } = recordOf(n)
    const strings = value.match(/.{1,255}/g)!.map((string) => `"${string}"`)
    if (!out.write(`${name}. 300 TXT ${strings.join(' ')}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
}

type ZoneFileLoad = 'difference-no-serial' | 'none'

function configuration(options: { folder: string; port: number; key: TsigKey; load: ZoneFileLoad }): string {
  const { folder, port, load } = options
  const { name, algorithm, secret } = options.key
  return `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
    async-start: on
database:
    storage: "${folder}/db"
log:
  - target: stderr
    any: info
key:
  - id: ${name}.
    algorithm: ${algorithm}
    secret: ${Buffer.from(secret.reveal()).toString('base64')}
acl:
  - id: update
    key: ${name}.
    action: [update, transfer]
policy:
  - id: holdfast
    algorithm: ecdsap256sha256
zone:
  - domain: ${DOMAIN}
    storage: "${folder}"
    file: zone
    acl: update
    dnssec-signing: on
    dnssec-policy: holdfast
    zonefile-load: ${load}
    journal-content: all
    # Else Knot writes the whole zone file after every change.
    zonefile-sync: -1
    # By default 100 MiB, which the zone itself must fit into.
    journal-max-usage: 8G
`
}
