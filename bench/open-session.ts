import type { Signer } from '@holdfast/client'
import { signAuthorization } from '@holdfast/client/signer'

/** A session token for requests that are sent without the client. */
export async function openSession(baseUrl: string, signer: Signer): Promise<string> {
  const url = `${baseUrl}/v1/sessions`
  const authorization = await signAuthorization(signer, { url, method: 'POST', body: null }, Date.now())
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization, 'idempotency-key': signer.pubkey },
  })
  if (!response.ok) throw new Error(`No session was opened: ${response.status}.`)
  const { token } = (await response.json()) as { token: string }
  return token
}
