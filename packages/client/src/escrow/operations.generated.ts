// Made from docs/api/schema.graphql and operations.graphql, which are to be edited instead:
// npm run api-files

/** The part of a task that is funded, released or refunded whole. */
export type Milestone = {
  readonly index: number
  readonly title: string
  readonly phase: MilestonePhase
  readonly standing: Standing
  readonly custody: Custody
  /** What the worker is paid; the worker’s invoice asks for exactly this. */
  readonly payoutMsat: bigint
  /** The platform’s. A refund costs none of it. */
  readonly feeMsat: bigint
  /** What the buyer locks: payout and fee. */
  readonly fundingMsat: bigint
  /** From the money’s arrival to the proof. */
  readonly workMs: number
  /** From the proof until silence counts as approval. */
  readonly objectionMs: number
  readonly holdBlocks: number
  /** The most that the worker’s invoice may ask as its final CLTV. */
  readonly maxFinalCltv: number
  /** Until when a worker’s invoice that is submitted now must be payable. */
  readonly invoiceNeededUntil: number | null
  /** Only for the parties. */
  readonly workerInvoice: string | null
  /** Of the hold. Only for the parties. */
  readonly paymentHash: string | null
  /** Until when the funding invoice can be paid. */
  readonly fundBy: number | null
  /** While an invoice waits to be paid; only for the buyer. */
  readonly funding: Funding | null
  readonly heldAt: number | null
  readonly heldMsat: bigint | null
  /** When the proof is due; a revision prolongs it. */
  readonly dueAt: number | null
  readonly revisions: number
  /** While money is locked. */
  readonly deadlines: {
    /** Of the chain now; null while the operator’s node has not said so. */
    readonly height: number | null
    /** A proof that is submitted up to here and meets no objection is released. */
    readonly dueHeight: number
    /** From here on the guardian ends the hold. */
    readonly guardianHeight: number
    /** No payout begins above it. */
    readonly latestPayoutHeight: number
    /** The hold has ended by here, whatever happened. */
    readonly deadlineHeight: number
    /** Until the guardian ends the hold; not below 0. */
    readonly blocksLeft: number | null
    /** An estimate, at ten minutes a block. */
    readonly guardianActsAboutAt: number | null
  } | null
  /** Only for the parties. */
  readonly proof: {
    readonly text: string
    /** SHA-256 of a document that the parties exchanged. */
    readonly digest: string | null
    readonly submittedAt: number
    /** Early enough that the whole time to object lies before the guardian’s decision. */
    readonly inTime: boolean
  } | null
  /** While it is open; only for the parties. */
  readonly dispute: {
    readonly openedBy: string
    readonly openedAt: number
    readonly reason: string
  } | null
  /** When silence counts as approval. */
  readonly autoReleaseAt: number | null
  readonly approval: Approval | null
  /** What the worker was paid. */
  readonly paidMsat: bigint | null
  readonly refundCause: RefundCause | null
  /** After a premature settlement: what the operator owes to the buyer, or has repaid. */
  readonly owedMsat: bigint | null
  /** After a premature settlement: the chain did not let the operator keep all that it had claimed; it owes all the same. After a release the phase says so: `LOST`. */
  readonly claimLost: boolean | null
  readonly endedAt: number | null
}

/** How the buyer locks the money of a milestone. */
export type Funding = {
  /** BOLT 11; paying it stays pending until the end. */
  readonly invoice: string
  /** BIP-321, as it is opened by a wallet. */
  readonly uri: string
  /** The same in capitals, which take a smaller QR code. */
  readonly qrText: string
  /** `lightning:` and the invoice, for wallets that do not know BIP-321. */
  readonly lightningUri: string
  readonly paymentHash: string
  /** Payout and fee. */
  readonly amountMsat: bigint
  readonly payoutMsat: bigint
  readonly feeMsat: bigint
  readonly expiresAt: number
}

/** An escrow: a task or an order, whose money is locked milestone by milestone. */
export type Task = {
  readonly id: string
  readonly kind: TaskKind
  readonly custody: Custody
  readonly phase: TaskPhase
  /** Yours. */
  readonly role: Role
  readonly title: string
  readonly description: string
  readonly buyer: string
  readonly worker: string | null
  /** Null: a dispute ends by agreement, or by the guardian’s refund. */
  readonly arbiter: string | null
  readonly createdAt: number
  /** No milestone is funded after this. */
  readonly deadlineAt: number
  readonly endedAt: number | null
  /** Of all milestones. */
  readonly payoutMsat: bigint
  /** Of all milestones. */
  readonly feeMsat: bigint
  readonly applicationCount: number
  /** All of them for the buyer, your own for you, none for others. */
  readonly applications: readonly ({
    readonly worker: string
    readonly message: string
    readonly appliedAt: number
    /** How many milestones of all tasks on this server were claimed before their release with the preimage of this key’s invoice: it came out too early. */
    readonly prematureSettlements: number
  })[]
  readonly milestones: readonly Milestone[]
}

/** An escrow: a task or an order, whose money is locked milestone by milestone. */
export type TaskSummary = {
  readonly id: string
  readonly kind: TaskKind
  readonly custody: Custody
  readonly phase: TaskPhase
  /** Yours. */
  readonly role: Role
  readonly title: string
  readonly description: string
  readonly buyer: string
  readonly worker: string | null
  /** Null: a dispute ends by agreement, or by the guardian’s refund. */
  readonly arbiter: string | null
  readonly createdAt: number
  /** No milestone is funded after this. */
  readonly deadlineAt: number
  readonly endedAt: number | null
  /** Of all milestones. */
  readonly payoutMsat: bigint
  /** Of all milestones. */
  readonly feeMsat: bigint
  readonly applicationCount: number
}

/** One entry of a task’s journal: append-only, each bound to the one before by its hash. */
export type Change = {
  /** 1, 2, 3 … within the task. */
  readonly seq: number
  /** What was asked or reported, e.g. `approve`, `hold-seen`, `payout`. */
  readonly kind: string
  readonly at: number
  readonly milestone: number | null
  /** A public key, `operator`, `node` or `system`. Only for the parties. */
  readonly actor: string | null
  /** Of an objection or a dispute. Only for the parties. */
  readonly reason: string | null
  /** Of a proof; `proof` of the milestone has only the last, and until its end. Only for the parties. */
  readonly text: string | null
  /** Of a proof. Only for the parties. */
  readonly digest: string | null
  /** The id of the NIP-98 event that authorized it: of the request, or of the one that opened its session. Null: the server did it by itself. Only for the parties. */
  readonly signedRequest: string | null
  readonly hash: string
}

/** What each operation takes and answers. */
export type Operations = {
  /** The custody labels that this operator’s node can give. */
  readonly custodies: {
    readonly variables: Record<string, never>
    readonly result: readonly Custody[]
  }
  readonly quote: {
    readonly variables: {
      readonly payoutMsat: bigint
    }
    readonly result: {
      readonly payoutMsat: bigint
      readonly feeMsat: bigint
      /** What the buyer locks. */
      readonly fundingMsat: bigint
    }
  }
  /** Refused with ESCROW_NOT_FOUND also when you may not see it. */
  readonly task: {
    readonly variables: {
      readonly id: string
    }
    readonly result: Task
  }
  /** Refused with ESCROW_NOT_FOUND also when you may not see it. */
  readonly changes: {
    readonly variables: {
      readonly id: string
      readonly after?: number
      readonly first?: number
    }
    readonly result: {
      /** Its journal, oldest first. */
      readonly changes: readonly Change[]
    }
  }
  /** The newest first. */
  readonly tasks: {
    readonly variables: {
      readonly filter?: TaskFilter | null
      /** 1 … 100; 20 without `last`. */
      readonly first?: number | null
      /** A cursor: what is older. */
      readonly after?: string | null
      /** 1 … 100, of the end; not together with `first`. */
      readonly last?: number | null
      /** A cursor: what is newer. */
      readonly before?: string | null
    }
    readonly result: {
      readonly nodes: readonly TaskSummary[]
      readonly pageInfo: {
        readonly startCursor: string | null
        readonly endCursor: string | null
        readonly hasPreviousPage: boolean
        readonly hasNextPage: boolean
      }
    }
  }
  /** Writes a draft, which only its buyer sees; `publishTask` makes it known. */
  readonly createTask: {
    readonly variables: {
      readonly input: CreateTaskInput
    }
    readonly result: {
      readonly task: Task
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s, until somebody relies on it. Whoever applied must apply again. */
  readonly updateTask: {
    readonly variables: {
      readonly input: UpdateTaskInput
    }
    readonly result: {
      readonly task: Task
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** A task opens for applications; the seller of an order is asked for an invoice. */
  readonly publishTask: {
    readonly variables: {
      readonly input: TaskInput
    }
    readonly result: {
      readonly task: Task
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  readonly applyToTask: {
    readonly variables: {
      readonly input: ApplyToTaskInput
    }
    readonly result: {
      readonly task: Task
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s; another one as long as no money is locked. */
  readonly assignWorker: {
    readonly variables: {
      readonly input: AssignWorkerInput
    }
    readonly result: {
      readonly task: Task
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s: what is not funded ends. Locked money is not the buyer’s to take back. */
  readonly cancelTask: {
    readonly variables: {
      readonly input: TaskInput
    }
    readonly result: {
      readonly task: Task
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The worker’s: the hold will be locked to the payment hash of this invoice. */
  readonly submitInvoice: {
    readonly variables: {
      readonly input: InvoiceInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s: answers the invoice whose payment locks the money. */
  readonly fundMilestone: {
    readonly variables: {
      readonly input: MilestoneIdInput
    }
    readonly result: {
      /** Null: the node has not made the invoice in 10 s; ask for it with `milestone { funding }`. */
      readonly funding: Funding | null
      readonly milestone: Milestone
      readonly replayed: boolean
    }
  }
  /** The worker’s: from now on silence counts as approval. */
  readonly submitProof: {
    readonly variables: {
      readonly input: SubmitProofInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s: the worker is paid. */
  readonly approveMilestone: {
    readonly variables: {
      readonly input: MilestoneIdInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s objection to a proof: the worker gets more time. */
  readonly requestRevision: {
    readonly variables: {
      readonly input: ReasonInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s or the worker’s. */
  readonly openDispute: {
    readonly variables: {
      readonly input: ReasonInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The arbiter’s. */
  readonly resolveDispute: {
    readonly variables: {
      readonly input: ResolveDisputeInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The worker gives the money back. */
  readonly refundMilestone: {
    readonly variables: {
      readonly input: MilestoneIdInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s, after a premature settlement: where the money that is owed is to go. */
  readonly submitRefundInvoice: {
    readonly variables: {
      readonly input: InvoiceInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  /** The buyer’s, whose payment succeeded although the milestone is not released: the operator claims with it and owes a refund. */
  readonly reportPreimage: {
    readonly variables: {
      readonly input: ReportPreimageInput
    }
    readonly result: {
      readonly milestone: Milestone
      /** The request was made before: nothing was done again, and the task is shown as it is now. */
      readonly replayed: boolean
    }
  }
  readonly taskUpdated: {
    readonly variables: {
      readonly id: string
      /** `resume` of the last update that you have. The first update comes at once, with it or without; with it, and with all that has happened since. */
      readonly after?: string | null
    }
    readonly result: {
      /** As it is now. */
      readonly task: Task
      /** What has happened since the update before. */
      readonly changes: readonly Change[]
      /** Give it back as `after`, and nothing behind this update is missed. */
      readonly resume: string
    }
  }
  /** Only when the milestone has changed. */
  readonly milestoneUpdated: {
    readonly variables: {
      readonly taskId: string
      readonly milestone: number
      /** `resume` of the last update that you have. The first update comes at once, with it or without; with it, and with all that has happened since. */
      readonly after?: string | null
    }
    readonly result: {
      /** As it is now. */
      readonly milestone: Milestone
      /** Give it back as `after`, and nothing behind this update is missed. */
      readonly resume: string
    }
  }
}

export type ApplyToTaskInput = {
  readonly message?: string
  readonly taskId: string
}

/** Why the worker may be paid. */
export type Approval =
  | 'ARBITER'
  | 'BUYER'
  | 'NO_OBJECTION'

export type AssignWorkerInput = {
  readonly taskId: string
  /** One of those who applied. */
  readonly worker: string
}

export type CreateTaskInput = {
  /** `COORDINATED` tasks can be funded before a worker is known; `custodies` says what there is. */
  readonly custody?: Custody
  readonly kind?: TaskKind
  readonly plan: TaskPlanInput
  /** The seller of an order; a task has none yet. */
  readonly worker?: string | null
}

/** Who could claim the money while it is locked. */
export type Custody =
  /** The operator could: its node knows the preimage. */
  | 'COORDINATED'
  /** The operator cannot claim it before it has paid the worker. */
  | 'HASH_LOCKED'

export type InvoiceInput = {
  /** BOLT 11. */
  readonly invoice: string
  /** They count from 0. */
  readonly milestone: number
  readonly taskId: string
}

export type MilestoneIdInput = {
  /** They count from 0. */
  readonly milestone: number
  readonly taskId: string
}

export type MilestoneInput = {
  /** How long the money may be locked. Default: what the spans need. */
  readonly holdBlocks?: number | null
  /** From the proof until silence counts as approval. */
  readonly objectionMs: number
  /** What the worker is paid. */
  readonly payoutMsat: bigint
  readonly title: string
  /** From the money’s arrival to the proof. */
  readonly workMs: number
}

/** See docs/state-machines/escrow.md. */
export type MilestonePhase =
  | 'AWAITING_FUNDS'
  | 'AWAITING_INVOICE'
  | 'CANCELLED'
  | 'CLAIMING'
  | 'CLOSING'
  | 'DISPUTED'
  | 'EXPIRED'
  | 'HELD'
  | 'LOST'
  | 'PAYOUT_UNKNOWN'
  | 'PLANNED'
  | 'PREMATURE'
  | 'PROOF_SUBMITTED'
  | 'READY_TO_FUND'
  | 'REFUNDED'
  | 'REFUNDING'
  | 'RELEASED'
  | 'RELEASING'
  | 'REPAID'
  | 'REPAYING'

/** What you are in the tasks that are listed. */
export type Part =
  /** Somebody who has applied. */
  | 'APPLICANT'
  | 'ARBITER'
  | 'BUYER'
  | 'WORKER'

export type ReasonInput = {
  /** They count from 0. */
  readonly milestone: number
  readonly reason: string
  readonly taskId: string
}

/** Why a hold goes back to the buyer. */
export type RefundCause =
  | 'AMOUNT_WRONG'
  | 'BY_ARBITER'
  | 'BY_OPERATOR'
  | 'BY_WORKER'
  | 'DISPUTE_UNRESOLVED'
  | 'HOLD_ENDED'
  | 'HOLD_TOO_SHORT'
  | 'NOT_APPROVED'
  | 'NO_WORKER'
  | 'PAYOUT_FAILED'
  | 'PROOF_MISSING'

export type ReportPreimageInput = {
  /** They count from 0. */
  readonly milestone: number
  readonly preimage: string
  readonly taskId: string
}

export type ResolveDisputeInput = {
  /** They count from 0. */
  readonly milestone: number
  readonly taskId: string
  readonly to: Verdict
}

/** What a key is in a task. */
export type Role =
  /** Decides disputes. */
  | 'ARBITER'
  /** Locks the money. */
  | 'BUYER'
  /** None of them. */
  | 'STRANGER'
  /** Is paid when a milestone is released. */
  | 'WORKER'

/** Where the buyer’s money is. */
export type Standing =
  /** The worker is paid; the operator claims it. */
  | 'CLAIMING'
  /** An invoice waits for it. */
  | 'FUNDING'
  /** Locked: neither the buyer nor the operator can take it alone. */
  | 'LOCKED'
  /** With whom the phase says, for good. */
  | 'OVER'
  /** The operator has it and owes it to the buyer. */
  | 'OWED'
  /** On its way back to the buyer. */
  | 'RETURNING'
  /** With the buyer. */
  | 'UNFUNDED'

export type SubmitProofInput = {
  /** SHA-256 of a document that the parties exchanged. */
  readonly digest?: string | null
  /** They count from 0. */
  readonly milestone: number
  readonly taskId: string
  readonly text: string
}

export type TaskFilter = {
  readonly kind?: TaskKind | null
  /** One of these. */
  readonly phases?: readonly TaskPhase[] | null
  /** Yours, also those that nobody else sees; needs a credential. Without it: tasks that everybody may see. */
  readonly role?: Part | null
  /** Words of title and description; "quoted" for a phrase, - for what must not be in it. */
  readonly text?: string | null
}

export type TaskInput = {
  readonly taskId: string
}

/** What is paid for. */
export type TaskKind =
  /** Goods of a known seller; the proof is the delivery. */
  | 'ORDER'
  /** Takes applications, and is proven by work. */
  | 'TASK'

/** See docs/state-machines/escrow.md. */
export type TaskPhase =
  | 'ACTIVE'
  | 'ASSIGNED'
  | 'CANCELLED'
  | 'COMPLETED'
  | 'DRAFT'
  | 'EXPIRED'
  | 'OPEN'

/** What the buyer may change until somebody relies on it. */
export type TaskPlanInput = {
  /** Decides disputes. */
  readonly arbiter?: string | null
  /** No milestone is funded after this. */
  readonly deadlineAt: number
  readonly description?: string
  readonly milestones: readonly MilestoneInput[]
  readonly title: string
}

export type UpdateTaskInput = {
  /** The whole of it. */
  readonly plan: TaskPlanInput
  readonly taskId: string
}

/** How an arbiter ends a dispute. */
export type Verdict =
  /** The money goes back to the buyer. */
  | 'REFUND'
  /** The worker is paid. */
  | 'RELEASE'

const MILESTONE = 'fragment Milestone on Milestone{index title phase standing custody payoutMsat feeMsat fundingMsat workMs objectionMs holdBlocks maxFinalCltv invoiceNeededUntil workerInvoice paymentHash fundBy funding{...Funding}heldAt heldMsat dueAt revisions deadlines{height dueHeight guardianHeight latestPayoutHeight deadlineHeight blocksLeft guardianActsAboutAt}proof{text digest submittedAt inTime}dispute{openedBy openedAt reason}autoReleaseAt approval paidMsat refundCause owedMsat claimLost endedAt}'

const FUNDING = 'fragment Funding on Funding{invoice uri qrText lightningUri paymentHash amountMsat payoutMsat feeMsat expiresAt}'

const TASK = 'fragment Task on Task{id kind custody phase role title description buyer worker arbiter createdAt deadlineAt endedAt payoutMsat feeMsat applicationCount applications{worker message appliedAt prematureSettlements}milestones{...Milestone}}'

const TASK_SUMMARY = 'fragment TaskSummary on Task{id kind custody phase role title description buyer worker arbiter createdAt deadlineAt endedAt payoutMsat feeMsat applicationCount}'

const CHANGE = 'fragment Change on Change{seq kind at milestone actor reason text digest signedRequest hash}'

export type QueryName = 'custodies' | 'quote' | 'task' | 'changes' | 'tasks'
export type SubscriptionName = 'taskUpdated' | 'milestoneUpdated'
export type MutationName = (typeof MUTATIONS)[number]

export const MUTATIONS = ['createTask', 'updateTask', 'publishTask', 'applyToTask', 'assignWorker', 'cancelTask', 'submitInvoice', 'fundMilestone', 'submitProof', 'approveMilestone', 'requestRevision', 'openDispute', 'resolveDispute', 'refundMilestone', 'submitRefundInvoice', 'reportPreimage'] as const

export const DOCUMENTS: Readonly<Record<keyof Operations, string>> = {
  custodies: 'query custodies{custodies}',
  quote: 'query quote($payoutMsat:Msat!){quote(payoutMsat:$payoutMsat){payoutMsat feeMsat fundingMsat}}',
  task: 'query task($id:ID!){task(id:$id){...Task}}' + TASK + MILESTONE + FUNDING,
  changes: 'query changes($id:ID!$after:Int!=0$first:Int!=20){task(id:$id){changes(after:$after first:$first){...Change}}}' + CHANGE,
  tasks: 'query tasks($filter:TaskFilter$first:Int$after:String$last:Int$before:String){tasks(filter:$filter first:$first after:$after last:$last before:$before){nodes{...TaskSummary}pageInfo{startCursor endCursor hasPreviousPage hasNextPage}}}' + TASK_SUMMARY,
  createTask: 'mutation createTask($input:CreateTaskInput!){createTask(input:$input){task{...Task}replayed}}' + TASK + MILESTONE + FUNDING,
  updateTask: 'mutation updateTask($input:UpdateTaskInput!){updateTask(input:$input){task{...Task}replayed}}' + TASK + MILESTONE + FUNDING,
  publishTask: 'mutation publishTask($input:TaskInput!){publishTask(input:$input){task{...Task}replayed}}' + TASK + MILESTONE + FUNDING,
  applyToTask: 'mutation applyToTask($input:ApplyToTaskInput!){applyToTask(input:$input){task{...Task}replayed}}' + TASK + MILESTONE + FUNDING,
  assignWorker: 'mutation assignWorker($input:AssignWorkerInput!){assignWorker(input:$input){task{...Task}replayed}}' + TASK + MILESTONE + FUNDING,
  cancelTask: 'mutation cancelTask($input:TaskInput!){cancelTask(input:$input){task{...Task}replayed}}' + TASK + MILESTONE + FUNDING,
  submitInvoice: 'mutation submitInvoice($input:InvoiceInput!){submitInvoice(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  fundMilestone: 'mutation fundMilestone($input:MilestoneIdInput!){fundMilestone(input:$input){funding{...Funding}milestone{...Milestone}replayed}}' + FUNDING + MILESTONE,
  submitProof: 'mutation submitProof($input:SubmitProofInput!){submitProof(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  approveMilestone: 'mutation approveMilestone($input:MilestoneIdInput!){approveMilestone(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  requestRevision: 'mutation requestRevision($input:ReasonInput!){requestRevision(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  openDispute: 'mutation openDispute($input:ReasonInput!){openDispute(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  resolveDispute: 'mutation resolveDispute($input:ResolveDisputeInput!){resolveDispute(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  refundMilestone: 'mutation refundMilestone($input:MilestoneIdInput!){refundMilestone(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  submitRefundInvoice: 'mutation submitRefundInvoice($input:InvoiceInput!){submitRefundInvoice(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  reportPreimage: 'mutation reportPreimage($input:ReportPreimageInput!){reportPreimage(input:$input){milestone{...Milestone}replayed}}' + MILESTONE + FUNDING,
  taskUpdated: 'subscription taskUpdated($id:ID!$after:String){taskUpdated(id:$id after:$after){task{...Task}changes{...Change}resume}}' + TASK + MILESTONE + FUNDING + CHANGE,
  milestoneUpdated: 'subscription milestoneUpdated($taskId:ID!$milestone:Int!$after:String){milestoneUpdated(taskId:$taskId milestone:$milestone after:$after){milestone{...Milestone}resume}}' + MILESTONE + FUNDING,
}
