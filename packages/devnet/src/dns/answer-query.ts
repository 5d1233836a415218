import { CLASS, OPCODE, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, type Message, NO_FLAGS } from '@holdfast/protocols/dns/message'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { MAX_MESSAGE_BYTES } from '@holdfast/protocols/dns/writer'
import { answerQuestion } from '@holdfast/protocols/dnssec/signing/authoritative-answer'
import type { SignedZone } from '@holdfast/protocols/dnssec/signing/signed-zone'

/** RFC 1035 §4.2.1: the size of a UDP message without EDNS. */
const PLAIN_UDP_BYTES = 512
/** What fits an IPv6 packet without fragments; larger answers go over TCP. */
const OUR_UDP_BYTES = 1232
const HEADER_BYTES = 12

/** The response to one query as it came from the wire; null when it deserves none. */
export function answerQuery(
  zones: readonly SignedZone[],
  bytes: Uint8Array,
  transport: 'udp' | 'tcp',
): Uint8Array | null {
  const query = decodeOrRefuse(bytes)
  if (query === null || query instanceof Uint8Array) return query
  // A response that is answered could bounce between two servers for ever.
  if (query.flags.response) return null
  const response = respond(zones, query)
  if (transport === 'tcp') return encodeWithin(response, MAX_MESSAGE_BYTES)
  const limit = query.edns
    ? Math.min(Math.max(query.edns.udpPayloadSize, PLAIN_UDP_BYTES), OUR_UDP_BYTES)
    : PLAIN_UDP_BYTES
  return encodeWithin(response, limit)
}

/** RFC 2181 §9: what does not fit is cut, and TC sends the client to TCP. */
function encodeWithin(response: Message, limit: number): Uint8Array {
  try {
    return encodeMessage(response, limit)
  } catch (error) {
    if (!(error instanceof DnsWireError) || error.code !== 'message-too-long') throw error
    const flags = { ...response.flags, truncated: true }
    return encodeMessage({ ...response, flags, answer: [], authority: [], additional: [] })
  }
}

function respond(zones: readonly SignedZone[], query: Message): Message {
  const { id, opcode, question, edns, flags } = query
  const empty: Message = {
    id,
    opcode,
    rcode: RCODE.NOERROR,
    flags: {
      ...NO_FLAGS,
      response: true,
      recursionDesired: flags.recursionDesired,
      checkingDisabled: flags.checkingDisabled,
    },
    question,
    answer: [],
    authority: [],
    additional: [],
    ...(edns && {
      // RFC 3225 §3: DO is copied; RFC 6891 §7: our own size.
      edns: { udpPayloadSize: OUR_UDP_BYTES, version: 0, dnssecOk: edns.dnssecOk, options: [] },
    }),
  }
  if (edns && edns.version > 0) return { ...empty, rcode: RCODE.BADVERS }
  if (opcode !== OPCODE.QUERY) return { ...empty, rcode: RCODE.NOTIMP }
  const [asked, ...more] = question
  if (!asked || more.length > 0) return { ...empty, rcode: RCODE.FORMERR }
  const isZoneTransfer = asked.type >= 251 && asked.type < TYPE.ANY
  if (asked.class !== CLASS.IN || isZoneTransfer) return { ...empty, rcode: RCODE.REFUSED }
  const { authoritative, ...rest } = answerQuestion(zones, asked, edns?.dnssecOk ?? false)
  return { ...empty, ...rest, flags: { ...empty.flags, authoritative } }
}

/** FORMERR with the id of the query, when at least its header is there. */
function decodeOrRefuse(bytes: Uint8Array): Message | Uint8Array | null {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (!(error instanceof DnsWireError)) throw error
    const isResponse = ((bytes[2] ?? 0) & 0x80) !== 0
    if (bytes.length < HEADER_BYTES || isResponse) return null
    const refusal = new Uint8Array(HEADER_BYTES)
    refusal.set(bytes.subarray(0, 2))
    refusal[2] = 0x80
    refusal[3] = RCODE.FORMERR
    return refusal
  }
}
