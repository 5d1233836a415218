import type { AuthoritativeAnswer } from '@holdfast/core/dns-zone'
import { RCODE, rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, type Message, type ResourceRecord } from '@holdfast/protocols/dns/message'
import { sameName } from '@holdfast/protocols/dns/names'
import { decodeRrsig, decodeTxt } from '@holdfast/protocols/dns/rdata'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { DnsExchangeError, exchange } from './dns-exchange.ts'
import { encodeQuery } from './dns-transport.ts'
import { formatServerAddress, parseServerAddress } from './server-address.ts'

export type AskServer = { readonly timeoutMs: number }

const MAX_RESPONSE_BYTES = 65_535

/** What one authoritative server says of TXT at `name`; a server that fails is an answer too, and never throws. */
export async function authoritativeAnswer(
  server: string,
  name: string,
  { timeoutMs }: AskServer,
): Promise<AuthoritativeAnswer> {
  const address = parseServerAddress(server)
  const said = { server: formatServerAddress(address) }
  try {
    const query = encodeQuery(name, TYPE.TXT, { recursion: false })
    const wire = await exchange(address, query, { timeoutMs, maxResponseBytes: MAX_RESPONSE_BYTES })
    return { ...said, ...readAnswer(decodeMessage(wire), name) }
  } catch (error) {
    if (error instanceof DnsExchangeError || error instanceof DnsWireError) {
      return { ...said, failure: error.message }
    }
    throw error
  }
}

type Said = { readonly values: readonly string[]; readonly signed: boolean } | { readonly failure: string }

/**
 * `signed` says that signatures came along, over the records or, when there are none, over their denial. Whether
 * they are good is the validator's business.
 */
function readAnswer(message: Message, name: string): Said {
  if (message.rcode !== RCODE.NOERROR && message.rcode !== RCODE.NXDOMAIN) {
    return { failure: rcodeName(message.rcode) }
  }
  if (!message.flags.authoritative) return { failure: 'the server is not authoritative for this name' }
  const here = message.answer.filter((record) => sameName(record.name, name))
  const values = here.filter((record) => record.type === TYPE.TXT).map(({ rdata }) => joinedText(rdata))
  const signatures = values.length > 0 ? here.filter(coversTxt) : message.authority.filter(isSignature)
  return { values, signed: signatures.length > 0 }
}

/** The value of a TXT RR: its strings, joined. */
export function joinedText(rdata: Uint8Array): string {
  return Buffer.concat(decodeTxt(rdata)).toString('utf8')
}

function isSignature(record: ResourceRecord): boolean {
  return record.type === TYPE.RRSIG
}

function coversTxt(record: ResourceRecord): boolean {
  return isSignature(record) && decodeRrsig(record.rdata).typeCovered === TYPE.TXT
}
