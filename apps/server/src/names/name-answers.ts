import type { NameState } from '@holdfast/core/names/name-states'
import { z } from 'zod'
import { jobJson } from './name-json.ts'

/** What every request has in common that brings or makes an offer. */
export const offerField = z
  .string()
  .max(8_000)
  .optional()
  .describe('A BOLT 12 offer made on your own device. Absent: your connected node makes one.')

export const OFFER_REFUSALS = [
  'NODE_NOT_CONNECTED',
  'NODE_OFFLINE',
  'NODE_CANNOT',
  'OFFER_INVALID',
  'OFFER_EXPIRED',
  'OFFER_EXPIRES_SOON',
  'OFFER_FOREIGN_CHAIN',
  'OFFER_UNSUPPORTED',
  'OFFER_TOO_LONG',
] as const

/** Accepted: the job in the answer follows what was begun. */
export function followed(state: NameState) {
  const body = jobJson({ name: state, job: state.job })
  return { status: 202, headers: { location: `/v1/jobs/${body.id}` }, body }
}
