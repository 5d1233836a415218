import { getIntrospectionQuery, parse, specifiedRules, validate } from 'graphql'
import { describe, expect, test } from 'vitest'
import { limitsRule, MAX_ALIASES } from './graphql-limits.ts'
import { escrowSchema } from './schema.ts'

const complaints = (query: string) =>
  validate(escrowSchema, parse(query), [...specifiedRules, limitsRule]).map(({ message }) => message)

const TASK = `id kind custody phase title description buyer worker arbiter role createdAt deadlineAt endedAt`
const MILESTONE = `index phase standing custody title payoutMsat feeMsat fundingMsat heldMsat
  deadlines { dueHeight guardianHeight deadlineHeight blocksLeft }`

describe('a query that a screen asks is let through', () => {
  test.each<[string, string]>([
    ['a task with all of its milestones', `{ task(id: "x") { ${TASK} milestones { ${MILESTONE} } } }`],
    [
      'a page of tasks with theirs',
      `{ tasks { edges { cursor node { ${TASK} milestones { ${MILESTONE} } } } pageInfo { endCursor } } }`,
    ],
    [
      'the longest page of tasks',
      `{ tasks(first: 100) { nodes { ${TASK} milestones { phase payoutMsat } } } }`,
    ],
    [
      'a whole journal',
      `{ task(id: "x") { changes(first: 100) { seq kind at milestone actor reason hash } } }`,
    ],
    ['introspection, as tools ask it', getIntrospectionQuery()],
    ['a few aliases', `{ a: quote(payoutMsat: "1") { feeMsat } b: quote(payoutMsat: "2") { feeMsat } }`],
    [
      'a fragment that is spread twice',
      `query { a: task(id: "x") { ...t } b: task(id: "y") { ...t } } fragment t on Task { id title }`,
    ],
    [
      'two mutations in a document, of which one is sent',
      'mutation a { publishTask(input: { taskId: "x" }) { replayed } } mutation b { cancelTask(input: { taskId: "x" }) { replayed } }',
    ],
  ])('%s', (_, query) => {
    expect(complaints(query)).toEqual([])
  })
})

describe('what costs too much is refused before anything of it is done', () => {
  const wide = `{ tasks(first: 100) { nodes { ${TASK} milestones { ${MILESTONE} } } } }`
  test.each<[string, string, RegExp]>([
    ['a long page of everything', wide, /^The query costs \d+; 20000 is the most/],
    [
      'a page whose length is a variable, by its longest',
      `query ($n: Int!) ${wide.replace('100', '$n')}`,
      /^The query costs/,
    ],
    ['a long page of the end', wide.replace('first', 'last'), /^The query costs/],
    ['a journal of every task', '{ tasks(first: 100) { nodes { changes { seq } } } }', /^The query costs/],
    [
      'the same in fragments',
      `{ ...a ...a } fragment a on Query { ...b ...b } fragment b on Query { tasks(first: 50) { nodes { milestones { ${MILESTONE} } } } }`,
      /^The query costs/,
    ],
    [
      'a page of more than a page',
      `{ tasks(first: 2000000000) { nodes { id milestones { phase } } } }`,
      /^The query costs/,
    ],
    [
      'aliases',
      `{ ${Array.from({ length: MAX_ALIASES + 1 }, (_, at) => `a${at}: quote(payoutMsat: "1") { feeMsat }`).join(' ')} }`,
      /^The query has 31 aliases; 30 is the most/,
    ],
    [
      'the names of types, which are values as others',
      `{ tasks(first: 100) { nodes { milestones { ${Array.from({ length: 11 }, (_, at) => `t${at}: __typename`).join(' ')} } } } }`,
      /^The query costs/,
    ],
    [
      'aliases of the names of types',
      `{ ${Array.from({ length: MAX_ALIASES + 1 }, (_, at) => `t${at}: __typename`).join(' ')} }`,
      /^The query has 31 aliases/,
    ],
    [
      'the schema, twice',
      '{ a: __schema { types { name } } b: __schema { types { name } } }',
      /^The schema is asked for once/,
    ],
    [
      'the schema and a type',
      '{ __schema { types { name } } __type(name: "Task") { name } }',
      /^The schema is asked for once/,
    ],
    [
      'lists of the schema, twice by an alias',
      '{ __schema { types { a: fields { name } fields { name } } } }',
      /^The schema is asked for once/,
    ],
    [
      'the schema twice, by a fragment',
      '{ ...s ...s } fragment s on Query { __schema { types { name } } }',
      /^The schema is asked for once/,
    ],
    [
      'lists of the schema within each other',
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
      /Maximum introspection depth/,
    ],
    [
      'two mutations',
      'mutation { publishTask(input: { taskId: "x" }) { replayed } cancelTask(input: { taskId: "x" }) { replayed } }',
      /^Exactly one mutation/,
    ],
    [
      'the same mutation twice',
      'mutation { a: publishTask(input: { taskId: "x" }) { replayed } b: publishTask(input: { taskId: "y" }) { replayed } }',
      /^Exactly one mutation/,
    ],
    [
      'two mutations, one in a fragment within a fragment',
      `mutation { ...a } fragment a on Mutation { ...b publishTask(input: { taskId: "x" }) { replayed } }
       fragment b on Mutation { ... on Mutation { cancelTask(input: { taskId: "x" }) { replayed } } }`,
      /^Exactly one mutation/,
    ],
    [
      'a cycle of fragments',
      '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }',
      /Cannot spread fragment/,
    ],
  ])('%s', (_, query, complaint) => {
    expect(complaints(query)).toContainEqual(expect.stringMatching(complaint))
  })

  test('depth: of a schema that has any', () => {
    const deep = (levels: number): string => (levels === 0 ? 'id' : `task { ${deep(levels - 1)} }`)
    const query = `mutation { publishTask(input: { taskId: "x" }) { ${deep(9)} } }`
    expect(complaints(query)).toContainEqual('The query is 11 fields deep; 10 is the most.')
  })
})
