import { parentPort, workerData } from 'node:worker_threads'
import type { FromHost, HostSettings, ToHost } from '../protocol.ts'
import { HostCore } from './host-core.ts'

const port = parentPort
if (!port) throw new Error('thread.ts is the entry of a worker thread.')

const send = (message: FromHost) => port.postMessage(message)
// The bindings print their version, and WASM its panics, through console.log.
console.log = (...parts: unknown[]) =>
  send({ kind: 'log', level: 'info', message: parts.join(' '), data: {} })

const core = await HostCore.start(workerData as HostSettings, send)
port.on('message', (message: ToHost) => core.receive(message))
