import { decodeMessage, encodeMessage } from '@holdfast/protocols/dns/message'
import type { World } from '@holdfast/protocols/dnssec/testing/signed-world'

/** The DNS message in the address of a GET (RFC 8484 §4.1). */
export function queryInUrl(url: URL): Uint8Array {
  return new Uint8Array(Buffer.from(url.searchParams.get('dns')!, 'base64url'))
}

/** What a server of the signed world answers to a DNS message. */
export function answerQuery(world: World, query: Uint8Array): Uint8Array {
  const { id, question } = decodeMessage(query)
  return encodeMessage({ ...world.answer(question[0]!.name, question[0]!.type), id })
}
