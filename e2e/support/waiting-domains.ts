import type { DomainState } from '@holdfast/core/domains/domain-states'
import { challengeName, challengeValue } from '@holdfast/server/domains/domain-challenge'
import type { SimulatedEdges } from './simulated-edges.ts'
import { OWNER, RIVAL, type Story, until, type WaitingLife } from './waiting-life.ts'

/** What brings some merchant's domain to a step. */
export const DOMAIN_STORIES = {
  claim: async (life, tag) => ({
    begin: () => life.order({ kind: 'claim', owner: OWNER, domain: `m-${tag}.test` }),
  }),
  /** A merchant has claimed a domain and shows nothing. */
  silence: async (life, tag) => ({ entityId: (await claimed(life, OWNER, tag)).id, begin: () => undefined }),
  /** … and asks for a look at once. */
  impatience: async (life, tag) => {
    const { id } = await claimed(life, OWNER, tag)
    return { entityId: id, begin: () => life.order({ kind: 'check-now', owner: OWNER, id }) }
  },
  /** … shows the challenge. */
  proof: async (life, tag) => {
    const state = await claimed(life, OWNER, tag)
    return { entityId: state.id, begin: () => show(life.edges, state) }
  },
  /** … has proven it, and takes the challenge away. */
  lapse: async (life, tag) => {
    const { id } = await proven(life, tag)
    return { entityId: id, begin: () => life.edges.shown.clear() }
  },
  /** … and shows it again. */
  return: async (life, tag) => {
    const state = await lapsed(life, tag)
    return { entityId: state.id, begin: () => show(life.edges, state) }
  },
  'giving up': async (life, tag) => {
    const { id } = await proven(life, tag)
    return { entityId: id, begin: () => life.order({ kind: 'give-up', owner: OWNER, id }) }
  },
  /** Somebody else proves a domain whose first owner shows nothing any more. */
  rival: async (life, tag) => {
    const { id } = await lapsed(life, tag)
    const rival = await claimed(life, RIVAL, tag)
    return { entityId: id, begin: () => show(life.edges, rival) }
  },
} satisfies Record<string, Story>

/** Domains are looked at every day for ever: those of earlier stories end. */
export function endDomains(life: WaitingLife, domains: readonly DomainState[]): void {
  for (const { id, owner, phase } of domains)
    if (phase !== 'ended') life.order({ kind: 'give-up', owner, id })
}

async function claimed(life: WaitingLife, owner: string, tag: string): Promise<DomainState> {
  const domain = `m-${tag}.test`
  life.order({ kind: 'claim', owner, domain })
  return domainIs(
    life,
    (state) =>
      state.domain === domain && state.owner === owner && state.phase === 'pending' && state.check.tries > 0,
  )
}

async function proven(life: WaitingLife, tag: string): Promise<DomainState> {
  const { id, ...state } = await claimed(life, OWNER, tag)
  show(life.edges, state)
  return domainIs(life, (known) => known.id === id && known.phase === 'active')
}

async function lapsed(life: WaitingLife, tag: string): Promise<DomainState> {
  const { id } = await proven(life, tag)
  life.edges.shown.clear()
  return domainIs(life, (known) => known.id === id && known.phase === 'lapsed')
}

function show({ shown }: SimulatedEdges, state: Pick<DomainState, 'domain' | 'challenge'>): void {
  const name = challengeName(state)
  shown.set(name, new Set(shown.get(name)).add(challengeValue(state)))
}

function domainIs(life: WaitingLife, is: (state: DomainState) => boolean): Promise<DomainState> {
  return until(life, ({ domains }) => domains.find(is))
}
