export * from './money.ts'
export * from './refusals.ts'
