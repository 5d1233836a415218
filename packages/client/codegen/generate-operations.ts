import {
  buildSchema,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  stripIgnoredCharacters,
  type TypeNode,
  typeFromAST,
  validate,
} from 'graphql'
import { describe, indent, listText, propertiesText } from './type-text.ts'

const HEADER = `// Made from docs/api/schema.graphql and operations.graphql, which are to be edited instead:
// npm run api-files
`

/** How scalars look in TypeScript. A member is a bigint exactly if its name ends in \`Msat\`: the client relies on it. */
const SCALARS: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  Int: 'number',
  Boolean: 'boolean',
  Msat: 'bigint',
  Milliseconds: 'number',
  Hash: 'string',
  PublicKey: 'string',
}

/**
 * TypeScript for GraphQL operations: the types of what they take and answer, and their documents without white space.
 * An operation has one root field, and no field has an alias. Throws when they do not fit the schema.
 */
export function generateOperations(schemaText: string, operationsText: string): string {
  const schema = buildSchema(schemaText)
  const document = parse(operationsText)
  const errors = validate(schema, document)
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('\n'))
  const used = new Map<string, GraphQLNamedType>()
  const use = (type: GraphQLNamedType) => used.set(type.name, type)
  const fragments = definitions(document, 'FragmentDefinition')
  const operations = definitions(document, 'OperationDefinition')
  const fragmentTypes = fragments.map((fragment) => fragmentText(schema, fragment, use))
  const operationTypes = operations.map((operation) => operationText(schema, operation, use))
  return [
    HEADER,
    ...fragmentTypes,
    `/** What each operation takes and answers. */\nexport type Operations = ${propertiesText(operationTypes)}\n`,
    ...inputAndEnumTexts(used),
    ...fragments.map((fragment) => `const ${constantOf(fragment.name.value)} = ${minified(fragment)}\n`),
    namesText(operations),
    documentsText(operations, fragments),
  ].join('\n')
}

/** The root fields of the schema that no operation asks. */
export function missingOperations(schemaText: string, operationsText: string): string[] {
  const schema = buildSchema(schemaText)
  const asked = definitions(parse(operationsText), 'OperationDefinition').flatMap(({ selectionSet }) =>
    selectionSet.selections.map((one) => (one.kind === 'Field' ? one.name.value : '')),
  )
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
    .flatMap((root) => Object.keys(root?.getFields() ?? {}))
    .filter((field) => !asked.includes(field))
}

type Use = (type: GraphQLNamedType) => void

function fragmentText(schema: GraphQLSchema, fragment: FragmentDefinitionNode, use: Use): string {
  const type = schema.getType(fragment.typeCondition.name.value)
  if (!isObjectType(type)) throw new Error(`${fragment.name.value} is not of an object type`)
  return `${describe(type.description)}export type ${fragment.name.value} = ${selectionText(type, fragment.selectionSet, use)}\n`
}

function operationText(schema: GraphQLSchema, operation: OperationDefinitionNode, use: Use): string {
  const root = schema.getRootType(operation.operation)
  const [selection, ...more] = operation.selectionSet.selections
  const name = operation.name?.value
  const field = selection?.kind === 'Field' ? root?.getFields()[selection.name.value] : undefined
  if (!field || selection?.kind !== 'Field' || more.length > 0)
    throw new Error(`${name} has not one root field`)
  const variables = (operation.variableDefinitions ?? []).map(({ variable, type, defaultValue }) => {
    const arg = field.args.find((one) => one.name === variable.name.value)
    const description = arg?.description
    return inputMember(
      { name: variable.name.value, description, type: typeOf(schema, type), defaultValue },
      use,
    )
  })
  const result = outputText(field.type, selection.selectionSet, use)
  const asked = [`readonly variables: ${propertiesText(variables)}`, `readonly result: ${result}`]
  return `${describe(field.description)}readonly ${name}: ${propertiesText(asked)}`
}

function typeOf(schema: GraphQLSchema, node: TypeNode): GraphQLInputType {
  const type = typeFromAST(schema, node)
  if (!isInputType(type)) throw new Error(`${print(node)} is no type of a variable`)
  return type
}

/** What is selected of an object: its fields, and the fragments whole. */
function selectionText(type: GraphQLObjectType, { selections }: SelectionSetNode, use: Use): string {
  const members: string[] = []
  const fragments: string[] = []
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') throw new Error('inline fragments are not supported')
    if (selection.kind === 'FragmentSpread') {
      fragments.push(selection.name.value)
      continue
    }
    const field = type.getFields()[selection.name.value]
    if (!field || selection.alias) throw new Error(`${selection.name.value} has an alias, or is no field`)
    checkMsat(field.name, getNamedType(field.type))
    members.push(
      `${describe(field.description)}readonly ${field.name}: ${outputText(field.type, selection.selectionSet, use)}`,
    )
  }
  return [...fragments, ...(members.length > 0 ? [propertiesText(members)] : [])].join(' & ')
}

function outputText(type: GraphQLOutputType, selected: SelectionSetNode | undefined, use: Use): string {
  if (!isNonNullType(type)) return `${notNullText(type, selected, use)} | null`
  return notNullText(type.ofType, selected, use)
}

function notNullText(type: GraphQLOutputType, selected: SelectionSetNode | undefined, use: Use): string {
  if (isListType(type)) return listText(outputText(type.ofType, selected, use))
  if (isObjectType(type) && selected) return selectionText(type, selected, use)
  return leafText(getNamedType(type), use)
}

type InputMember = {
  readonly name: string
  readonly description?: string | null | undefined
  readonly type: GraphQLInputType
  readonly defaultValue?: unknown
}

function inputMember({ name, description, type, defaultValue }: InputMember, use: Use): string {
  checkMsat(name, getNamedType(type))
  const isOptional = !isNonNullType(type) || defaultValue !== undefined
  return `${describe(description)}readonly ${name}${isOptional ? '?' : ''}: ${inputText(type, use)}`
}

function inputText(type: GraphQLInputType, use: Use): string {
  if (!isNonNullType(type)) return `${notNullInputText(type, use)} | null`
  return notNullInputText(type.ofType, use)
}

function notNullInputText(type: GraphQLInputType, use: Use): string {
  if (isListType(type)) return listText(inputText(type.ofType, use))
  return leafText(getNamedType(type), use)
}

function leafText(type: GraphQLNamedType, use: Use): string {
  if (isScalarType(type)) {
    const text = SCALARS[type.name]
    if (text === undefined) throw new Error(`the scalar ${type.name} is unknown`)
    return text
  }
  use(type)
  return type.name
}

function checkMsat(name: string, type: GraphQLNamedType): void {
  if (name.endsWith('Msat') !== (type.name === 'Msat'))
    throw new Error(`${name} is ${type.name}: Msat is what names end in whose type it is`)
}

/** Inputs lead to further ones: it grows while it is walked. */
function inputAndEnumTexts(used: Map<string, GraphQLNamedType>): string[] {
  const texts = new Map<string, string>()
  for (const [name, type] of used) {
    if (isEnumType(type)) texts.set(name, enumText(type))
    if (isInputObjectType(type)) {
      const members = Object.values(type.getFields()).map((field) =>
        inputMember(field, (one) => used.set(one.name, one)),
      )
      texts.set(name, `${describe(type.description)}export type ${name} = ${propertiesText(members)}\n`)
    }
  }
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
}

function enumText(type: Extract<GraphQLNamedType, { getValues(): unknown }>): string {
  const values = type
    .getValues()
    .map(({ name, description }) => indent(`${describe(description)}| '${name}'`))
    .join('\n')
  return `${describe(type.description)}export type ${type.name} =\n${values}\n`
}

function namesText(operations: readonly OperationDefinitionNode[]): string {
  const ofKind = (kind: string) =>
    operations.filter(({ operation }) => operation === kind).map(({ name }) => `'${name?.value}'`)
  return [
    `export type QueryName = ${ofKind('query').join(' | ') || 'never'}`,
    `export type SubscriptionName = ${ofKind('subscription').join(' | ') || 'never'}`,
    `export type MutationName = (typeof MUTATIONS)[number]\n`,
    `export const MUTATIONS = [${ofKind('mutation').join(', ')}] as const\n`,
  ].join('\n')
}

function documentsText(
  operations: readonly OperationDefinitionNode[],
  fragments: readonly FragmentDefinitionNode[],
): string {
  const lines = operations.map((operation) => {
    const names = reachable(operation, fragments).map((name) => ` + ${constantOf(name)}`)
    return `${operation.name?.value}: ${minified(operation)}${names.join('')},`
  })
  return `export const DOCUMENTS: Readonly<Record<keyof Operations, string>> = {\n${lines.map(indent).join('\n')}\n}\n`
}

/** The fragments that an operation spreads, and those that these spread, each once. */
function reachable(
  from: OperationDefinitionNode | FragmentDefinitionNode,
  fragments: readonly FragmentDefinitionNode[],
  found: string[] = [],
): string[] {
  for (const [, name = ''] of print(from).matchAll(/\.\.\.(\w+)/g)) {
    const fragment = fragments.find((one) => one.name.value === name)
    if (!fragment || found.includes(name)) continue
    found.push(name)
    reachable(fragment, fragments, found)
  }
  return found
}

function minified(node: OperationDefinitionNode | FragmentDefinitionNode): string {
  return `'${stripIgnoredCharacters(print(node)).replace(/'/g, "\\'")}'`
}

function constantOf(fragment: string): string {
  return fragment.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
}

function definitions<Kind extends 'FragmentDefinition' | 'OperationDefinition'>(
  document: DocumentNode,
  kind: Kind,
) {
  return document.definitions.filter(
    (one): one is Extract<DocumentNode['definitions'][number], { kind: Kind }> => one.kind === kind,
  )
}
