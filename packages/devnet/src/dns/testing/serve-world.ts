import { decodeMessage, encodeMessage } from '@holdfast/protocols/dns/message'
import type { World } from '@holdfast/protocols/dnssec/testing/signed-world'
import { type DnsListener, listenForDns } from '../dns-listener.ts'

const UDP_PAYLOAD_BYTES = 1232

/** One server on a port of its own that answers for a whole crafted world, for validators of others to judge it. */
export function serveWorld(world: World): Promise<DnsListener> {
  return listenForDns('127.0.0.1', 0, (query, transport) => respond(world, query, transport))
}

function respond(world: World, bytes: Uint8Array, transport: 'udp' | 'tcp'): Uint8Array {
  const { id, question, flags } = decodeMessage(bytes)
  const [asked] = question
  const answer = world.answer(asked!.name, asked!.type)
  const response = {
    ...answer,
    id,
    question,
    flags: { ...answer.flags, recursionDesired: flags.recursionDesired },
    edns: { udpPayloadSize: UDP_PAYLOAD_BYTES, version: 0, dnssecOk: true, options: [] },
  }
  const whole = encodeMessage(response)
  if (transport === 'tcp' || whole.length <= UDP_PAYLOAD_BYTES) return whole
  const cut = { ...response.flags, truncated: true }
  return encodeMessage({ ...response, flags: cut, answer: [], authority: [], additional: [] })
}
