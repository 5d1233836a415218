import { refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import { RefusalError } from '../platform/http/problem.ts'

/** A name that can be paid: who owns it, whose node makes the invoices, and the BOLT 12 offer in its record. */
export type ActiveName = {
  readonly user: string
  readonly domain: string
  readonly owner: Hex
  readonly offer: string
  /** The user part of the registration that answers for it: its own, or `*`, which answers for many. */
  readonly answeredBy: string
}

/** Finds an active name; null: there is none. */
export type FindActive = (user: string, domain: string) => Promise<ActiveName | null>

/** LUD-16: "The <username> is limited to a-z0-9-_." */
const USER = /^[a-z0-9._-]{1,63}$/
const DOMAIN = /^[a-z0-9.-]{1,253}$/

/** An active name by its parts, as they came from outside. */
export async function findName(
  { findActive }: { findActive: FindActive },
  user: string,
  domain: string,
): Promise<ActiveName> {
  const found = USER.test(user) && DOMAIN.test(domain) ? await findActive(user, domain) : null
  if (found === null) throw new RefusalError(refuse('NAME_NOT_FOUND'))
  return found
}

/** The same by `user@domain`. */
export function findNameByText(deps: { findActive: FindActive }, text: string): Promise<ActiveName> {
  const [user = '', domain = '', ...more] = text.split('@')
  return findName(deps, more.length > 0 ? '' : user, domain)
}
