import { randomBytes } from 'node:crypto'
import type { Delegation } from './delegation.ts'
import { hostedName } from './hosted-zone.ts'

type Challenged = { readonly domain: string; readonly challenge: string }

/** 128 bits that nobody can guess. */
export function newChallenge(): string {
  return randomBytes(16).toString('hex')
}

/** A label that no other claim has; letters first, so that it never looks like a number. */
export function newLabel(): string {
  return `d${randomBytes(6).toString('hex')}`
}

export function challengeName({ domain }: Challenged): string {
  return `_holdfast-challenge.${domain}`
}

export function challengeValue({ challenge }: Challenged): string {
  return `holdfast-challenge=${challenge}`
}

/**
 * No name that somebody registers begins with an underscore. A check that was asked for while another one runs has a
 * probe of its own; there are but two, so that one that a crash left behind is withdrawn in time.
 */
export function probeName({ domain }: Challenged, serial: number): string {
  return `_holdfast-${serial % 2}.user._bitcoin-payment.${domain}`
}

/** What the merchant has to put into the DNS. */
export function instructionsFor(
  state: Challenged & { readonly label: string; readonly host: string },
  delegation?: Delegation,
) {
  const target = `user._bitcoin-payment.${state.label}.${state.host}`
  return {
    challenge: {
      name: challengeName(state),
      type: 'TXT',
      value: challengeValue(state),
      why: 'Shows that the domain is yours. Leave it there: it is looked for again every day.',
    },
    allNames: {
      name: `user._bitcoin-payment.${state.domain}`,
      type: 'DNAME',
      value: target,
      why: 'Leads every name of the domain here, where your DNS provider has DNAME.',
    },
    eachName: {
      name: `<user>.user._bitcoin-payment.${state.domain}`,
      type: 'CNAME',
      value: hostedName(`<user>.user._bitcoin-payment.${state.domain}`, state) ?? target,
      why: 'Otherwise one for each name, before the name is registered.',
    },
    ...(delegation && {
      delegation: {
        name: delegation.zone.domain,
        ns: [...delegation.nameServers],
        ds: `/v1/zones/${delegation.zone.domain}`,
        why: 'Leads every name of the domain here, in the place of aliases. Wait until DS records are told there, then enter them and the NS records together: without DS no name can be paid. Aliases at or below this name must go.',
      },
    }),
    web: [
      {
        path: '/.well-known/lnurlp/<user>',
        to: `/lnurlp/<user>@${state.domain}`,
        why: 'The names as Lightning Addresses: have the web server of the domain pass this path on to us.',
      },
      {
        path: '/.well-known/nostr.json',
        to: `/nip05/${state.domain}`,
        why: 'The names in Nostr (NIP-05): the same, the query kept. It must not be a redirect.',
      },
    ],
    dnssec: 'The zone of the domain must be signed with DNSSEC and have its DS record at the registry.',
  } as const
}
