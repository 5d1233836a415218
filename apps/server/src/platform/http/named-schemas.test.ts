import { expect, test } from 'vitest'
import { nameSchemas } from './named-schemas.ts'

const thing = { type: 'object', title: 'Thing', properties: { a: { type: 'string' } } }
const { title: _, ...untitled } = thing
const paths = (...schemas: object[]) => ({ openapi: '3.1.0', paths: { '/x': { get: schemas } } }) as never

test('a schema with a title stands once, and what is said of a use stays there', () => {
  const ref = { $ref: '#/components/schemas/Thing' }
  const many = { type: 'object', title: 'Many', properties: { things: { type: 'array', items: thing } } }
  expect(nameSchemas(paths(many, { ...thing, description: 'This one.' }))).toEqual({
    openapi: '3.1.0',
    components: {
      schemas: {
        Many: { type: 'object', properties: { things: { type: 'array', items: ref } } },
        Thing: untitled,
      },
    },
    paths: { '/x': { get: [{ $ref: '#/components/schemas/Many' }, { ...ref, description: 'This one.' }] } },
  })
})

test('a member that is called title makes no schema', () => {
  const problem = { type: 'object', properties: { title: { type: 'string' } } }
  expect(nameSchemas(paths(problem)).paths).toEqual({ '/x': { get: [problem] } })
})

test('two schemas of one title are a mistake', () => {
  expect(() => nameSchemas(paths(thing, { ...thing, properties: {} }))).toThrow('title Thing')
})
