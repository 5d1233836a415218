import type { RefusalCode } from '../refusals.ts'

/** A look at the merchant's DNS that is asked for; a report with another serial comes late. */
export type DomainCheck = {
  readonly serial: number
  readonly tries: number
  readonly dueAt: number
  /** Why the latest look did not find what it should; null: it did, or there was none yet. */
  readonly lastFailure: RefusalCode | null
}

/**
 * How the merchant's zone leads into ours. `delegated`: the names have a zone of their own, delegated to us by NS and DS.
 * `all-names`: one alias (DNAME) covers every name. `each-name`: neither was found, so every name needs a CNAME of its own
 * before it is registered.
 */
export type Aliases = 'delegated' | 'all-names' | 'each-name'

/** A merchant's claim to use a domain of their own. Times are milliseconds since 1970. */
export type DomainTerms = {
  readonly v: 1
  readonly id: string
  readonly domain: string
  /** Nostr public key. */
  readonly owner: string
  /** What the domain's DNS must show. */
  readonly challenge: string
  /** Its names live below `label.host`, where `host` is a zone of ours. */
  readonly label: string
  readonly host: string
  readonly requestedAt: number
}

export type DomainPhase =
  /** Nobody has shown yet that the domain is theirs. */
  | { readonly phase: 'pending'; readonly expiresAt: number; readonly check: DomainCheck }
  /** Its owner may register names. */
  | {
      readonly phase: 'active'
      readonly aliases: Aliases
      readonly verifiedAt: number
      readonly check: DomainCheck
    }
  /** The challenge has been missing for too long: the names that are there go on, new ones are refused. */
  | {
      readonly phase: 'lapsed'
      readonly aliases: Aliases
      readonly verifiedAt: number
      readonly check: DomainCheck
    }
  | {
      readonly phase: 'ended'
      /** Null: its owner gave it up. */
      readonly cause: RefusalCode | null
      readonly endedAt: number
    }

export type DomainState = DomainTerms & DomainPhase
export type DomainIn<P extends DomainPhase['phase']> = Extract<DomainState, { phase: P }>

export type DomainRequest =
  | ({ readonly kind: 'claim' } & Omit<DomainTerms, 'v' | 'requestedAt'>)
  | { readonly kind: 'check-now'; readonly by: string }
  | { readonly kind: 'give-up'; readonly by: string }

export type DomainReport =
  | { readonly kind: 'verified'; readonly serial: number; readonly aliases: Aliases }
  | { readonly kind: 'not-verified'; readonly serial: number; readonly cause: RefusalCode }
  /** Another key has proven that the domain is theirs, and this one has no names in it. */
  | { readonly kind: 'displaced' }
  | { readonly kind: 'time-passed' }

export type DomainCommand = DomainRequest | DomainReport

/** Look at the domain's DNS at this time. */
export type DomainEffect = { readonly kind: 'check'; readonly serial: number; readonly at: number }
