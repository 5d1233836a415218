import type { Quote } from '@holdfast/core/escrow/fees'
import { readTask } from './ask-task.ts'
import { builder } from './builder.ts'
import { TaskRef } from './task-type.ts'

const QuoteRef = builder.objectRef<Quote>('Quote').implement({
  description: 'What a milestone costs; shown before anything is agreed.',
  fields: (t) => ({
    payoutMsat: t.expose('payoutMsat', { type: 'Msat' }),
    feeMsat: t.expose('feeMsat', { type: 'Msat' }),
    fundingMsat: t.expose('fundingMsat', { type: 'Msat', description: 'What the buyer locks.' }),
  }),
})

builder.queryFields((t) => ({
  task: t.field({
    type: TaskRef,
    description: 'Refused with ESCROW_NOT_FOUND also when you may not see it.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, { id }, context) => readTask(context, id, await context.viewer()),
  }),
  quote: t.field({
    type: QuoteRef,
    args: { payoutMsat: t.arg({ type: 'Msat', required: true }) },
    resolve: (_, { payoutMsat }, { escrows }) => escrows.quote(payoutMsat),
  }),
}))
