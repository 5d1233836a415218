import { jobsContract } from './jobs.contract.ts'
import { withDatabase } from './testing/with-database.ts'

jobsContract(withDatabase())
