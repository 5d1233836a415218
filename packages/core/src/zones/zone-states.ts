/** One delegation signer as the parent publishes it (RFC 4034 §5); `digest` in lower-case hex. */
export type Ds = {
  readonly keyTag: number
  readonly algorithm: number
  readonly digestType: number
  readonly digest: string
}

/** A DNSKEY with the SEP flag as one authoritative server shows it, named by the DS that would point to it. */
export type SeenKey = {
  readonly ds: Ds
  /** A valid RRSIG by this key covers the DNSKEY RRset. */
  readonly signsKeys: boolean
}

export type ChildView = { readonly server: string } & (
  | { readonly failure: string }
  | {
      readonly keys: readonly SeenKey[]
      /** The algorithms by which the zone's own RRsets (SOA, NS) are validly signed; empty when it is unsigned. */
      readonly signedBy: readonly number[]
    }
)

export type ParentView = { readonly server: string } & (
  | { readonly failure: string }
  /**
   * `ttlSeconds` is that of the DS RRset; 0 when there is none. A DS of another digest type than SHA-256 that matches
   * a key of the zone stands here as that key's SHA-256 DS, so that sets can be compared.
   */
  | { readonly ds: readonly Ds[]; readonly ttlSeconds: number }
)

/** What the world shows of a zone's DNSSEC at one moment, each server asked directly and never a resolver. */
export type ZoneObservation = {
  /** Every authoritative server of the zone. */
  readonly zone: readonly ChildView[]
  /** Every authoritative server of the parent zone. */
  readonly parent: readonly ParentView[]
  /** The largest TTL found in the zone, its negative TTL (RFC 2308 §5) included. */
  readonly maxTtlSeconds: number
  /** What our own validator says of the zone's apex, from the root's anchor down. */
  readonly fromRoot: 'secure' | 'insecure' | 'bogus' | 'unavailable'
}

/** Why the plan does not go on, or what is wrong with a zone at rest. */
export type ZoneProblem =
  /** A server of the zone or of its parent did not answer; nothing is assumed about it. */
  | { readonly code: 'SERVER_SILENT'; readonly servers: readonly string[] }
  | { readonly code: 'ACTION_FAILED'; readonly action: ZoneAction; readonly reason: string }
  /** Only a person can do the next step. */
  | { readonly code: 'PERSON_NEEDED'; readonly action: ZoneAction }
  | { readonly code: 'SERVERS_DIFFER' }
  /** The parent points to keys that some server of the zone does not show: validating resolvers refuse the zone. */
  | { readonly code: 'DS_WITHOUT_KEY' }
  /** The parent no longer vouches for a zone that should be signed: its names cannot be proven. */
  | { readonly code: 'DS_MISSING' }
  | { readonly code: 'NOT_SECURE_FROM_ROOT'; readonly fromRoot: ZoneObservation['fromRoot'] }

const ZONE_ACTIONS = ['sign', 'publish-ds', 'withdraw-ds', 'unsign', 'add-key', 'remove-key'] as const
/** What somebody must do to the world: a provider's API, a hook, or a person. */
export type ZoneAction = (typeof ZONE_ACTIONS)[number]

/** Times are milliseconds since 1970. */
export type ZoneTerms = {
  readonly v: 1
  readonly domain: string
  /** No TTL in the zone is larger, as its operator says; what is observed may raise it. */
  readonly maxTtlSeconds: number
  /** How long a resolver may remember a DS: as seen at the parent; until one was seen, as assumed. */
  readonly dsTtl: { readonly seconds: number; readonly seen: boolean }
  readonly enteredAt: number
  readonly problem: ZoneProblem | null
}

export type ZonePhase =
  | { readonly phase: 'unsigned' }
  | { readonly phase: 'signing'; readonly attempt: number }
  /** Every server shows the keys; resolvers may still remember unsigned answers. */
  | { readonly phase: 'keys-settling'; readonly ds: readonly Ds[]; readonly until: number }
  | { readonly phase: 'ds-publishing'; readonly ds: readonly Ds[]; readonly attempt: number }
  | { readonly phase: 'signed'; readonly ds: readonly Ds[] }
  /** A rollover: double signature (RFC 6781 §4.1.2; §4.1.4 when the algorithm changes). `old` is what the parent has. */
  | { readonly phase: 'key-adding'; readonly old: readonly Ds[]; readonly attempt: number }
  | {
      readonly phase: 'new-key-settling'
      readonly old: readonly Ds[]
      readonly ds: readonly Ds[]
      readonly until: number
    }
  | {
      readonly phase: 'ds-replacing'
      readonly old: readonly Ds[]
      readonly ds: readonly Ds[]
      readonly attempt: number
    }
  /** Resolvers may still remember the old DS, so the old key must go on signing. */
  | {
      readonly phase: 'old-ds-expiring'
      readonly old: readonly Ds[]
      readonly ds: readonly Ds[]
      readonly until: number
    }
  | {
      readonly phase: 'old-key-removing'
      readonly old: readonly Ds[]
      readonly ds: readonly Ds[]
      readonly attempt: number
    }
  | { readonly phase: 'ds-withdrawing'; readonly attempt: number }
  /** No parent server shows a DS; resolvers may still remember it, so the zone must stay signed. */
  | { readonly phase: 'ds-expiring'; readonly until: number }
  | { readonly phase: 'unsigning'; readonly attempt: number }

export type ZoneState = ZoneTerms & ZonePhase

export const ZONE_PHASES = [
  'unsigned',
  'signing',
  'keys-settling',
  'ds-publishing',
  'signed',
  'key-adding',
  'new-key-settling',
  'ds-replacing',
  'old-ds-expiring',
  'old-key-removing',
  'ds-withdrawing',
  'ds-expiring',
  'unsigning',
] as const satisfies readonly ZonePhase['phase'][]

export type ZoneEffect =
  /** `looks`: how often this phase was looked at before without an end; it decides when to look again. */
  | { readonly kind: 'observe'; readonly at: number; readonly looks: number }
  | {
      readonly kind: 'act'
      readonly action: ZoneAction
      readonly attempt: number
      readonly at: number
      /** What the parent shall show, for `publish-ds`; the keys to remove, for `remove-key`; else empty. */
      readonly ds: readonly Ds[]
    }

export type ZoneRequest =
  | {
      readonly kind: 'adopt'
      readonly domain: string
      readonly maxTtlSeconds: number
      /** How long a DS that nobody has seen yet may be remembered, should one have been there. */
      readonly assumedDsTtlSeconds: number
    }
  | { readonly kind: 'sign' }
  | { readonly kind: 'unsign' }
  | { readonly kind: 'roll' }

export type ZoneReport =
  | { readonly kind: 'observed'; readonly observation: ZoneObservation; readonly looks: number }
  | { readonly kind: 'acted'; readonly action: ZoneAction; readonly attempt: number }
  | {
      readonly kind: 'action-failed'
      readonly action: ZoneAction
      readonly attempt: number
      readonly reason: string
    }
  /** Nothing here can do it; instructions are shown to a person. */
  | { readonly kind: 'person-asked'; readonly action: ZoneAction; readonly attempt: number }
  | { readonly kind: 'time-passed' }

export type ZoneCommand = ZoneRequest | ZoneReport
