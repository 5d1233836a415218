export { type Clock, systemClock } from './clock.ts'
export {
  type CallOptions,
  type ClientOptions,
  createHoldfastClient,
  type HoldfastClient,
  type MutationOptions,
  type NameRequest,
  type PaymentRequest,
  type ZoneChange,
} from './holdfast-client.ts'
export { type ClientErrorCode, HoldfastError } from './holdfast-error.ts'
export { type Signer, secretKeySigner } from './signer.ts'
export type { Fetch } from './transport.ts'
export type { WaitOptions } from './wait-until-ended.ts'
export type { AddressResolution, Failure, Job, Name, Names, Payment, Resolution, Zone } from './wire.ts'
