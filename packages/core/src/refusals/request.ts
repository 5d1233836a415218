import type { Catalogue } from './catalogue.ts'

/** What any request may be answered, whatever it asks for. */
export const REQUEST_REFUSALS = {
  REQUEST_INVALID: {
    status: 400,
    title: 'The request does not have the documented form.',
    hint: 'Compare it with the API page; unknown fields are not accepted.',
  },
  JSON_INVALID: {
    status: 400,
    title: 'The body is not valid JSON.',
    hint: 'Send one JSON object encoded as UTF-8.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is larger than this endpoint accepts.',
    hint: 'Keep the body within the documented limit.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The headers are larger than any request needs.',
    hint: 'Keep address and headers together within 16 KiB.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This address cannot be asked with this method.',
    hint: 'The allow header names those that it can.',
  },
  ACCEPT_UNSUPPORTED: {
    status: 406,
    title: 'The answer is of no type that the request accepts.',
    hint: 'Accept application/json; of a subscription text/event-stream.',
  },
  CONTENT_TYPE_UNSUPPORTED: {
    status: 415,
    title: 'The body is not application/json.',
    hint: 'Send the header content-type: application/json.',
  },
  CONTENT_ENCODING_UNSUPPORTED: {
    status: 415,
    title: 'The body is compressed or encoded in another way.',
    hint: 'Send it as it is, without the header content-encoding.',
  },
  ROUTE_NOT_FOUND: {
    status: 404,
    title: 'There is nothing at this address.',
    hint: 'The API page lists all addresses.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests.',
    hint: 'Wait for the seconds named in the retry-after header.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request did not arrive in time.',
    hint: 'Send it again with the same Idempotency-Key.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'The server is stopping.',
    hint: 'Send it again in a few seconds with the same Idempotency-Key.',
  },
  OVERLOADED: {
    status: 503,
    title: 'The server has more to do than it can.',
    hint: 'Send it again in a few seconds with the same Idempotency-Key.',
  },
  INTERNAL: { status: 500, title: 'Something failed on our side.', hint: 'Tell the operator the requestId.' },
  RESUME_TOKEN_INVALID: {
    status: 400,
    title: 'The resume token was not given by this server.',
    hint: 'Read the current state and follow from now on.',
  },
} as const satisfies Catalogue
