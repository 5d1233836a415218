import { CLASS, OPCODE, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, type Message, NO_FLAGS } from '@holdfast/protocols/dns/message'
import { isAtOrBelow, nameToWire } from '@holdfast/protocols/dns/names'
import { WireWriter } from '@holdfast/protocols/dns/writer'
import { type Script, type ScriptedDnsServer, startScriptedDnsServer } from './scripted-dns-server.ts'
import { signResponse, signStream } from './tsig-responder.ts'

const SOA = new WireWriter()
  .raw(nameToWire('ns.shop.test.'))
  .raw(nameToWire('hostmaster.shop.test.'))
  .u32(1)
  .u32(60)
  .u32(60)
  .u32(600)
  .u32(60)
  .finish()

/** What a server does with an update: the honest answer is handed over and may be replaced. */
export type Fault = (honest: Uint8Array, request: Uint8Array) => ReturnType<Script>

export type ScriptedZoneServer = ScriptedDnsServer & {
  /** TXT RDATA in hex by name. */
  readonly records: Map<string, string>
  /** The next update is carried out, then answered by this. */
  failNext(fault: Fault): void
}

/** A tiny primary for one unsigned zone, to be honest or to fail just after it has written. */
export async function startScriptedZoneServer(zone: string, secret: Uint8Array): Promise<ScriptedZoneServer> {
  const records = new Map<string, string>()
  const faults: Fault[] = []
  const server = await startScriptedDnsServer(({ wire }) => {
    const message = decodeMessage(wire)
    if (message.question[0]?.type === TYPE.AXFR) return transfer(message, wire)
    if (message.opcode !== OPCODE.UPDATE) return [answerQuery(message)]
    const honest = signResponse(respond(message, carryOut(message)), wire, secret)
    return faults.shift()?.(honest, wire) ?? [honest]
  })
  return Object.assign(server, { records, failNext: (fault: Fault) => void faults.push(fault) })

  function carryOut(update: Message): number {
    for (const { name, type, class: rrClass, rdata } of update.answer) {
      const held = records.get(name)
      if (rrClass === CLASS.NONE && type === TYPE.ANY && held !== undefined) return RCODE.YXDOMAIN
      if (rrClass === CLASS.IN && held !== hexOf(rdata)) return RCODE.NXRRSET
    }
    if (update.authority.some(({ name }) => !isAtOrBelow(name, zone))) return RCODE.NOTZONE
    for (const { name, class: rrClass, rdata } of update.authority) {
      if (rrClass === CLASS.IN) records.set(name, hexOf(rdata))
      else if (records.get(name) === hexOf(rdata)) records.delete(name)
    }
    return RCODE.NOERROR
  }

  /** A few records a message, every third one signed. */
  function transfer(query: Message, wire: Uint8Array): Uint8Array[] {
    const soa = { name: `${zone}.`, type: TYPE.SOA, class: CLASS.IN, ttl: 60, rdata: SOA }
    const txts = Array.from(records, ([name, hex]) => ({
      name,
      type: TYPE.TXT,
      class: CLASS.IN,
      ttl: 60,
      rdata: new Uint8Array(Buffer.from(hex, 'hex')),
    }))
    const all = [soa, ...txts, soa]
    const parts = Array.from({ length: Math.ceil(all.length / 3) }, (_, i) => all.slice(3 * i, 3 * i + 3))
    const flags = { ...NO_FLAGS, response: true, authoritative: true }
    const messages = parts.map((answer) => encodeMessage({ ...query, flags, answer, additional: [] }))
    return signStream(messages, wire, secret, (index) => index % 3 === 0)
  }

  function answerQuery(query: Message): Uint8Array {
    const [question] = query.question
    const held = records.get(question!.name)
    const answer =
      held === undefined
        ? []
        : [{ ...question!, type: TYPE.TXT, ttl: 60, rdata: new Uint8Array(Buffer.from(held, 'hex')) }]
    return encodeMessage({
      ...query,
      flags: { ...NO_FLAGS, response: true, authoritative: true },
      answer,
      additional: [],
    })
  }
}

/** The unsigned answer to an update. */
export function respond(update: Message, rcode: number): Uint8Array {
  const flags = { ...NO_FLAGS, response: true }
  return encodeMessage({ ...update, flags, rcode, answer: [], authority: [], additional: [] })
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
