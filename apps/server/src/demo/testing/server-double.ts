// A double of the server for the tests of who starts and stops it: answers /ready, says so in server.json, ends on
// SIGTERM. The variable DOUBLE makes it fail at once, hang before it is ready, leave half a server.json, or have no
// devnet.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { writeFileDurably } from '@holdfast/devnet/durable-file'

const { DOUBLE, HOLDFAST_DATA_DIR = '' } = process.env

process.on('SIGTERM', () => process.exit(0))
writeFileSync(join(HOLDFAST_DATA_DIR, 'double.pid'), String(process.pid))
if (DOUBLE === 'fails') process.exit(3)
const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const dns = DOUBLE === 'has no devnet' ? null : { host: '127.0.0.1', port: 5354, anchorFile: '/anchor' }
const file = { url: `http://127.0.0.1:${port}`, pid: process.pid, dns }
const text = DOUBLE === 'leaves half a file' ? '{"url":' : JSON.stringify(file)
if (DOUBLE !== 'hangs') writeFileDurably(join(HOLDFAST_DATA_DIR, 'server.json'), text)
