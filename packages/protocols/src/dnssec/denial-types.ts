import { TYPE } from '../dns/codes.ts'

/**
 * What a set of NSEC or NSEC3 records proves about a type at a name. `types` are those that the name, or the
 * wildcard, does have; empty for an empty non-terminal.
 */
export type Denial =
  | { proves: 'nxdomain' }
  | { proves: 'nodata'; types: readonly number[] }
  /** The name does not exist, and the wildcard that would answer for it lacks the type. */
  | { proves: 'wildcard-nodata'; types: readonly number[] }
  /** An NSEC3 span with opt-out: there may be an unsigned delegation (RFC 5155 §6). */
  | { proves: 'opt-out' }

/** Whether the type bitmap of a name denies `type` there. */
export function typesDeny(types: readonly number[], type: number): boolean {
  // RFC 4035 §5.4; RFC 6840 §4.3: with a CNAME the query should have been restarted at its target.
  if (types.includes(type) || types.includes(TYPE.CNAME)) return false
  const hasSoa = types.includes(TYPE.SOA)
  // RFC 6840 §4.4: the apex of the child knows nothing of the DS, which lives in the parent.
  if (type === TYPE.DS) return !hasSoa
  // RFC 6840 §4.1: the parent's side of a delegation knows nothing of the other types at that name.
  return !types.includes(TYPE.NS) || hasSoa
}
