import { createHash, randomUUID } from 'node:crypto'
import { authorizationHeader, createAuthEvent } from '@holdfast/protocols/nip98'

/** A mutation of GraphQL. */
export type Mutation = { readonly name: string; readonly inputType: string; readonly input: object }

/** `refused`: the code of the catalogue. Null: the server died before it answered. */
export type MutationAnswer =
  | { readonly taskId: string; readonly replayed: boolean }
  | { readonly refused: string }
  | null

export type Party = 'buyer' | 'worker'

/** How the parties of escrows reach one life of the server. */
export type EscrowDoor = {
  readonly url: string
  readonly secretKeys: Readonly<Record<Party, Uint8Array>>
  readonly died: AbortSignal
}

/** Sends a signed mutation under a key that the server's next lives recognise. */
export async function askServer(
  { url, secretKeys, died }: EscrowDoor,
  by: Party,
  keyText: string,
  { name, inputType, input }: Mutation,
): Promise<MutationAnswer> {
  const body = JSON.stringify({
    query: `mutation ($input: ${inputType}!) { ${name}(input: $input) { task { id } replayed } }`,
    variables: { input },
  })
  const request = { url: `${url}/graphql`, method: 'POST', bodySha256: sha256(body), now: Date.now() }
  const signed = createAuthEvent(request, secretKeys[by], randomUUID())
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: {
        authorization: authorizationHeader(signed),
        'content-type': 'application/json',
        'idempotency-key': sha256(keyText).slice(0, 32),
      },
      body,
      signal: died,
    })
    return answerIn(name, await response.text())
  } catch (error) {
    // The connection broke: it was killed, whether or not the test knows it yet.
    if (died.aborted || error instanceof TypeError) return null
    throw error
  }
}

type GraphqlAnswer = {
  data?: Record<string, { task: { id: string }; replayed: boolean }> | null
  errors?: { message: string; extensions?: { code?: string } }[]
}

function answerIn(name: string, text: string): MutationAnswer {
  const { data, errors } = JSON.parse(text) as GraphqlAnswer
  const refused = errors?.[0]?.extensions?.code
  if (refused !== undefined) return { refused }
  const payload = data?.[name]
  if (!payload) throw new Error(`${name} was answered with ${text}`)
  return { taskId: payload.task.id, replayed: payload.replayed }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
