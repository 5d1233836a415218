import { lexicographicSortSchema, printSchema } from 'graphql'
import { builder } from './builder.ts'
import './scalars.ts'
import './task-queries.ts'
import './task-mutations.ts'
import './milestone-mutations.ts'
import './subscriptions.ts'

builder.queryType({})
builder.mutationType({
  description: 'One in a request, signed, with an Idempotency-Key.',
})
builder.subscriptionType({
  description: 'Over WebSocket (graphql-transport-ws) or as Server-Sent Events.',
})

/** Of /graphql. */
export const escrowSchema = builder.toSchema()

/** As it stands in docs/api/schema.graphql. */
export function schemaText(): string {
  return `${printSchema(lexicographicSortSchema(escrowSchema))}\n`
}
