import { CLASS, OPCODE, RCODE, rcodeName, TYPE, typeName } from '../dns/codes.ts'
import { decodeMessage, type Message } from '../dns/message.ts'
import { type Name, sameName } from '../dns/names.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import { Unavailable } from './result.ts'
import { type Rrset, rrsetsOf } from './rrset.ts'

/**
 * Sends one question and gives back the whole response message. It may ask an authoritative server, a resolver or a
 * DoH service; it must set DO, should set CD and must retry over TCP by itself when the answer is truncated (a response
 * that has TC set counts as no answer). A rejected promise means that the DNS is not reachable.
 */
export type DnsQuery = (name: Name, type: number) => Promise<Uint8Array>

export type Sections = { answer: Rrset[]; authority: Rrset[] }

/** Where a validation finds the records that it then verifies: the DNS, or a proof. */
export type AnswerSource = {
  /** @throws Unavailable unless there is a complete answer to this very question. */
  ask(name: Name, type: number): Promise<Sections>
  /**
   * `asked`: where a name has no DS, the parent must prove it, or an unsigned delegation could be hidden. `given`: a
   * proof brings the DS of the zones that it crosses and leaves out the names in between; without a DS it goes on with
   * the parent's keys, by which alone all that follows must then be signed.
   */
  readonly zoneCuts: 'asked' | 'given'
}

export function dnsAnswers(query: DnsQuery): AnswerSource {
  return { zoneCuts: 'asked', ask: (name, type) => exchange(query, name, type) }
}

async function exchange(query: DnsQuery, name: Name, type: number): Promise<Sections> {
  const question = `${typeName(type)} ${name}`
  let bytes: Uint8Array
  try {
    bytes = await query(name, type)
  } catch (cause) {
    throw new Unavailable(`no answer to ${question}`, { cause })
  }
  let message: Message
  let sections: Sections
  try {
    message = decodeMessage(bytes)
    sections = { answer: rrsetsOf(message.answer), authority: rrsetsOf(message.authority) }
  } catch (cause) {
    if (!(cause instanceof DnsWireError)) throw cause
    throw new Unavailable(`the answer to ${question} is malformed: ${cause.message}`, { cause })
  }
  checkIsAnswer(message, name, type, question)
  return sections
}

function checkIsAnswer(message: Message, name: Name, type: number, question: string): void {
  const [asked] = message.question
  const answersUs =
    message.flags.response &&
    message.opcode === OPCODE.QUERY &&
    message.question.length === 1 &&
    asked?.type === type &&
    asked.class === CLASS.IN &&
    sameName(asked.name, name)
  if (!answersUs) throw new Unavailable(`the response does not belong to the question ${question}`)
  if (message.flags.truncated) throw new Unavailable(`the answer to ${question} is truncated`)
  if (message.rcode !== RCODE.NOERROR && message.rcode !== RCODE.NXDOMAIN) {
    throw new Unavailable(`the server answers ${rcodeName(message.rcode)} to ${question}`)
  }
  if (isReferral(message)) throw new Unavailable(`the server answers ${question} with a referral`)
}

/** RFC 1034 §4.3.2 step 3b: a server that knows only whom to ask next; we ask no further ourselves. */
function isReferral({ flags, answer, authority }: Message): boolean {
  const has = (type: number) => authority.some((record) => record.type === type)
  return !flags.authoritative && answer.length === 0 && has(TYPE.NS) && !has(TYPE.SOA)
}
