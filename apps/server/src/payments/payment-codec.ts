import type { JsonObject } from '@holdfast/core'
import type { PaymentCommand, PaymentState } from '@holdfast/core/payments/payment-states'
import { moneyFromJson, moneyToJson, moneyToText } from '../platform/money-json.ts'

/** Payments as JSON, in the table and in the journal. */
export const encodePayment = (value: PaymentState | PaymentCommand): JsonObject => moneyToJson(value)

export const stringifyPayment = (value: PaymentState | PaymentCommand): string => moneyToText(value)

export const decodeState = (json: JsonObject): PaymentState => moneyFromJson(json)

export const decodeCommand = (json: JsonObject): PaymentCommand => moneyFromJson(json)
