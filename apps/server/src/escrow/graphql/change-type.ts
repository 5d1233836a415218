import { builder } from './builder.ts'
import { type Change, seesActor } from './task-changes.ts'
import type { TaskView } from './task-view.ts'

export type SeenChange = { readonly task: TaskView; readonly change: Change }

export const ChangeRef = builder.objectRef<SeenChange>('Change').implement({
  description: 'One entry of a task’s journal: append-only, each bound to the one before by its hash.',
  fields: (t) => ({
    seq: t.int({ description: '1, 2, 3 … within the task.', resolve: ({ change }) => change.seq }),
    kind: t.string({
      description: 'What was asked or reported, e.g. `approve`, `hold-seen`, `payout`.',
      resolve: ({ change }) => change.kind,
    }),
    at: t.field({ type: 'Milliseconds', resolve: ({ change }) => change.at }),
    milestone: t.int({ nullable: true, resolve: ({ change }) => change.milestone }),
    actor: t.string({
      nullable: true,
      description: 'A public key, `operator`, `node` or `system`. Only for the parties.',
      resolve: ({ task, change }) => (seesActor(task, change) ? change.actor : null),
    }),
    reason: t.string({
      nullable: true,
      description: 'Of an objection or a dispute. Only for the parties.',
      resolve: ({ task, change }) => (seesActor(task, change) ? change.reason : null),
    }),
    text: t.string({
      nullable: true,
      description:
        'Of a proof; `proof` of the milestone has only the last, and until its end. Only for the parties.',
      resolve: ({ task, change }) => (seesActor(task, change) ? change.text : null),
    }),
    digest: t.field({
      type: 'Hash',
      nullable: true,
      description: 'Of a proof. Only for the parties.',
      resolve: ({ task, change }) => (seesActor(task, change) ? change.digest : null),
    }),
    requestId: t.string({
      nullable: true,
      description: '`x-request-id` of the signed request. Only for the parties.',
      resolve: ({ task, change }) => (seesActor(task, change) ? change.requestId : null),
    }),
    signedRequest: t.field({
      type: 'Hash',
      nullable: true,
      description:
        'The id of the NIP-98 event that authorized it: of the request, or of the one that opened its session. Null: the server did it by itself. Only for the parties.',
      resolve: ({ task, change }) => (seesActor(task, change) ? change.signedRequest : null),
    }),
    hash: t.field({ type: 'Hash', resolve: ({ change }) => change.hash }),
  }),
})
