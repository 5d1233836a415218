import { type Refusal, refuse } from '@holdfast/core'
import type { Msat } from '@holdfast/core/money'
import { Bip353Error, parseName } from '@holdfast/protocols/bip353'
import { Bolt11Error, decodeInvoice } from '@holdfast/protocols/bolt11'
import { LnurlError } from '@holdfast/protocols/lnurl/error'
import { lightningAddressUrl } from '@holdfast/protocols/lnurl/lnurl'
import {
  checkPayInvoice,
  lengthOf,
  makePayCallback,
  readPayCallback,
} from '@holdfast/protocols/lnurl/pay-callback'
import { type PayRequest, readPayRequest } from '@holdfast/protocols/lnurl/pay-request'
import { OutboundError } from '../outbound/outbound-error.ts'
import type { Outbound } from '../outbound/outbound-https.ts'

/** What the host of a Lightning Address says of it (LUD-16). The host vouches for it by TLS; DNSSEC proves nothing. */
export type AddressTerms = {
  /** `user@domain`, canonical: letters of other scripts as punycode. */
  readonly name: string
  readonly hasPunycode: boolean
  readonly minMsat: Msat
  readonly maxMsat: Msat
  readonly description: string
  /** How many characters a note may have; 0: none (LUD-12). */
  readonly noteMaxCharacters: number
}

export type LightningAddresses = {
  look(name: string): Promise<AddressTerms | Refusal>
  /**
   * A BOLT 11 invoice over exactly this amount that commits to what the host described. Whether it has expired and is
   * for our network is left to the caller.
   */
  invoiceFor(name: string, order: { amountMsat: Msat; note?: string }): Promise<{ invoice: string } | Refusal>
}

export function makeLightningAddresses({ outbound }: { outbound: Outbound }): LightningAddresses {
  const ask = async (name: string): Promise<{ request: PayRequest; terms: AddressTerms }> => {
    const { text, user, domain, hasPunycode } = parseName(name)
    const request = readPayRequest(await outbound.getJson(lightningAddressUrl({ user, domain })))
    const { minMsat, maxMsat, description, commentAllowed: noteMaxCharacters } = request
    return {
      request,
      terms: { name: text, hasPunycode, minMsat, maxMsat, description, noteMaxCharacters },
    }
  }
  return {
    look: (name) => refusing(async () => (await ask(name)).terms),
    invoiceFor: (name, { amountMsat, note = '' }) =>
      refusing(async () => {
        const { request } = await ask(name)
        const { minMsat, maxMsat, commentAllowed } = request
        if (amountMsat < minMsat || amountMsat > maxMsat) {
          return refuse('ADDRESS_AMOUNT_OUTSIDE', { minMsat: `${minMsat}`, maxMsat: `${maxMsat}` })
        }
        if (lengthOf(note) > commentAllowed) {
          return refuse('NOTE_NOT_ACCEPTED', { maxCharacters: commentAllowed })
        }
        const callback = makePayCallback(request, { amountMsat, ...(note !== '' && { comment: note }) })
        const { invoice } = readPayCallback(await outbound.getJson(callback.url))
        const decoded = decodeInvoice(invoice)
        checkPayInvoice(decoded, callback)
        return { invoice: decoded.text }
      }),
  }
}

async function refusing<T>(work: () => Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof OutboundError) return refusalOfOutbound(error)
    if (error instanceof LnurlError) return refusalOfLnurl(error)
    if (error instanceof Bolt11Error) return refuse('ADDRESS_INVALID', { rule: error.code })
    if (error instanceof Bip353Error) return refuse('NAME_INVALID', { rule: error.code })
    throw error
  }
}

function refusalOfOutbound({ code, status }: OutboundError): Refusal {
  switch (code) {
    case 'forbidden':
      return refuse('ADDRESS_FORBIDDEN')
    case 'unreachable':
    case 'too-slow':
      return refuse('ADDRESS_UNAVAILABLE')
    case 'too-large':
      return refuse('ADDRESS_INVALID', { rule: code })
    case 'unusable':
      if (status === 404 || status === 410) return refuse('ADDRESS_NOT_FOUND')
      if (status === 429 || (status !== null && status >= 500)) return refuse('ADDRESS_UNAVAILABLE')
      return refuse('ADDRESS_INVALID', { rule: status === null ? code : `status-${status}` })
  }
}

function refusalOfLnurl({ code, message }: LnurlError): Refusal {
  // LUD-06: `reason` is for people to read; it is the host's word, not ours.
  if (code === 'refused') return refuse('ADDRESS_REFUSED', { reason: printable(message).slice(0, 200) })
  return refuse('ADDRESS_INVALID', { rule: code })
}

function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
}
