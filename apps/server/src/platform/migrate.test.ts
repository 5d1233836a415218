import { migrateContract } from './migrate.contract.ts'
import { withDatabase } from './testing/with-database.ts'

migrateContract(withDatabase())
