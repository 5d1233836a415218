import { describe, listText, propertiesText } from './type-text.ts'

const HEADER = `// Made from docs/api/openapi.json by packages/client/codegen, which are to be edited instead: npm run api-files
`

/**
 * What the client reads and sends, by the name that it has here: a schema of the document, or what an operation takes or
 * answers.
 */
export type Wanted = Readonly<
  Record<string, { readonly answer: string; readonly status: number } | { readonly body: string } | 'schema'>
>

/**
 * The sets of words on whose members the client itself decides; an answer with another word is refused. All other sets
 * are texts: a newer server may know more words than this client.
 */
const CLOSED: readonly string[] = [
  'Job.state',
  'Payment.state',
  'Payment.via',
  'PaymentRequest.fallback',
  'AddressInvoice.state',
]

type Schema = {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
}

type Operation = {
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }

type Document = {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** A type, and the expression of what reads it; `null`: it is only sent. */
type Part = { readonly type: string; readonly reader: string }

/**
 * TypeScript for what goes over REST: the types, and the readers that check answers. A member is a bigint exactly if its
 * name ends in `Msat`. Throws when the document has not what is wanted, or says something that this cannot express.
 */
export function generateRest(openApiText: string, wanted: Wanted): string {
  const document = JSON.parse(openApiText) as Document
  const made = new Map<string, string>()
  const make = (name: string, schema: Schema, isRead: boolean) => {
    if (made.has(name)) return
    // First of all, so that what refers to each other ends.
    made.set(name, '')
    const { type, reader } = objectPart(name, schema, (ref) => {
      make(ref, schemaOf(document, ref), isRead)
      return ref
    })
    const typeText = `${describe(schema.description)}export type ${name} = ${type}\n`
    const readerText = `\nexport const read${name}: Reader<${name}> = ${reader}\n`
    made.set(name, isRead ? typeText + readerText : typeText)
  }
  for (const [name, one] of Object.entries(wanted)) {
    if (one === 'schema') make(name, schemaOf(document, name), true)
    else make(name, contentOf(document, one), 'answer' in one)
  }
  const texts = [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
  const used = [
    'flag',
    'list',
    'msat',
    'nullable',
    'number',
    'object',
    'oneOf',
    'optional',
    'type Reader',
    'text',
  ]
  const body = texts.join('\n')
  const imports = used.filter((name) => new RegExp(`\\b${name.replace('type ', '')}\\b[(,)<]`).test(body))
  return `${HEADER}import { ${imports.join(', ')} } from './readers.ts'\n\n${body}`
}

function schemaOf({ components }: Document, name: string): Schema {
  const schema = components.schemas[name]
  if (!schema) throw new Error(`the document has no schema ${name}`)
  return schema
}

function contentOf(
  { paths }: Document,
  wanted: { readonly answer: string; readonly status: number } | { readonly body: string },
): Schema {
  const what = 'body' in wanted ? wanted.body : wanted.answer
  const [method = '', path = ''] = what.split(' ')
  const operation = paths[path]?.[method.toLowerCase()]
  const content = 'body' in wanted ? operation?.requestBody : operation?.responses[wanted.status]
  const schema = content?.content?.['application/json']?.schema
  if (!schema) throw new Error(`the document does not say what ${what} takes or answers`)
  return schema
}

type Use = (name: string) => string

function objectPart(name: string, schema: Schema, use: Use): Part {
  if (schema.type !== 'object' || !schema.properties) throw new Error(`${name} is no object`)
  const types: string[] = []
  const readers: string[] = []
  for (const [member, of] of Object.entries(schema.properties)) {
    const isRequired = schema.required?.includes(member) ?? false
    const { type, reader } = partOf(`${name}.${member}`, of, use)
    types.push(
      `${describe(describedAs(member, of, name))}readonly ${member}${isRequired ? '' : '?'}: ${type}`,
    )
    readers.push(
      isRequired
        ? `${member}: ${applied(reader, `o.${member}`)},`
        : `...optional('${member}', o.${member}, ${reader}),`,
    )
  }
  return { type: propertiesText(types), reader: `object((o) => (${propertiesText(readers)}))` }
}

function partOf(place: string, schema: Schema, use: Use): Part {
  const { $ref, anyOf, type } = schema
  if ($ref !== undefined) {
    const name = use($ref.replace('#/components/schemas/', ''))
    return { type: name, reader: `read${name}` }
  }
  const nullable = orNull(schema)
  if (nullable) {
    const inner = partOf(place, nullable, use)
    return { type: `${inner.type} | null`, reader: `(value) => nullable(value, ${inner.reader})` }
  }
  const isMsat = place.endsWith('Msat')
  if (isMsat && type !== 'string')
    throw new Error(`${place} is no amount: that is what names end in Msat for`)
  switch (type) {
    case 'string': {
      if (isMsat) return { type: 'bigint', reader: 'msat' }
      if (!schema.enum || !CLOSED.includes(place)) return { type: 'string', reader: 'text' }
      const words = schema.enum.map((word) => `'${word}'`)
      return { type: words.join(' | '), reader: `(value) => oneOf(value, [${words.join(', ')}])` }
    }
    case 'integer':
    case 'number':
      return { type: 'number', reader: 'number' }
    case 'boolean':
      return { type: 'boolean', reader: 'flag' }
    case 'array': {
      const item = partOf(place, schema.items ?? {}, use)
      return { type: listText(item.type), reader: `(value) => list(value).map(${item.reader})` }
    }
    case 'object':
      return objectPart(place, schema, use)
    default:
      throw new Error(`${place}: ${JSON.stringify(anyOf ?? type)} cannot be expressed`)
  }
}

/** What may be null, without that; null: it may not be. */
function orNull({ anyOf, type, ...rest }: Schema): Schema | null {
  if (Array.isArray(type) && type.length === 2 && type[1] === 'null') return { ...rest, type: type[0] }
  const [some, none, ...more] = anyOf ?? []
  return some && none?.type === 'null' && more.length === 0 ? some : null
}

/** `read(value)`, without a function around it where there need be none. */
function applied(reader: string, value: string): string {
  return reader.startsWith('(value) => ')
    ? reader.slice('(value) => '.length).replace('(value', `(${value}`)
    : `${reader}(${value})`
}

/** Amounts are decimal strings on the wire only, and an open set of words is told where the type does not. */
function describedAs(member: string, { description = '', enum: words }: Schema, of: string): string {
  const text = description.replace('Millisatoshi as a decimal string.', 'Millisatoshi.')
  if (!words || CLOSED.includes(`${of}.${member}`)) return text
  const known = words.map((word) => `\`${word}\``).join(', ')
  return [text, `One of ${known}; a newer server may know more.`].filter(Boolean).join(' ')
}
