import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generateRest, type Wanted } from '../codegen/generate-rest.ts'
import { REST_WANTED } from '../codegen/rest-wanted.ts'

const document = () => readFileSync(join(import.meta.dirname, '../../../docs/api/openapi.json'), 'utf8')

test('what goes over REST was made from the published document; else run `npm run api-files`', async () => {
  await expect(generateRest(document(), REST_WANTED)).toMatchFileSnapshot('rest.generated.ts')
})

describe('the generator', () => {
  const documentOf = (properties: object, required: string[] = []) =>
    JSON.stringify({
      components: { schemas: { Thing: { type: 'object', properties, required } } },
      paths: {},
    })
  const made = (properties: object, required?: string[], wanted: Wanted = { Thing: 'schema' }) =>
    generateRest(documentOf(properties, required), wanted)

  test.each<[string, object, string, string]>([
    ['what may be null', { a: { type: ['string', 'null'] } }, 'a: string | null', 'nullable(o.a, text)'],
    [
      'an object that may be null',
      { a: { anyOf: [{ type: 'object', properties: {} }, { type: 'null' }] } },
      'a: Record<string, never> | null',
      'nullable(o.a, object(',
    ],
    [
      'a list of amounts’ owners',
      {
        a: {
          type: 'array',
          items: { type: 'object', properties: { feeMsat: { type: 'string' } }, required: ['feeMsat'] },
        },
      },
      'feeMsat: bigint',
      'feeMsat: msat(o.feeMsat)',
    ],
    ['what refers to itself', { a: { $ref: '#/components/schemas/Thing' } }, 'a: Thing', 'readThing(o.a)'],
    [
      'a set of words that may grow',
      { a: { type: 'string', enum: ['x', 'y'] } },
      'One of `x`, `y`; a newer server may know more. */\n  readonly a: string',
      'text(o.a)',
    ],
  ])('makes %s', (_what, properties, type, reader) => {
    const text = made(properties, Object.keys(properties))
    expect(text).toContain(type)
    expect(text).toContain(reader)
  })

  test.each<[string, object, string]>([
    ['an amount that is a number', { feeMsat: { type: 'integer' } }, 'Thing.feeMsat is no amount'],
    ['a choice', { a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } }, 'Thing.a'],
    ['a schema that is not there', { a: { $ref: '#/components/schemas/Other' } }, 'no schema Other'],
  ])('refuses %s', (_what, properties, reason) => {
    expect(() => made(properties)).toThrow(reason)
  })

  test.each<[string, Wanted, string]>([
    ['an operation that is not there', { Asked: { body: 'POST /v1/asks' } }, 'POST /v1/asks'],
    ['a schema that is not there', { Other: 'schema' }, 'no schema Other'],
  ])('refuses %s', (_what, wanted, reason) => {
    expect(() => made({}, [], wanted)).toThrow(reason)
  })
})
