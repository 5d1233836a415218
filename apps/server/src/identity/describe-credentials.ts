import type { DescribeRoute } from '../platform/http/openapi.ts'
import { KEY } from './idempotency.ts'

const ANY = [{ nostr: [] }, { session: [] }]
const SIGNED = [{ nostr: [] }]
const KEYED = {
  type: 'object',
  required: ['idempotency-key'],
  properties: {
    'idempotency-key': {
      type: 'string',
      pattern: KEY.source,
      description:
        'New for every distinct request. The same request with the same key is done once, and answered the same.',
    },
  },
}

/** What the API page says a request must carry: who sends it, and with a mutation its Idempotency-Key. */
export const describeCredentials: DescribeRoute = ({ method, url, answers }) => {
  if (url === '/v1/sessions') return { security: method === 'POST' ? SIGNED : ANY }
  if (method !== 'GET') return { security: ANY, headers: KEYED }
  return answers.has('401') ? { security: ANY } : {}
}
