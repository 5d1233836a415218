import { atOnceContract } from './at-once.contract.ts'
import { withDatabase } from './testing/with-database.ts'

atOnceContract(withDatabase())
