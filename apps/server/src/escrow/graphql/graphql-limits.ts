import {
  type ASTVisitor,
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type Source,
  type ValidationContext,
} from 'graphql'

/** Fields within fields; not those of introspection. */
export const MAX_DEPTH = 10
/** Values that the answer may hold, as far as the query tells: a list counts as long as it may be. */
export const MAX_COST = 20_000
/** Fields under another name than their own. */
export const MAX_ALIASES = 30

/** Words and signs of a query: validation compares each field with each. */
export const MAX_TOKENS = 1_000

/** How long a list may be; where a field has `first` or `last`, it is that. */
const LIST_LENGTHS: Readonly<Record<string, number>> = { milestones: 20, applications: 200 }
/** Fields that ask the database for themselves. */
const QUERY_COSTS: Readonly<Record<string, number>> = { tasks: 50, task: 10, changes: 200 }
const MAX_FIRST = 100
/** Of a connection, whose list lies one field deeper. */
const USUAL_FIRST = 20

type Sum = {
  readonly depth: number
  readonly cost: number
  readonly aliases: number
  readonly introspections: number
}

const NOTHING: Sum = { depth: 0, cost: 0, aliases: 0, introspections: 0 }
/** graphql-js bounds how its lists lie within each other; asked once and without aliases that is bound enough. */
const INTROSPECTION = new Set(['__schema', '__type'])

/** Throws the GraphQLError of what cannot be read, or is too long to be. */
export function parseQuery(source: string | Source): DocumentNode {
  return parse(source, { maxTokens: MAX_TOKENS })
}

/** Refuses what would cost too much, before anything of it is done; and more than one mutation in a request. */
export function limitsRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const measure = makeMeasure(context.getDocument())
      const fields = measure.rootFields(operation)
      if (operation.operation === 'mutation' && fields.length > 1) {
        complain('Exactly one mutation stands in a request: the Idempotency-Key is of one.')
      }
      const { depth, cost, aliases, introspections } = measure.selection(operation.selectionSet)
      if (depth > MAX_DEPTH) complain(`The query is ${depth} fields deep; ${MAX_DEPTH} is the most.`)
      if (cost > MAX_COST)
        complain(`The query costs ${cost}; ${MAX_COST} is the most. Ask for fewer fields or smaller pages.`)
      if (aliases > MAX_ALIASES) complain(`The query has ${aliases} aliases; ${MAX_ALIASES} is the most.`)
      if (introspections > 1) complain('The schema is asked for once in a request, without aliases.')

      function complain(message: string): void {
        context.reportError(new GraphQLError(message, { nodes: operation }))
      }
    },
  }
}

function makeMeasure(document: DocumentNode) {
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  )
  /** Of each fragment once, however often it is spread; null while it is being measured: a cycle, refused elsewhere. */
  const known = new Map<string, Sum | null>()

  function selection({ selections }: SelectionSetNode): Sum {
    return selections.map(measured).reduce(beside, NOTHING)
  }

  function measured(node: SelectionNode): Sum {
    switch (node.kind) {
      case Kind.FIELD:
        return field(node)
      case Kind.INLINE_FRAGMENT:
        return selection(node.selectionSet)
      case Kind.FRAGMENT_SPREAD:
        return fragment(node.name.value)
    }
  }

  function fragment(name: string): Sum {
    const before = known.get(name)
    if (before !== undefined) return before ?? NOTHING
    known.set(name, null)
    const definition = fragments.get(name)
    const sum = definition ? selection(definition.selectionSet) : NOTHING
    known.set(name, sum)
    return sum
  }

  function field(node: FieldNode): Sum {
    const name = node.name.value
    const within = node.selectionSet ? selection(node.selectionSet) : NOTHING
    const aliases = within.aliases + (node.alias ? 1 : 0)
    if (INTROSPECTION.has(name)) return { ...NOTHING, introspections: 1 + aliases }
    const own = 1 + (QUERY_COSTS[name] ?? 0)
    return {
      depth: within.depth + 1,
      cost: Math.min(own + within.cost * lengthOf(node), Number.MAX_SAFE_INTEGER),
      aliases,
      introspections: within.introspections,
    }
  }

  function rootFields({ selectionSet }: OperationDefinitionNode): FieldNode[] {
    const seen = new Set<string>()
    const collect = ({ selections }: SelectionSetNode): FieldNode[] =>
      selections.flatMap((one) => {
        if (one.kind === Kind.FIELD) return [one]
        if (one.kind === Kind.INLINE_FRAGMENT) return collect(one.selectionSet)
        const name = one.name.value
        const definition = fragments.get(name)
        if (!definition || seen.has(name)) return []
        seen.add(name)
        return collect(definition.selectionSet)
      })
    return collect(selectionSet)
  }

  return { selection, rootFields }
}

/** A variable may hold anything up to the limit. */
function lengthOf(node: FieldNode): number {
  const name = node.name.value
  if (name !== 'tasks' && name !== 'changes') return LIST_LENGTHS[name] ?? 1
  const sizes = (node.arguments ?? [])
    .filter((argument) => argument.name.value === 'first' || argument.name.value === 'last')
    .map(({ value }) => (value.kind === Kind.INT ? Number(value.value) : MAX_FIRST))
  return sizes.length === 0 ? USUAL_FIRST : Math.max(...sizes, 1)
}

function beside(a: Sum, b: Sum): Sum {
  return {
    depth: Math.max(a.depth, b.depth),
    cost: a.cost + b.cost,
    aliases: a.aliases + b.aliases,
    introspections: a.introspections + b.introspections,
  }
}
