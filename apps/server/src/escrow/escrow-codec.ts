import type { JsonObject } from '@holdfast/core'
import type { EscrowCommand, EscrowState } from '@holdfast/core/escrow/escrow-states'
import { moneyFromJson, moneyToJson, moneyToText } from '../platform/money-json.ts'

/** Escrows as JSON, in the table and in the journal. */
export const encodeEscrow = (value: EscrowState | EscrowCommand): JsonObject => moneyToJson(value)

export const stringifyEscrow = (value: EscrowState | EscrowCommand): string => moneyToText(value)

export const decodeEscrow = (json: JsonObject): EscrowState => moneyFromJson(json)

export const decodeCommand = (json: JsonObject): EscrowCommand => moneyFromJson(json)
