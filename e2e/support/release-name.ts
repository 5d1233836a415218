import type { Signer } from '@holdfast/client'
import { signAuthorization } from '@holdfast/client/signer'

export type Problem = { readonly status: number; readonly code: string }

/** `DELETE /v1/names/:name`. Answers the registration's id, or why it was refused; throws when nothing was answered. */
export async function releaseName(
  server: string,
  signer: Signer,
  request: { name: string; idempotencyKey: string; signal: AbortSignal },
): Promise<string | Problem> {
  const url = new URL(`/v1/names/${encodeURIComponent(request.name)}`, server).href
  const authorization = await signAuthorization(signer, { url, method: 'DELETE', now: Date.now() })
  const response = await fetch(url, {
    method: 'DELETE',
    headers: { authorization, 'idempotency-key': request.idempotencyKey },
    signal: request.signal,
  })
  const body = (await response.json()) as { jobId: string; code: string }
  return response.ok ? body.jobId : { status: response.status, code: body.code }
}
