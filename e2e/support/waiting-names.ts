import type { NameIn, NameState } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { keepDue } from '@holdfast/server/names/reconcile-store'
import type { Ignorable } from './simulated-edges.ts'
import { OWNER, RIVAL, readStates, type Story, type Told, until, type WaitingLife } from './waiting-life.ts'

/** Names that are renewed, changed, given away, suspended and resumed for ever. */
const SHOPS = ['shop-one', 'shop-two', 'shop-three'] as const
/** The watcher looks at every live name within six hours, and twice before it says that something is wrong. */
const BETWEEN_LOOKS_MS = 3_600_000
const DAY_MS = 24 * 3_600_000

/** What brings some name to a step. */
export const NAME_STORIES = {
  /** A live name's offer is about to expire, and its node makes another. */
  renewal: async (life) => told(await quietShop(life)),
  /** The same, but nobody can resolve what is published. */
  'vain renewal': async (life) => {
    const shop = await quietShop(life)
    return told(shop, () => life.edges.ignore('resolve-name', shop.user))
  },
  /** The same, but nobody hears that the node makes it. */
  'offerless renewal': async (life) => {
    const shop = await quietShop(life)
    return told(shop, () => life.edges.ignore('create', shop.user))
  },
  /** A live name's record is gone, by whoever's hand, and the watcher finds out. */
  'lost record': async (life) => {
    const shop = await quietShop(life)
    return told(shop, () => {
      life.clock.longestMs = BETWEEN_LOOKS_MS
      life.edges.lose(shop)
    })
  },
  /** The same, but the reconciler is first. */
  'missing record': async (life) => {
    const shop = await quietShop(life)
    await makeZoneDue(life)
    return told(shop, () => {
      life.edges.lose(shop)
      life.order({ kind: 'reconcile' })
    })
  },
  /** The record of a suspended name is there again. */
  'left record': async (life) => {
    const shop = await suspended(life, await quietShop(life))
    life.edges.place(recordName(shop), recordValue(shop.keep!.offer))
    await makeZoneDue(life)
    return told(shop, () => life.order({ kind: 'reconcile' }))
  },
  comparison: async (life) => {
    await makeZoneDue(life)
    return { begin: () => life.order({ kind: 'reconcile' }) }
  },
  /** An offer that was brought expires. */
  expiry: async (life, tag) => {
    const user = `brought-${tag}`
    const offer = await life.edges.bring(user, life.clock.now())
    life.order({ kind: 'register', owner: OWNER, user, offer })
    return told(await nameIs(life, (name) => name.user === user && name.phase === 'active'))
  },
  rotation: async (life) => rotation(life, await quietShop(life)),
  transfer: async (life) => {
    const { shop, heir: by } = await proposed(life)
    return told(shop, () => life.order({ kind: 'accept-transfer', by, user: shop.user }))
  },
  'vain transfer': async (life) => {
    const { shop, heir: by } = await proposed(life)
    life.edges.ignore('resolve-name', shop.user)
    return told(shop, () => life.order({ kind: 'accept-transfer', by, user: shop.user }))
  },
  /** The offer of a suspended name has expired, and its owner's node makes another. */
  resumption: async (life) => resumption(life, await expiredShop(life)),
  /** The same, but nobody can resolve what is published. */
  'vain resumption': async (life) => {
    const shop = await expiredShop(life)
    life.edges.ignore('resolve-name', shop.user)
    return resumption(life, shop)
  },
  /** The same, but nobody hears that the node makes it. */
  'offerless resumption': async (life) => told(await offerlessShop(life)),
  /** … and once more, when it is suspended again. */
  'second resumption': async (life) => {
    const { id } = await offerlessShop(life)
    life.clock.stands = false
    const shop = await nameIs(life, (name) => name.id === id && name.phase === 'suspended')
    life.edges.answerAll()
    return resumption(life, shop)
  },
  /** An operator suspends the name while its node is to make another offer. */
  'resumption called off': async (life) => {
    const shop = await offerlessShop(life)
    return told(shop, () => life.order({ kind: 'suspend', user: shop.user }))
  },
  'resumption beside a stranger': async (life) => {
    const shop = await expiredShop(life)
    life.edges.occupy(shop)
    return resumption(life, shop)
  },
  'rotation beside a stranger': async (life) => {
    const shop = await quietShop(life)
    life.edges.occupy(shop)
    return rotation(life, shop)
  },
  'registration beside a stranger': async (life, tag) => {
    const name = await offerlessName(life, tag)
    return told(name, () => {
      life.edges.occupy(name)
      life.edges.answerAll()
    })
  },
  'vain registration': async (life, tag) => {
    const name = await offerlessName(life, tag)
    return told(name, () => {
      life.edges.answerAll()
      life.edges.ignore('resolve-name', name.user)
    })
  },
  'offerless registration': async (life, tag) => told(await offerlessName(life, tag)),
  /** Its owner gives up a name that is suspended. */
  'letting go': async (life, tag) => {
    const user = `name-${tag}`
    life.order({ kind: 'register', owner: OWNER, user })
    const name = await suspended(life, await quiet(life, (known) => known.user === user))
    return told(name, () => life.order({ kind: 'release', by: OWNER, user }))
  },
  /** An operator suspends a name while its node is to make another offer. */
  'overtaken rotation': async (life) => {
    const shop = await quietShop(life)
    life.edges.ignore('create', shop.user)
    life.order({ kind: 'change-offer', by: shop.owner, user: shop.user })
    await nameIs(life, ({ id, phase }) => id === shop.id && phase === 'requested')
    return told(shop, () => life.order({ kind: 'suspend', user: shop.user }))
  },
  /** Its owner gives up a name that is being suspended. */
  'overtaken suspension': async (life, tag) => {
    const user = `name-${tag}`
    life.order({ kind: 'register', owner: OWNER, user })
    const name = await quiet(life, (known) => known.user === user)
    life.edges.ignore('withdraw', user)
    life.order({ kind: 'suspend', user })
    await nameIs(life, ({ id, phase }) => id === name.id && phase === 'withdrawing')
    return told(name, () => life.order({ kind: 'release', by: OWNER, user }))
  },
  'publication unheard': unheardRotation('publish'),
  'look unheard': unheardRotation('authoritative'),
  'disabling unheard': unheardRotation('disable'),
  'withdrawal unheard': async (life) => {
    const shop = await quietShop(life)
    life.edges.ignore('withdraw', shop.user)
    return told(shop, () => life.order({ kind: 'suspend', user: shop.user }))
  },
} satisfies Record<string, Story>

export async function openShops(life: WaitingLife): Promise<void> {
  for (const user of SHOPS) life.order({ kind: 'register', owner: OWNER, user })
  for (const shop of SHOPS) await nameIs(life, ({ user, phase }) => user === shop && phase === 'active')
}

/** Shops are live again; what else earlier stories have left would be renewed for ever, and is given up. */
export async function endNames(life: WaitingLife, names: readonly NameState[]): Promise<void> {
  const records = life.edges.records()
  const left = names.filter((name) => name.phase === 'suspended' && records.has(recordName(name)))
  if (left.length > 0) {
    await makeZoneDue(life)
    life.order({ kind: 'reconcile' })
  }
  for (const name of names) {
    const { user, owner: by, phase } = name
    if (isShop(name) && phase === 'suspended' && !left.includes(name)) life.order({ kind: 'resume', user })
    const isForEver = phase === 'suspended' || (phase === 'active' && name.live.source === 'node')
    if (!isShop(name) && isForEver) life.order({ kind: 'release', by, user })
  }
}

export function isShop({ user }: { readonly user: string }): boolean {
  return SHOPS.some((shop) => shop === user)
}

function told({ id }: NameState, begin: () => void = () => undefined): Told {
  return { entityId: id, begin }
}

function rotation(life: WaitingLife, { id, owner: by, user }: NameState): Told {
  return { entityId: id, begin: () => life.order({ kind: 'change-offer', by, user }) }
}

/** What is asked of the world happens, and nobody hears of it. */
function unheardRotation(call: Ignorable): Story {
  return async (life) => {
    const shop = await quietShop(life)
    life.edges.ignore(call, shop.user)
    return rotation(life, shop)
  }
}

function resumption(life: WaitingLife, { id, user }: NameState): Told {
  return { entityId: id, begin: () => life.order({ kind: 'resume', user }) }
}

/** A shop of which nothing is to be done today; the clock stands. */
function quietShop(life: WaitingLife): Promise<NameIn<'active'>> {
  return quiet(life, isShop)
}

async function quiet(life: WaitingLife, is: (name: NameState) => boolean): Promise<NameIn<'active'>> {
  const isQuiet = (name: NameState): name is NameIn<'active'> =>
    is(name) &&
    name.phase === 'active' &&
    name.retiring.length === 0 &&
    name.cleaning === null &&
    (name.wakeAt ?? 0) > life.clock.now() + DAY_MS
  while (true) {
    await nameIs(life, isQuiet)
    await life.standStill()
    const found = (await readStates(life.database)).names.find(isQuiet)
    if (found) return found
    life.clock.stands = false
  }
}

async function suspended(life: WaitingLife, { id, user }: NameState): Promise<NameIn<'suspended'>> {
  life.order({ kind: 'suspend', user })
  return nameIs(life, (name) => name.id === id && name.phase === 'suspended')
}

/** Suspended for so long that its offer has expired. */
async function expiredShop(life: WaitingLife): Promise<NameIn<'suspended'>> {
  const shop = await suspended(life, await quietShop(life))
  const { clock } = life
  clock.awaitedAt = shop.keep!.expiresAt!
  clock.stands = false
  await until(life, () => clock.awaitedAt < clock.now() || undefined)
  await life.standStill()
  clock.awaitedAt = Number.POSITIVE_INFINITY
  return shop
}

/** A shop that is to be resumed, and is not heard of by its node; the clock stands. */
async function offerlessShop(life: WaitingLife): Promise<NameIn<'requested'>> {
  const { id, user } = await expiredShop(life)
  life.edges.ignore('create', user)
  life.order({ kind: 'resume', user })
  return nameIs(life, (name) => name.id === id && name.phase === 'requested' && name.retiring.length === 0)
}

/** A new name whose node makes an offer that nobody hears of; the clock stands. */
async function offerlessName(life: WaitingLife, tag: string): Promise<NameIn<'requested'>> {
  const user = `name-${tag}`
  await life.standStill()
  life.edges.ignore('create', user)
  life.order({ kind: 'register', owner: OWNER, user })
  return nameIs(life, (name) => name.user === user && name.phase === 'requested')
}

async function proposed(life: WaitingLife): Promise<{ shop: NameState; heir: string }> {
  const shop = await quietShop(life)
  const { owner: by, user } = shop
  const heir = by === OWNER ? RIVAL : OWNER
  life.order({ kind: 'propose-transfer', by, user, to: heir })
  await life.standStill()
  return { shop, heir }
}

/** The reconciler looks at a zone once a day, or when it is asked to. */
async function makeZoneDue({ database, edges, clock }: WaitingLife): Promise<void> {
  await keepDue(database.db, [edges.domain], { now: clock.now(), notSince: clock.now() })
}

function nameIs<N extends NameState>(
  life: WaitingLife,
  is: ((name: NameState) => name is N) | ((name: NameState) => boolean),
): Promise<N> {
  return until(life, ({ names }) => names.find(is) as N | undefined)
}
