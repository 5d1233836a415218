import type { ChildView, Ds, ParentView, ZoneObservation } from './zone-states.ts'

type Answered<View> = Exclude<View, { failure: string }>

/** What may be concluded from an observation; nothing is concluded from a server that did not answer. */
export type ZoneFacts = {
  readonly silent: readonly string[]
  /**
   * The keys that a DS may point to: at every server of the zone the key is there and signs the DNSKEY RRset, and the
   * zone is signed by its algorithm. Empty while a server is silent.
   */
  readonly usable: readonly Ds[]
  /** Keys that some server of the zone shows, signing or not. */
  readonly shown: readonly Ds[]
  /** Every server answered, and none shows a key or a signature. */
  readonly unsigned: boolean
  /** Shown by every parent server alike; null when one is silent or they differ. */
  readonly ds: readonly Ds[] | null
  /** Shown by some parent server. */
  readonly anyDs: readonly Ds[]
  readonly dsTtlSeconds: number
}

export function factsOf({ zone, parent }: ZoneObservation): ZoneFacts {
  const children = zone.filter(childAnswered)
  const parents = parent.filter(parentAnswered)
  const silent = [...zone, ...parent].filter((view) => 'failure' in view).map((view) => view.server)
  const allChildren = zone.length > 0 && children.length === zone.length
  const allParents = parent.length > 0 && parents.length === parent.length
  const [firstChild] = children
  const [firstParent] = parents
  return {
    silent,
    usable:
      allChildren && firstChild
        ? usableAt(firstChild).filter((ds) => children.every((view) => includesDs(usableAt(view), ds)))
        : [],
    shown: distinct(children.flatMap((view) => view.keys.map((key) => key.ds))),
    unsigned: allChildren && children.every((view) => view.keys.length === 0 && view.signedBy.length === 0),
    ds:
      allParents && firstParent && parents.every((view) => sameDs(view.ds, firstParent.ds))
        ? firstParent.ds
        : null,
    anyDs: distinct(parents.flatMap((view) => view.ds)),
    dsTtlSeconds: Math.max(0, ...parents.map((view) => view.ttlSeconds)),
  }
}

export function includesDs(set: readonly Ds[], wanted: Ds): boolean {
  return set.some((ds) => dsKey(ds) === dsKey(wanted))
}

/** Whether two DS sets point to the same keys, in whatever order. */
export function sameDs(a: readonly Ds[], b: readonly Ds[]): boolean {
  return a.every((ds) => includesDs(b, ds)) && b.every((ds) => includesDs(a, ds))
}

function usableAt(view: Answered<ChildView>): readonly Ds[] {
  return view.keys
    .filter((key) => key.signsKeys && view.signedBy.includes(key.ds.algorithm))
    .map((key) => key.ds)
}

function distinct(set: readonly Ds[]): readonly Ds[] {
  return set.filter((ds, i) => !includesDs(set.slice(0, i), ds))
}

function dsKey({ keyTag, algorithm, digestType, digest }: Ds): string {
  return `${keyTag}/${algorithm}/${digestType}/${digest.toLowerCase()}`
}

function childAnswered(view: ChildView): view is Answered<ChildView> {
  return !('failure' in view)
}

function parentAnswered(view: ParentView): view is Answered<ParentView> {
  return !('failure' in view)
}
