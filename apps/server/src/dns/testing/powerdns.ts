import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { freePort, makeFolder, requiredProgram, startService } from '@holdfast/devnet/testing/service-process'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { Secret } from '../../platform/secret.ts'
import { makeQuery } from '../dns-transport.ts'
import type { TsigKey } from '../tsig.ts'
import type { RunningKnot } from './knot.ts'

/** Debian's PowerDNS on SQLite with one zone, empty but for its apex, signed by PowerDNS itself. */
export async function startPowerDnsZone(domain: string): Promise<RunningKnot> {
  const [program, util] = [requiredProgram('HOLDFAST_PDNS_SERVER'), requiredProgram('HOLDFAST_PDNSUTIL')]
  const root = join(dirname(program), '..', 'root', 'usr')
  const { folder, remove } = makeFolder('pdns')
  const port = await freePort()
  const server = `127.0.0.1:${port}`
  const newKey = (name: string): TsigKey => ({
    name,
    algorithm: 'hmac-sha256',
    secret: new Secret(crypto.getRandomValues(new Uint8Array(32))),
  })
  const [key, idleKey] = [newKey('holdfast'), newKey('idle')]
  const database = new DatabaseSync(join(folder, 'zones.db'))
  database.exec(readFileSync(join(root, 'share/pdns-backend-sqlite3/schema/schema.sqlite3.sql'), 'utf8'))
  database.close()
  writeFileSync(join(folder, 'pdns.conf'), configuration({ folder, port, modules: modulesBelow(root) }))
  const pdnsutil = (...args: string[]) =>
    promisify(execFile)(util, [`--config-dir=${folder}`, ...args], { cwd: folder })
  const query = makeQuery({ servers: [server], timeoutMs: 500, rounds: 1, failuresToBreak: 1_000 })
  const isReady = async () => {
    const answer = await query(domain, TYPE.DNSKEY).catch(() => null)
    return answer !== null && decodeMessage(answer).answer.length > 0
  }
  try {
    await pdnsutil('create-zone', domain, `ns1.${domain}`)
    await pdnsutil('replace-rrset', domain, '@', 'SOA', '60', `ns1.${domain} root.${domain} 1 60 60 600 60`)
    await pdnsutil('add-record', domain, 'ns1', 'A', '60', '127.0.0.1')
    await pdnsutil('secure-zone', domain)
    for (const { name, algorithm, secret } of [key, idleKey])
      await pdnsutil('import-tsig-key', name, algorithm, Buffer.from(secret.reveal()).toString('base64'))
    for (const kind of ['TSIG-ALLOW-DNSUPDATE', 'TSIG-ALLOW-AXFR'])
      await pdnsutil('set-meta', domain, kind, key.name)
    const service = await startService(program, [`--config-dir=${folder}`], { cwd: folder, isReady })
    return {
      server,
      key,
      idleKey,
      async stop() {
        await service.stop()
        remove()
      },
    }
  } catch (fault) {
    remove()
    throw fault
  }
}

function modulesBelow(root: string): string {
  const libraries = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  const module = libraries.find((path) => path.endsWith('libgsqlite3backend.so'))
  if (module === undefined) throw new Error(`no SQLite module of PowerDNS below ${root}`)
  return dirname(join(root, 'lib', module))
}

function configuration({ folder, port, modules }: { folder: string; port: number; modules: string }): string {
  return `local-address=127.0.0.1
local-port=${port}
module-dir=${modules}
launch=gsqlite3
gsqlite3-database=${folder}/zones.db
gsqlite3-dnssec=yes
socket-dir=${folder}
daemon=no
guardian=no
write-pid=no
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
`
}
