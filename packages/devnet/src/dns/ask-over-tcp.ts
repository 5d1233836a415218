import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import { takeFramed, withLength } from './tcp-framing.ts'

const TIMEOUT_MS = 5_000

/** Asks one server over TCP, with DO and CD set, and gives back the whole response message. */
export function askOverTcp(
  server: { host: string; port: number },
  name: string,
  type: number,
  timeoutMs = TIMEOUT_MS,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const id = randomInt(0x10000)
    let received: Uint8Array = new Uint8Array()
    const socket = connect(server, () => socket.write(withLength(encodeMessage(dnssecQuery(id, name, type)))))
    const fail = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    socket.setTimeout(timeoutMs, () => fail(new Error(`${server.host}:${server.port} does not answer`)))
    socket.on('error', fail)
    socket.on('close', () => reject(new Error(`${server.host}:${server.port} closed the connection`)))
    socket.on('data', (chunk) => {
      const { messages, rest } = takeFramed(received, chunk)
      received = rest
      const response = messages.find((message) => ((message[0]! << 8) | message[1]!) === id)
      if (!response) return
      resolve(response)
      socket.destroy()
    })
  })
}
