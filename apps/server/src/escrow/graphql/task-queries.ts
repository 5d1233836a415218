import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { Quote } from '@holdfast/core/escrow/fees'
import { isText } from '@holdfast/core/escrow/plan'
import { orThrow, RefusalError } from '../../platform/http/problem.ts'
import { decodeCursor, encodeCursor, type PagePosition } from '../../platform/page-cursor.ts'
import { readTask } from './ask-task.ts'
import { builder, type EscrowContext } from './builder.ts'
import { CustodyEnum, PartEnum, TaskKindEnum, TaskPhaseEnum } from './enums.ts'
import type { Listed } from './list-escrows.ts'
import { TaskRef } from './task-type.ts'
import { type TaskView, viewFor } from './task-view.ts'

const MAX_PAGE = 100
const USUAL_PAGE = 20
const MAX_SEARCH_BYTES = 200

type Page = { readonly tasks: readonly TaskView[]; readonly hasNext: boolean; readonly hasPrevious: boolean }

const QuoteRef = builder.objectRef<Quote>('Quote').implement({
  description: 'What a milestone costs; shown before anything is agreed.',
  fields: (t) => ({
    payoutMsat: t.expose('payoutMsat', { type: 'Msat' }),
    feeMsat: t.expose('feeMsat', { type: 'Msat' }),
    fundingMsat: t.expose('fundingMsat', { type: 'Msat', description: 'What the buyer locks.' }),
  }),
})

const TaskEdgeRef = builder.objectRef<TaskView>('TaskEdge').implement({
  fields: (t) => ({
    node: t.field({ type: TaskRef, resolve: (task) => task }),
    cursor: t.string({ description: 'Opaque.', resolve: cursorOf }),
  }),
})

const PageInfoRef = builder.objectRef<Page>('PageInfo').implement({
  description:
    'As Relay’s cursor connections have it: of the side from which the page was not asked, `true` only says that there may be more.',
  fields: (t) => ({
    hasNextPage: t.boolean({ resolve: ({ hasNext }) => hasNext }),
    hasPreviousPage: t.boolean({ resolve: ({ hasPrevious }) => hasPrevious }),
    startCursor: t.string({ nullable: true, resolve: ({ tasks }) => cursorOrNull(tasks[0]) }),
    endCursor: t.string({ nullable: true, resolve: ({ tasks }) => cursorOrNull(tasks.at(-1)) }),
  }),
})

const TaskConnectionRef = builder.objectRef<Page>('TaskConnection').implement({
  fields: (t) => ({
    edges: t.field({ type: [TaskEdgeRef], resolve: ({ tasks }) => [...tasks] }),
    nodes: t.field({ type: [TaskRef], resolve: ({ tasks }) => [...tasks] }),
    pageInfo: t.field({ type: PageInfoRef, resolve: (page) => page }),
  }),
})

const TaskFilterInput = builder.inputType('TaskFilter', {
  fields: (t) => ({
    phases: t.field({ type: [TaskPhaseEnum], description: 'One of these.' }),
    kind: t.field({ type: TaskKindEnum }),
    role: t.field({
      type: PartEnum,
      description:
        'Yours, also those that nobody else sees; needs a credential. Without it: tasks that everybody may see.',
    }),
    text: t.string({
      description: 'Words of title and description; "quoted" for a phrase, - for what must not be in it.',
    }),
  }),
})

builder.queryFields((t) => ({
  task: t.field({
    type: TaskRef,
    description: 'Refused with ESCROW_NOT_FOUND also when you may not see it.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, { id }, context) => readTask(context, id, await context.viewer()),
  }),
  tasks: t.field({
    type: TaskConnectionRef,
    description: 'The newest first.',
    args: {
      filter: t.arg({ type: TaskFilterInput }),
      first: t.arg.int({ description: `1 … ${MAX_PAGE}; ${USUAL_PAGE} without \`last\`.` }),
      after: t.arg.string({ description: 'A cursor: what is older.' }),
      last: t.arg.int({ description: `1 … ${MAX_PAGE}, of the end; not together with \`first\`.` }),
      before: t.arg.string({ description: 'A cursor: what is newer.' }),
    },
    resolve: (_, { filter, ...page }, context) => listTasks(context, { ...filter }, page),
  }),
  custodies: t.field({
    type: [CustodyEnum],
    description: 'The custody labels that this operator’s node can give.',
    resolve: (_, _args, { escrows }) => [...escrows.custodies],
  }),
  quote: t.field({
    type: QuoteRef,
    args: { payoutMsat: t.arg({ type: 'Msat', required: true }) },
    resolve: (_, { payoutMsat }, { escrows }) => escrows.quote(payoutMsat),
  }),
}))

async function listTasks(
  context: EscrowContext,
  { phases, kind, role, text }: Partial<typeof TaskFilterInput.$inferInput>,
  page: PageWish,
): Promise<Page> {
  const { size, fromEnd } = sizeOf(page)
  if (phases?.length === 0) throw wrong('phases')
  if (text != null && !isText(text, 1, MAX_SEARCH_BYTES)) throw wrong('text')
  const after = positionOf('after', page.after)
  const before = positionOf('before', page.before)
  const viewer = await context.viewer()
  const listed: Listed = role == null ? { by: 'everybody' } : { by: role, key: orThrow(signed(viewer)) }
  const found = await context.escrows.list(
    { listed, phases: phases ?? null, kind: kind ?? null, text: text ?? null },
    { limit: size + 1, after, before, fromEnd },
  )
  const hasMore = found.length > size
  const shown = fromEnd ? found.slice(-size) : found.slice(0, size)
  const tasks = shown.map((escrow) => {
    const view = viewFor(escrow, viewer)
    if (view === null) throw new Error('A list holds an escrow that its reader may not see.')
    return view
  })
  // Whoever names a cursor has seen that there is something on its side.
  return fromEnd
    ? { tasks, hasNext: before !== null, hasPrevious: hasMore }
    : { tasks, hasNext: hasMore, hasPrevious: after !== null }
}

type PageWish = {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** @throws RefusalError REQUEST_INVALID */
function sizeOf({ first, last }: PageWish): { size: number; fromEnd: boolean } {
  if (first != null && last != null) throw wrong('last')
  const fromEnd = last != null
  const size = last ?? first ?? USUAL_PAGE
  if (size < 1 || size > MAX_PAGE) throw wrong(fromEnd ? 'last' : 'first')
  return { size, fromEnd }
}

/** @throws RefusalError REQUEST_INVALID */
function positionOf(field: string, cursor: string | null | undefined): PagePosition | null {
  if (cursor == null) return null
  const position = decodeCursor(cursor)
  if (isRefusal(position)) throw wrong(field)
  return position
}

function signed(viewer: string | null): string | Refusal {
  return viewer ?? refuse('AUTH_REQUIRED')
}

function wrong(field: string): RefusalError {
  return new RefusalError(refuse('REQUEST_INVALID', { field }))
}

function cursorOf({ escrow }: TaskView): string {
  return encodeCursor({ at: escrow.createdAt, id: escrow.id })
}

function cursorOrNull(task: TaskView | undefined): string | null {
  return task === undefined ? null : cursorOf(task)
}
