import { RCODE, rcodeName } from '@holdfast/protocols/dns/codes'
import { decodeMessage, type Message } from '@holdfast/protocols/dns/message'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { DnsExchangeError, exchange } from '../dns/dns-exchange.ts'
import { encodeQuery } from '../dns/dns-transport.ts'
import { parseServerAddress } from '../dns/server-address.ts'

const MAX_RESPONSE_BYTES = 65_535

/** A server gave no answer from which anything follows. */
export class NoAnswer extends Error {}

/** Asks one authoritative server, never a resolver. @throws NoAnswer */
export async function askServer(
  server: string,
  name: string,
  type: number,
  timeoutMs: number,
): Promise<Message> {
  const query = encodeQuery(name, type, { recursion: false })
  try {
    const limits = { timeoutMs, maxResponseBytes: MAX_RESPONSE_BYTES }
    const message = decodeMessage(await exchange(parseServerAddress(server), query, limits))
    if (message.rcode !== RCODE.NOERROR && message.rcode !== RCODE.NXDOMAIN)
      throw new NoAnswer(rcodeName(message.rcode))
    if (!message.flags.authoritative) throw new NoAnswer('the server is not authoritative')
    return message
  } catch (error) {
    if (error instanceof DnsExchangeError || error instanceof DnsWireError) throw new NoAnswer(error.message)
    throw error
  }
}
