import { lexicographicSortSchema, printSchema } from 'graphql'
import { builder } from './builder.ts'
import './scalars.ts'
import './task-queries.ts'
import './task-mutations.ts'
import './milestone-mutations.ts'

builder.queryType({})
builder.mutationType({
  description: 'One in a request, signed, with an Idempotency-Key.',
})

/** Of /graphql. */
export const escrowSchema = builder.toSchema()

/** As it stands in docs/api/schema.graphql. */
export function schemaText(): string {
  return `${printSchema(lexicographicSortSchema(escrowSchema))}\n`
}
