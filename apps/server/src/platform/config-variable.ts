import { z } from 'zod'

/** One environment variable: how to read it, and what to say of it in `--help` and when it is wrong. */
export type Variable<T> = {
  meaning: string
  /** What a good value looks like. */
  expected: string
  /** How the default is shown. */
  shownDefault: string
  /** Its value is masked wherever it is shown. */
  secret: boolean
  /** Reads the text; `undefined` when the variable is not set. */
  schema: z.ZodType<T, string | undefined>
}

/** `fallback` is its value, and how that is shown, where it is not set. */
export function variable<T, F>(
  meaning: string,
  expected: string,
  schema: z.ZodType<T, string>,
  fallback: { value: F; shown: string },
  secret = false,
): Variable<T | F> {
  // A variable that is set to nothing counts as not set, as in `HOLDFAST_PORT= npm start`.
  const optional = z.string().optional()
  const read = optional.transform((text, context): T | F => {
    if (text === undefined || text === '') return fallback.value
    const parsed = schema.safeParse(text)
    if (parsed.success) return parsed.data
    context.addIssue({ code: 'custom', message: expected })
    return z.NEVER
  })
  return { meaning, expected, shownDefault: fallback.shown, secret, schema: read }
}

export const is = <const T>(value: T, shown = String(value)) => ({ value, shown })
export const unset = (shown: string) => ({ value: null, shown })
