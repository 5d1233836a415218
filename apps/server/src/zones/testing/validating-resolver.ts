import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, makeFolder, requiredProgram, startService } from '@holdfast/devnet/testing/service-process'
import { rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import { formatTrustAnchor, type TrustAnchor } from '@holdfast/protocols/dnssec/anchors'
import { exchange } from '../../dns/dns-exchange.ts'

export type ValidatingResolver = {
  readonly server: string
  /** How it answers a user who trusts its validation: SERVFAIL where it refuses what it found. */
  rcodeOf(name: string): Promise<string>
  stop(): Promise<void>
}

/** Debian's Unbound in front of two servers, with its cache, trusting the parent's keys. */
export async function startValidatingResolver(world: {
  parent: string
  child: string
  anchors: readonly TrustAnchor[]
}): Promise<ValidatingResolver> {
  const { folder, remove } = makeFolder('unbound')
  const port = await freePort()
  writeFileSync(
    join(folder, 'anchors'),
    world.anchors.map((anchor) => `${formatTrustAnchor(anchor)}\n`).join(''),
  )
  writeFileSync(join(folder, 'unbound.conf'), configuration({ ...world, folder, port }))
  const address = { address: '127.0.0.1', port }
  const rcodeOf = async (name: string) => {
    const { flags, ...query } = dnssecQuery(Math.floor(Math.random() * 65_536), name, TYPE.TXT)
    const wire = encodeMessage({ ...query, flags: { ...flags, checkingDisabled: false } })
    const answer = await exchange(address, wire, { timeoutMs: 5_000, maxResponseBytes: 65_535 })
    return rcodeName(decodeMessage(answer).rcode)
  }
  try {
    const service = await startService(
      requiredProgram('HOLDFAST_UNBOUND'),
      ['-d', '-c', join(folder, 'unbound.conf')],
      {
        cwd: folder,
        isReady: () =>
          rcodeOf('test').then(
            (rcode) => rcode === 'NOERROR',
            () => false,
          ),
      },
    )
    return {
      server: `127.0.0.1:${port}`,
      rcodeOf,
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

function configuration(options: { folder: string; port: number; parent: string; child: string }): string {
  const { folder, port, parent, child } = options
  return `server:
    interface: 127.0.0.1@${port}
    username: ""
    chroot: ""
    directory: "${folder}"
    pidfile: "${folder}/unbound.pid"
    use-syslog: no
    do-daemonize: no
    do-not-query-localhost: no
    trust-anchor-file: "${folder}/anchors"
    module-config: "validator iterator"
    # RFC 6761 reserves test.: Unbound would answer for it by itself.
    local-zone: "test." nodefault
    qname-minimisation: no
stub-zone:
    name: test
    stub-addr: ${parent.replace(':', '@')}
stub-zone:
    name: shop.test
    stub-addr: ${child.replace(':', '@')}
remote-control:
    control-enable: no
`
}
