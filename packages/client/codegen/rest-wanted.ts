import type { Wanted } from './generate-rest.ts'

/** What the client reads and sends over REST. What these refer to comes with them. */
export const REST_WANTED: Wanted = {
  Session: 'schema',
  Job: 'schema',
  Name: 'schema',
  Names: { answer: 'GET /v1/names', status: 200 },
  NameRequest: { body: 'POST /v1/names' },
  Zone: 'schema',
  Zones: { answer: 'GET /v1/zones', status: 200 },
  ResolvedName: 'schema',
  Payment: 'schema',
  PaymentRequest: { body: 'POST /v1/payments' },
  AddressInvoice: 'schema',
  AddressInvoices: { answer: 'GET /v1/address-invoices', status: 200 },
}
