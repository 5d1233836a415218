import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const server = createServer((_request, response) => response.end('the server'))
const proxy = createServer().on('connect', (_request, socket) => socket.end('HTTP/1.1 502 the proxy\r\n\r\n'))
beforeAll(() => Promise.all([server, proxy].map((one) => once(one.listen(0, '127.0.0.1'), 'listening'))))
afterAll(() => [server, proxy].map((one) => one.close()))

const portOf = (one: typeof server) => (one.address() as AddressInfo).port

/** What a program that an npm script runs hears at `host`, and its list of hosts without a proxy. */
async function ask(host: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const code = `
    const answer = await fetch('http://${host}:${portOf(server)}').then((found) => found.text(), () => 'the proxy')
    console.log(JSON.stringify({ answer, unproxied: process.env.no_proxy }))`
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'run.mjs'), '--input-type=module', '-e', code],
    {
      env: {
        PATH: process.env.PATH,
        NODE_USE_ENV_PROXY: '1',
        http_proxy: `http://127.0.0.1:${portOf(proxy)}`,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  return JSON.parse((await child.stdout.setEncoding('utf8').toArray()).join(''))
}

test.each([
  [{}, '127.0.0.1,localhost,[::1]'],
  [{ no_proxy: 'shop.test' }, 'shop.test,127.0.0.1,localhost,[::1]'],
  [{ NO_PROXY: 'shop.test' }, 'shop.test,127.0.0.1,localhost,[::1]'],
  [{ no_proxy: '*' }, '*'],
])(
  'what an npm script asks of this machine goes past the proxy of the shell, with %j',
  async (env, unproxied) => {
    expect(await ask('127.0.0.1', env)).toEqual({ answer: 'the server', unproxied })
  },
)

test('what it asks of others goes by the proxy', async () => {
  expect(await ask('127.0.0.2', {})).toMatchObject({ answer: 'the proxy' })
})
