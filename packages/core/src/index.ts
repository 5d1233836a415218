export * from './json.ts'
export * from './money.ts'
export * from './refusals.ts'
