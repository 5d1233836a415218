import type { Catalogue } from './refusals/catalogue.ts'
import { DESTINATION_REFUSALS } from './refusals/destinations.ts'
import { DNS_REFUSALS } from './refusals/dns.ts'
import { DOMAIN_REFUSALS } from './refusals/domains.ts'
import { ESCROW_REFUSALS } from './refusals/escrow.ts'
import { IDENTITY_REFUSALS } from './refusals/identity.ts'
import { LIGHTNING_ADDRESS_REFUSALS } from './refusals/lightning-address.ts'
import { NAME_REFUSALS } from './refusals/names.ts'
import { NODE_REFUSALS } from './refusals/nodes.ts'
import { PAYMENT_REFUSALS } from './refusals/payments.ts'
import { REQUEST_REFUSALS } from './refusals/request.ts'
import { RESOLVE_REFUSALS } from './refusals/resolve.ts'

/** The one catalogue of everything that Holdfast declines to do. */
export const REFUSALS = {
  ...REQUEST_REFUSALS,
  ...IDENTITY_REFUSALS,
  ...NAME_REFUSALS,
  ...DOMAIN_REFUSALS,
  ...DNS_REFUSALS,
  ...RESOLVE_REFUSALS,
  ...NODE_REFUSALS,
  ...DESTINATION_REFUSALS,
  ...PAYMENT_REFUSALS,
  ...LIGHTNING_ADDRESS_REFUSALS,
  ...ESCROW_REFUSALS,
} as const satisfies Catalogue

export type RefusalCode = keyof typeof REFUSALS
export type RefusalData = Readonly<Record<string, string | number | boolean | null>>

/** A refusal is a value: nothing was changed, and the caller is told why. `data` must hold no secret. */
export type Refusal = { readonly refused: RefusalCode; readonly data: RefusalData }

export function refuse(code: RefusalCode, data: RefusalData = {}): Refusal {
  return { refused: code, data }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value
}
