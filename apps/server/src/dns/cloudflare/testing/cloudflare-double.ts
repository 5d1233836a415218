// A DOUBLE of Cloudflare's API for tests: it follows the published API and no request ever leaves this machine.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DoubledZone, serveDoubledZone } from './doubled-zone.ts'

export type DoubledRecord = {
  id: string
  name: string
  type: string
  content: string
  ttl: number
  created_on: string
  /** Of a DS record. */
  data?: { key_tag: number; algorithm: number; digest_type: number; digest: string }
}

export type Reply = { status: number; body: unknown; headers?: Record<string, string> }
type Call = { method: string; path: string; query: URLSearchParams; body: Record<string, unknown> }

/**
 * What is answered in place of the honest reply, whose call was carried out, or was not when `before` is set. `drop`
 * ends the connection; `silence` never answers.
 */
export type Fault = ((honest: Reply) => Reply | 'drop' | 'silence') & { before?: boolean }

export type CloudflareDouble = {
  /** For `baseUrl`. */
  readonly url: string
  readonly token: string
  readonly zoneId: string
  /** `address:port` of a real, signed, authoritative DNS server that serves what the API holds. */
  readonly server: string
  readonly zone: DoubledZone
  readonly records: DoubledRecord[]
  /** `METHOD /path` of every call, in order. */
  readonly calls: string[]
  /** The next call for which `when` holds ends like this. */
  failNext(when: string, fault: Fault): void
  /** The most records that it puts on a page, whatever is asked for. */
  largestPage: number
  /** Of the zone; `hasDs` is what Cloudflare finds at the registrar. */
  readonly dnssec: { on: boolean; modified_on: string | null; hasDs: boolean }
  /** Puts a record in as somebody else would in the dashboard. */
  add(record: Pick<DoubledRecord, 'name' | 'type' | 'content'>): DoubledRecord
  stop(): Promise<void>
}

const BASE_PATH = '/client/v4'

const failure = (status: number, code: number, message: string): Reply => ({
  status,
  body: { success: false, errors: [{ code, message }], messages: [], result: null },
})
const success = (result: unknown, more: object = {}): Reply => ({
  status: 200,
  body: { success: true, errors: [], messages: [], result, ...more },
})
export const replies = { failure, success }

export async function startCloudflareDouble(domain: string): Promise<CloudflareDouble> {
  const token = randomBytes(20).toString('hex')
  const zoneId = randomBytes(16).toString('hex')
  const zone = await serveDoubledZone(domain)
  const records: DoubledRecord[] = []
  const calls: string[] = []
  const faults: { when: string; fault: Fault }[] = []

  const http = createServer((request, response) => {
    void read(request).then((call) => {
      const line = `${call.method} ${call.path}`
      calls.push(line)
      const index = faults.findIndex(({ when }) => line.startsWith(when))
      const [failing] = index < 0 ? [] : faults.splice(index, 1)
      const honest = failing?.fault.before ? failure(500, 0, 'not carried out') : carryOut(request, call)
      const reply = failing ? failing.fault(honest) : honest
      if (reply === 'silence') return
      if (reply === 'drop') return void request.socket.destroy()
      send(response, reply)
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')

  function carryOut(request: IncomingMessage, call: Call): Reply {
    if (request.headers.authorization !== `Bearer ${token}`)
      return failure(403, 10_000, 'Authentication error')
    const [top, id, kind, recordId] = call.path.split('/').slice(1)
    if (top !== 'zones') return failure(400, 7_000, 'No route for that URI')
    if (id === undefined) return listZones(call.query)
    if (id === zoneId && kind === 'dnssec') return changeDnssec(call)
    if (id !== zoneId || kind !== 'dns_records') {
      return failure(
        404,
        7_003,
        `Could not route to ${call.path}, perhaps your object identifier is invalid?`,
      )
    }
    if (recordId === undefined) return call.method === 'POST' ? create(call.body) : listRecords(call.query)
    const record = records.find((held) => held.id === recordId)
    if (!record) return failure(404, 81_044, 'Record does not exist.')
    return call.method === 'DELETE' ? remove(record) : edit(record, call.body)
  }

  function listZones(query: URLSearchParams): Reply {
    const all = [{ id: zoneId, name: domain, status: 'active' }]
    return success(
      all.filter(({ name }) => !query.has('name') || query.get('name') === name),
      { result_info: { page: 1, per_page: 50, count: 1, total_count: 1, total_pages: 1 } },
    )
  }

  function listRecords(query: URLSearchParams): Reply {
    const found = records.filter(
      ({ name, type }) =>
        (!query.has('name.exact') || query.get('name.exact') === name) &&
        (!query.has('type') || query.get('type') === type),
    )
    if (query.get('order') === 'name') found.sort((one, other) => (one.name < other.name ? -1 : 1))
    const page = Number(query.get('page') ?? 1)
    const perPage = Math.min(Number(query.get('per_page') ?? 100), self.largestPage)
    const shown = found.slice((page - 1) * perPage, page * perPage)
    return success(shown, {
      result_info: {
        page,
        per_page: perPage,
        count: shown.length,
        total_count: found.length,
        total_pages: Math.ceil(found.length / perPage),
      },
    })
  }

  function create(body: Record<string, unknown>): Reply {
    const wrong = invalid(body)
    if (wrong) return wrong
    const asked = String(body.name).toLowerCase()
    // As Cloudflare does: a name that is not in the zone is taken as relative to it.
    const name = asked === domain || asked.endsWith(`.${domain}`) ? asked : `${asked}.${domain}`
    const data = body.type === 'DS' ? (body.data as NonNullable<DoubledRecord['data']>) : undefined
    if (data && name === domain) return failure(400, 9_021, 'DS records may not stand at the apex.')
    const content = data ? dsContent(data) : stored(String(body.content))
    const same = records.filter((record) => record.name === name)
    if (same.some((record) => record.type === body.type && record.content === content)) {
      return failure(400, 81_058, 'An identical record already exists.')
    }
    if (same.some(({ type }) => type === 'CNAME')) {
      return failure(400, 81_054, 'A CNAME record with that host already exists.')
    }
    return success(
      self.add({ name, type: String(body.type), content, ...(data && { data }) }, Number(body.ttl)),
    )
  }

  function edit(record: DoubledRecord, body: Record<string, unknown>): Reply {
    const wrong = invalid(body)
    if (wrong) return wrong
    record.content = stored(String(body.content))
    record.ttl = Number(body.ttl)
    zone.serve(records)
    return success(record)
  }

  function changeDnssec({ method, body }: Call): Reply {
    const { dnssec } = self
    if (method === 'DELETE') {
      if (dnssec.on || dnssec.hasDs)
        return failure(400, 1_004, 'DNSSEC is still active; remove the DS record first.')
      dnssec.modified_on = null
      return success('')
    }
    if (method === 'PATCH') {
      Object.assign(dnssec, { on: body.status === 'active', modified_on: new Date().toISOString() })
    }
    const status = dnssec.on
      ? dnssec.hasDs
        ? 'active'
        : 'pending'
      : dnssec.hasDs
        ? 'pending-disabled'
        : 'disabled'
    return success({ status, modified_on: dnssec.modified_on })
  }

  function remove(record: DoubledRecord): Reply {
    records.splice(records.indexOf(record), 1)
    zone.serve(records)
    return success({ id: record.id })
  }

  const self = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}${BASE_PATH}`,
    token,
    zoneId,
    server: zone.server,
    zone,
    records,
    calls,
    largestPage: 5_000_000,
    dnssec: { on: false, modified_on: null as string | null, hasDs: false },
    failNext: (when: string, fault: Fault) => void faults.push({ when, fault }),
    add(given: Pick<DoubledRecord, 'name' | 'type' | 'content' | 'data'>, ttl = 300): DoubledRecord {
      const id = randomBytes(16).toString('hex')
      const record = { id, ...given, ttl, created_on: new Date().toISOString() }
      records.push(record)
      zone.serve(records)
      return record
    },
    async stop() {
      http.closeAllConnections()
      http.close()
      await Promise.all([once(http, 'close'), zone.stop()])
    },
  }
  return self
}

/** Of the documented limits those that a name can meet. */
function invalid({ ttl, content }: Record<string, unknown>): Reply | null {
  const chained = (code: number, message: string): Reply => ({
    status: 400,
    body: {
      success: false,
      errors: [{ code: 1_004, message: 'DNS Validation Error', error_chain: [{ code, message }] }],
      messages: [],
      result: null,
    },
  })
  if (ttl !== 1 && !(Number(ttl) >= 60 && Number(ttl) <= 86_400)) {
    return chained(9_021, 'Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.')
  }
  return String(content).length > 4_096 ? chained(9_207, 'Content for TXT record is too long.') : null
}

function dsContent({ key_tag, algorithm, digest_type, digest }: NonNullable<DoubledRecord['data']>): string {
  return `${key_tag} ${algorithm} ${digest_type} ${digest}`
}

/** What is sent without quotes is stored with them. */
function stored(content: string): string {
  return content.startsWith('"') ? content : `"${content}"`
}

async function read(request: IncomingMessage): Promise<Call> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double')
  const text = Buffer.concat(parts).toString()
  return {
    method: request.method ?? 'GET',
    path: pathname.startsWith(`${BASE_PATH}/`) ? pathname.slice(BASE_PATH.length) : '/outside',
    query: searchParams,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers })
  response.end(isText ? body : JSON.stringify(body))
}
