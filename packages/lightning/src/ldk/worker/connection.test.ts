import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Connection } from './connection.ts'
import { Guard } from './guard.ts'
import { loadWasm } from './wasm.ts'

let server: Server
let port: number
const accepted: Socket[] = []

beforeAll(async () => {
  await loadWasm()
  server = createServer((socket) => accepted.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as { port: number }).port
})
afterAll(() => {
  for (const socket of accepted) socket.destroy()
  server.close()
})

async function pair() {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const far = accepted.shift() as Socket
  let wakes = 0
  const connection = new Connection(socket, 1n, new Guard(), () => {
    wakes++
  })
  return { connection, far, wakes: () => wakes }
}

test('nothing leaves before flush', async () => {
  const { connection, far } = await pair()
  const heard: Buffer[] = []
  far.on('data', (chunk) => heard.push(chunk))
  expect(connection.descriptor.send_data(Uint8Array.of(1, 2, 3), true)).toBe(3)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(heard).toEqual([])
  connection.flush()
  await once(far, 'data')
  expect(Buffer.concat(heard)).toEqual(Buffer.of(1, 2, 3))
})

test('LDK is told to wait when the peer does not read, and gets room again when it does', async () => {
  const { connection, far } = await pair()
  far.pause()
  const chunk = new Uint8Array(64 * 1024).fill(5)
  let sent = 0
  for (let refused = false; !refused; ) {
    const taken = connection.descriptor.send_data(chunk, true)
    sent += taken
    refused = taken < chunk.length
    connection.flush()
    await new Promise((resolve) => setImmediate(resolve))
    if (sent > 64 * 1024 * 1024) throw new Error('There is no back-pressure.')
    // The system's own buffers have to fill first.
    if (refused && connection.takeWritable()) refused = false
  }
  let received = 0
  far.on('data', (data) => {
    received += data.length
  })
  far.resume()
  while (!connection.takeWritable()) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(connection.takeWritable()).toBe(false)
  while (received < sent) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(received).toBe(sent)
})

test('reading pauses until LDK sends again', async () => {
  const { connection, far, wakes } = await pair()
  far.write('hello')
  while (wakes() === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(Buffer.concat(connection.takeInput()).toString()).toBe('hello')
  connection.pauseReading()
  expect(connection.socket.isPaused()).toBe(true)
  connection.descriptor.send_data(new Uint8Array(0), true)
  expect(connection.socket.isPaused()).toBe(false)
})

test('a socket that LDK disconnects is closed after what was written, and not named to LDK again', async () => {
  const { connection, far } = await pair()
  connection.descriptor.send_data(Uint8Array.of(9), true)
  connection.descriptor.disconnect_socket()
  expect(connection.forgotten).toBe(true)
  const heard = once(far, 'data')
  const closed = once(connection.socket, 'close')
  connection.flush()
  expect(await heard).toEqual([Buffer.of(9)])
  await closed
  expect(connection.closed).toBe(true)
})
