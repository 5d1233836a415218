import { CLASS, OPCODE, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, type Message, NO_FLAGS } from '@holdfast/protocols/dns/message'
import { isAtOrBelow } from '@holdfast/protocols/dns/names'
import { type Script, type ScriptedDnsServer, startScriptedDnsServer } from './scripted-dns-server.ts'
import { signResponse } from './tsig-responder.ts'

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
