import { clientError, HoldfastError } from '../holdfast-error.ts'

/**
 * `data` of a GraphQL answer, amounts as bigint; its first error is thrown. Each error carries in `extensions` what a
 * problem document has: `code`, `status`, `hint`, `requestId` and what the code adds.
 */
export function readGraphqlAnswer(answer: unknown, status = 200): Record<string, unknown> {
  const { data, errors } = isObject(answer) ? answer : {}
  const [error] = Array.isArray(errors) ? errors : []
  if (error !== undefined) throw errorOf(error, status)
  if (isObject(data)) return withAmounts(data) as Record<string, unknown>
  throw clientError(
    'RESPONSE_INVALID',
    'The answer is not one of GraphQL.',
    'Check the address of the server.',
    {
      status,
    },
  )
}

/** Variables as JSON has them. */
export function toVariables(variables: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(
    JSON.stringify(variables, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  )
}

function errorOf(error: unknown, answered: number): HoldfastError {
  const { message, extensions } = isObject(error) ? error : {}
  const { code, status, hint, requestId, data } = isObject(extensions) ? extensions : {}
  return new HoldfastError({
    code: typeof code === 'string' ? code : 'RESPONSE_INVALID',
    status: typeof status === 'number' ? status : answered,
    title: String(message ?? ''),
    detail: String(hint ?? ''),
    requestId: typeof requestId === 'string' ? requestId : null,
    data: isObject(data) ? data : {},
  })
}

/** The generator of the operations makes sure that a member is an amount exactly if its name ends so. */
function withAmounts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withAmounts)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name.endsWith('Msat') && typeof member === 'string' ? amount(member) : withAmounts(member),
    ]),
  )
}

function amount(text: string): bigint {
  if (/^[0-9]{1,19}$/.test(text)) return BigInt(text)
  throw clientError('RESPONSE_INVALID', 'An amount is no decimal string.', 'Check the address of the server.')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
