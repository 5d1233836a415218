export type { CallOptions, MutationOptions } from './call-options.ts'
export { type Clock, systemClock } from './clock.ts'
export type { EscrowClient, MilestoneUpdate, TaskUpdate } from './escrow/escrow-client.ts'
export type { WatchOptions } from './escrow/follow-updates.ts'
export type * from './escrow/operations.generated.ts'
export type { FundingEnd, FundingWatch, WalletPayment } from './escrow/watch-funding.ts'
export { type InvoiceTerms, invoiceTerms } from './escrow/worker-invoice.ts'
export {
  keptWorkerSecret,
  makeWorkerSecret,
  paymentHashOf,
  type WorkerSecret,
} from './escrow/worker-secret.ts'
export {
  type ClientOptions,
  createHoldfastClient,
  type HoldfastClient,
  type ZoneChange,
} from './holdfast-client.ts'
export { type ClientErrorCode, HoldfastError } from './holdfast-error.ts'
export type { AddressResolution, Resolution } from './resolution.ts'
export type {
  AddressInvoice,
  AddressInvoices,
  Failure,
  Job,
  Name,
  NameRequest,
  Names,
  Payment,
  PaymentRequest,
  Zone,
} from './rest.generated.ts'
export { type EventTemplate, type NostrEvent, type Signer, secretKeySigner } from './signer.ts'
export type { Fetch } from './transport.ts'
export type { WaitOptions } from './wait-until-ended.ts'
