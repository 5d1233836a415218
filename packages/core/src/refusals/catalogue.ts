/**
 * Refusals by code. A code is stable: clients may switch on it. `status` is the HTTP status that REST answers with;
 * `title` says what is wrong; `hint` says what to do.
 */
export type Catalogue = Record<string, { status: number; title: string; hint: string }>
