import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { CommandQueue } from './command-queue.ts'
import type { Regtest } from './regtest.ts'
import { answerBody, httpStatus, isNotification, performCall } from './rpc-call.ts'
import { RPC_CODE } from './rpc-failure.ts'

/** A block of four million weight units is at most 8 MB in hex; a transaction that is relayed, 800 kB. */
export const MAX_BODY_BYTES = 4_000_000
const MAX_BATCH = 1_000
const REQUEST_TIMEOUT_MS = 30_000

const WALLET_PATH = '/wallet/'

type Answer = { readonly status: number; readonly body: unknown }

/** bitcoind's JSON-RPC over HTTP, on `/` and on `/wallet/<name>`, with basic authentication. */
export function makeRpcServer(
  regtest: Regtest,
  queue: CommandQueue,
  credentials: { rpcUser: string; rpcPassword: string },
  onFault: (fault: unknown) => void,
): Server {
  const wanted = digest(`${credentials.rpcUser}:${credentials.rpcPassword}`)

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      return refuse(request, response, 405, 'JSONRPC server handles only POST requests')
    }
    if (!isAuthorized(request.headers.authorization, wanted)) {
      response.setHeader('www-authenticate', 'Basic realm="jsonrpc"')
      return refuse(request, response, 401, '')
    }
    const body = await readBody(request)
    if (body === null) return refuse(request, response, 413, 'The request is too large')
    const url = request.url ?? '/'
    if (!/^\/(wallet\/[\w.~%-]*)?$/.test(url)) return refuse(request, response, 404, '')
    const answer = await answerTo(regtest, queue, url, body)
    response.statusCode = answer.status
    if (answer.body === undefined) return void response.end()
    response.setHeader('content-type', 'application/json')
    response.end(`${JSON.stringify(answer.body)}\n`)
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((fault: unknown) => {
      if (request.destroyed && !request.complete) return
      onFault(fault)
      if (!response.headersSent) refuse(request, response, 500, 'The chain failed; see its log.')
    })
  })
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.headersTimeout = REQUEST_TIMEOUT_MS
  return server
}

async function answerTo(regtest: Regtest, queue: CommandQueue, url: string, body: string): Promise<Answer> {
  let request: unknown
  try {
    request = JSON.parse(body)
  } catch {
    return { status: 500, body: failure(RPC_CODE.parseError, 'Parse error') }
  }
  if (typeof request !== 'object' || request === null) {
    return { status: 500, body: failure(RPC_CODE.parseError, 'Top-level object parse error') }
  }
  const wallet = walletNamed(url)
  if (!Array.isArray(request)) {
    const answer = await queue.run(() => performCall(regtest, request, wallet))
    if (isNotification(answer)) return { status: 204, body: undefined }
    return { status: httpStatus(answer), body: answerBody(answer) }
  }
  if (request.length > MAX_BATCH) {
    return { status: 400, body: failure(RPC_CODE.invalidRequest, `A batch holds at most ${MAX_BATCH} calls`) }
  }
  const answers = await queue.run(() => request.map((one) => performCall(regtest, one, wallet)))
  const spoken = answers.filter((answer) => !isNotification(answer))
  if (spoken.length === 0 && answers.length > 0) return { status: 204, body: undefined }
  return { status: 200, body: spoken.map(answerBody) }
}

/** Calls go to `/`, or to `/wallet/<name>` to name a wallet. */
function walletNamed(url: string): string | null {
  return url.startsWith(WALLET_PATH) ? decodeURIComponent(url.slice(WALLET_PATH.length)) : null
}

function failure(code: number, message: string): unknown {
  return { result: null, error: { code, message }, id: null }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  if (!request.complete) response.setHeader('connection', 'close')
  response.end(text)
}

/** `null` when the body is larger than we take; the rest of it is not read. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isAuthorized(header: string | undefined, wanted: Buffer): boolean {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return false
  return timingSafeEqual(digest(Buffer.from(encoded, 'base64').toString('utf8')), wanted)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
