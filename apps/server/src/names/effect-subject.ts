import type { EffectSubject } from '@holdfast/core/names/name-commands'
import { z } from 'zod'

const serial = z.number().int()
const no = z.number().int()
const owner = z.string()
const offer = z.string()
const offers = z.array(offer).readonly()

/** What the job of each effect carries besides the name's id. */
export const subjects = {
  'make-offer': z.object({ serial, no, owner }),
  'publish-record': z.object({ serial, offer, replaces: offers }),
  'check-authoritative': z.object({ serial, offer }),
  'validate-chain': z.object({ serial, offer }),
  'settle-record': z.object({
    serial,
    wanted: offer.nullable(),
    unwanted: offers,
    strays: offers.optional(),
  }),
  'disable-offer': z.object({ serial, no, owner }),
} satisfies Record<EffectSubject['kind'], z.ZodType>
