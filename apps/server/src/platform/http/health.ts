import { z } from 'zod'
import type { App } from './app.ts'

/** Something that we need. */
export type Dependency = {
  name: string
  /** False: without it a part of the service is missing, and the rest goes on. Default true. */
  essential?: boolean
  /** Resolves when it works, optionally with a detail to show; throws when it does not. */
  check: (signal: AbortSignal) => Promise<string | undefined>
}

const CHECK_WITHIN_MS = 2_000
/** Nobody can make us ask our dependencies more often: `/ready` is open to all and not limited. */
const REMEMBERED_MS = 1_000

const dependencySchema = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  essential: z.boolean().describe('Whether we are not ready without it.'),
  ms: z.number().int().describe('How long the check took, in milliseconds.'),
  detail: z.string().optional(),
})

const readySchema = z.strictObject({ ready: z.boolean(), dependencies: z.array(dependencySchema) })

type DependencyState = z.infer<typeof dependencySchema>

/** `/health`: this process answers. `/ready`: so does everything that is essential. Neither counts for rate limits. */
export function addHealthRoutes(app: App, readiness: readonly Dependency[], isStopping: () => boolean): void {
  const checkAll = remember(REMEMBERED_MS, () => Promise.all(readiness.map(checkDependency)))
  app.get(
    '/health',
    {
      schema: {
        summary: 'Is the process alive?',
        tags: ['operation'],
        response: { 200: z.strictObject({ ok: z.literal(true) }) },
      },
    },
    async () => ({ ok: true }) as const,
  )
  app.get(
    '/ready',
    {
      schema: {
        summary: 'Can it serve? Each dependency was checked within the last second.',
        tags: ['operation'],
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const dependencies = await checkAll()
      const ready = !isStopping() && dependencies.every(({ ok, essential }) => ok || !essential)
      return reply.code(ready ? 200 : 503).send({ ready, dependencies })
    },
  )
}

async function checkDependency({ name, essential = true, check }: Dependency): Promise<DependencyState> {
  const startedAt = performance.now()
  const signal = AbortSignal.timeout(CHECK_WITHIN_MS)
  const tooLate = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_WITHIN_MS} ms`)))
  })
  const state = (ok: boolean, detail?: string): DependencyState => ({
    name,
    ok,
    essential,
    ms: Math.round(performance.now() - startedAt),
    ...(detail !== undefined && { detail }),
  })
  try {
    return state(true, await Promise.race([check(signal), tooLate]))
  } catch (error) {
    return state(false, error instanceof Error ? error.message : String(error))
  }
}

/** Asks again when the last answer was asked for so long ago; until then everybody gets that one. `ask` never throws. */
function remember<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | null = null
  return () => {
    const now = performance.now()
    if (last === null || now - last.at >= ms) last = { at: now, answer: ask() }
    return last.answer
  }
}
