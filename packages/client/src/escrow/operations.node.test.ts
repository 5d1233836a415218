import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generateOperations, missingOperations } from '../../codegen/generate-operations.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')
const schema = () => read('../../../../docs/api/schema.graphql')
const operations = () => read('operations.graphql')

test('the operations were made from the published schema', async () => {
  await expect(generateOperations(schema(), operations())).toMatchFileSnapshot('operations.generated.ts')
})

test('everything that the schema offers can be asked', () => {
  const missing = missingOperations(schema(), operations())
  expect(missing, 'add them to operations.graphql, and to the client').toEqual([])
})

describe('the generator refuses', () => {
  const SCHEMA = `
    scalar Msat
    scalar Odd
    type Query { price(id: ID!): Price! amount: Msat! priceMsat: Int! odd: Odd! }
    type Price { id: ID! payoutMsat: Msat }`

  test.each([
    [
      'a field that is not there',
      'query price($id: ID!) { price(id: $id) { cost } }',
      'Cannot query field "cost"',
    ],
    [
      'two root fields',
      'query price($id: ID!) { price(id: $id) { id } priceMsat }',
      'has not one root field',
    ],
    ['an alias', 'query price($id: ID!) { price(id: $id) { key: id } }', 'has an alias'],
    ['an inline fragment', 'query price($id: ID!) { price(id: $id) { ... on Price { id } } }', 'inline'],
    ['a scalar that it does not know', 'query odd { odd }', 'Odd is unknown'],
  ])('%s', (_what, text, reason) => {
    expect(() => generateOperations(SCHEMA, text)).toThrow(reason)
  })

  test('an amount whose name does not say so: the client finds amounts by their names', () => {
    const schemaOf = (field: string) => `scalar Msat type Query { price: Price! } type Price { ${field} }`
    const ask = (name: string) => `query price { price { ${name} } }`
    expect(() => generateOperations(schemaOf('payout: Msat'), ask('payout'))).toThrow('names end in')
    expect(() => generateOperations(schemaOf('payoutMsat: Int'), ask('payoutMsat'))).toThrow('names end in')
  })
})
