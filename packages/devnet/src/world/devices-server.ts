import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { listen } from '@holdfast/lightning/listen'
import type { Device } from './device.ts'
import { type DeviceAnswer, makeDeviceInvoice } from './device-invoice.ts'

export type RunningDevice = { device: Device; node: LdkNode }

/**
 * What a user would see on the screen of their own device and do there, on a loopback port: balance, proofs of payment,
 * a new invoice. It exists because on the devnet the users' nodes run inside this process; the Holdfast server never
 * asks it.
 *
 * `GET /devices` · `GET /devices/:name/balance` · `GET /devices/:name/proofs/:paymentId` ·
 * `POST /devices/:name/invoices`
 */
export async function serveDevices(
  devices: ReadonlyMap<string, RunningDevice>,
  onFault: (fault: Error) => void,
) {
  const token = randomBytes(24).toString('hex')
  const expected = Buffer.from(`Bearer ${token}`)
  const server = createServer((request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '')
    const authorized = given.length === expected.length && timingSafeEqual(given, expected)
    const use = request.method === 'POST' ? make : look
    const answer = authorized ? use(devices, request) : Promise.resolve({ status: 401, body: null })
    answer
      .catch((error: Error) => ({ status: 503, body: { error: error.message } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, onFault)
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    stop: () => new Promise<void>((done) => server.close(() => done()).closeAllConnections()),
  }
}

async function make(
  devices: ReadonlyMap<string, RunningDevice>,
  request: IncomingMessage,
): Promise<DeviceAnswer> {
  const [, root, name = '', what, ...rest] = (request.url ?? '/').split('/')
  const found = devices.get(name)
  if (root !== 'devices' || !found || what !== 'invoices' || rest.length > 0) {
    return { status: 404, body: null }
  }
  return makeDeviceInvoice(found.node, await readText(request))
}

async function look(
  devices: ReadonlyMap<string, RunningDevice>,
  request: IncomingMessage,
): Promise<DeviceAnswer> {
  const [, root, name, what, id] = (request.url ?? '/').split('/')
  if (root !== 'devices') return { status: 404, body: null }
  if (!name) return { status: 200, body: [...devices.values()].map(describe) }
  const found = devices.get(name)
  if (!found) return { status: 404, body: null }
  if (what === 'balance') return { status: 200, body: await balanceOf(found.node) }
  if (what === 'proofs' && id && /^[0-9a-f]{64}$/.test(id)) {
    const proof = await found.node.preimage(id)
    return { status: proof ? 200 : 404, body: proof }
  }
  return { status: 404, body: null }
}

function describe({ device, node }: RunningDevice) {
  return { name: device.name, pubkey: device.pubkey, folder: device.folder, nodeId: node.nodeId }
}

async function balanceOf(node: LdkNode) {
  const balance = await node.funds.balance()
  return {
    lightningMsat: String(balance.lightningMsat),
    receivableMsat: String(balance.receivableMsat),
    onchainSat: String(balance.onchainSat),
    claimableSat: String(balance.claimableSat),
  }
}
