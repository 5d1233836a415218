import { createHmac } from 'node:crypto'
import { nameToWire } from '@holdfast/protocols/dns/names'
import { appendTsig, splitTsig } from '@holdfast/protocols/dns/tsig'
import { WireWriter } from '@holdfast/protocols/dns/writer'

export type TsigResponse = {
  keyName?: string
  error?: number
  otherData?: Uint8Array
  /** Seconds since 1970; default: when the request says it was signed. */
  timeSigned?: number
  /** Default: computed. */
  mac?: Uint8Array
}

/** Signs an answer as a server does (RFC 8945 §5.4), written apart from `tsig.ts` so that one checks the other. */
export function signResponse(
  response: Uint8Array,
  request: Uint8Array,
  secret: Uint8Array,
  lie: TsigResponse = {},
): Uint8Array {
  const asked = splitTsig(request)
  if (!asked) throw new Error('the request is not signed')
  const { tsig } = asked
  const keyName = lie.keyName ?? tsig.keyName
  const error = lie.error ?? 0
  const otherData = lie.otherData ?? new Uint8Array(0)
  const timeSigned = lie.timeSigned ?? tsig.timeSigned
  const covered = new WireWriter()
    .u16(tsig.mac.length)
    .raw(tsig.mac)
    .raw(response)
    .raw(nameToWire(keyName, 'canonical'))
    .u16(255)
    .u32(0)
    .raw(nameToWire(tsig.algorithm, 'canonical'))
    .u48(timeSigned)
    .u16(tsig.fudgeSeconds)
    .u16(error)
    .u16(otherData.length)
    .raw(otherData)
    .finish()
  const hash = tsig.algorithm === 'hmac-sha512.' ? 'sha512' : 'sha256'
  const mac = lie.mac ?? createHmac(hash, secret).update(covered).digest()
  return appendTsig(response, { ...tsig, keyName, mac, timeSigned, error, otherData })
}

/**
 * Signs the messages of one answer (RFC 8945 §5.3.1): the first one, the last one, and those in between whose number
 * `isSigned` says.
 */
export function signStream(
  responses: readonly Uint8Array[],
  request: Uint8Array,
  secret: Uint8Array,
  isSigned: (index: number) => boolean = () => true,
): Uint8Array[] {
  const { tsig } = splitTsig(request)!
  const hash = tsig.algorithm === 'hmac-sha512.' ? 'sha512' : 'sha256'
  let prior = new Uint8Array(0)
  let between: Uint8Array[] = []
  return responses.map((response, index) => {
    if (index === 0) {
      const signed = signResponse(response, request, secret)
      prior = new Uint8Array(splitTsig(signed)!.tsig.mac)
      return signed
    }
    if (index < responses.length - 1 && !isSigned(index)) {
      between.push(response)
      return response
    }
    const covered = new WireWriter().u16(prior.length).raw(prior)
    for (const each of [...between, response]) covered.raw(each)
    covered.u48(tsig.timeSigned).u16(tsig.fudgeSeconds)
    prior = new Uint8Array(createHmac(hash, secret).update(covered.finish()).digest())
    between = []
    return appendTsig(response, { ...tsig, mac: prior, error: 0, otherData: new Uint8Array(0) })
  })
}
