import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { NostrEvent } from '@holdfast/protocols/nip01'
import { type WebSocket, WebSocketServer } from 'ws'
import { TEST_CERTIFICATE, TEST_KEY } from '../../outbound/testing/test-certificate.ts'

export type TestRelay = {
  readonly url: string
  readonly events: NostrEvent[]
  readonly open: () => number
  stop(): Promise<void>
}

/** Answers what a relay would; null: nothing at all. */
export type RelayAnswer = (event: NostrEvent, socket: WebSocket) => unknown

const takes: RelayAnswer = ({ id }) => ['OK', id, true, '']

/** A real wss:// server on loopback that plays a stranger's relay as far as `EVENT` goes; for address.test. */
export async function startRelay(answer: RelayAnswer = takes): Promise<TestRelay> {
  const events: NostrEvent[] = []
  const server = createServer({ key: TEST_KEY, cert: TEST_CERTIFICATE })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate())
    socket.on('message', (data) => {
      const [, event] = JSON.parse(String(data))
      events.push(event)
      const said = answer(event, socket)
      if (said !== null) socket.send(typeof said === 'string' ? said : JSON.stringify(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `wss://address.test:${(server.address() as AddressInfo).port}`,
    events,
    open: () => sockets.clients.size,
    async stop() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
